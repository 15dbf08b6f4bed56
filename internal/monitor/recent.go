package monitor

import (
	"sync"

	"github.com/tallystick/tallystick"
)

// recent keeps what was read of documents that never change, by their digests, until they are too many bytes together;
// then it begins anew. Its methods may be called by many goroutines.
type recent[V any] struct {
	most int // bytes of the documents

	mu    sync.Mutex
	bytes int
	known map[tallystick.Digest]V
}

func newRecent[V any](most int) *recent[V] {
	return &recent[V]{most: most, known: map[tallystick.Digest]V{}}
}

// get returns what read makes of the document of a digest, or has made of it before.
func (r *recent[V]) get(digest tallystick.Digest, document func() ([]byte, error), read func([]byte) (V, error)) (V, error) {
	r.mu.Lock()
	v, known := r.known[digest]
	r.mu.Unlock()
	if known {
		return v, nil
	}
	data, err := document()
	if err != nil {
		return v, err
	}
	if v, err = read(data); err != nil {
		return v, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.bytes += len(data); r.bytes > r.most {
		clear(r.known)
		r.bytes = len(data)
	}
	r.known[digest] = v
	return v, nil
}
