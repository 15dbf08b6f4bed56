package release

import "sync"

// memo keeps what follows from bytes that cannot change, so that a gate that is asked again does not verify the same
// signatures again. It forgets everything when it is full.
type memo[K comparable, V any] struct {
	limit int // entries
	mu    sync.Mutex
	found map[K]V
}

func (m *memo[K, V]) get(key K) (value V, there bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	value, there = m.found[key]
	return value, there
}

func (m *memo[K, V]) put(key K, value V) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.found == nil || len(m.found) >= m.limit {
		m.found = map[K]V{}
	}
	m.found[key] = value
}
