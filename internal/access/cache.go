package access

import (
	"sync"
	"time"

	"github.com/tallystick/tallystick"
)

const (
	cacheLasts = 2 * time.Second // what another process takes away is seen after that at the latest
	maxCached  = 4096            // secrets
)

// cache spares the database the question who holds a secret, for those who come again at once.
//
// A change that takes something away makes the cache distrusted when it is applied, which is before its
// commit: for cacheLasts from then on nothing is answered from the cache, nor put into it, not even by
// who has asked the database before. After that the commit is over; if it took longer, what it takes
// away is seen cacheLasts later.
type cache struct {
	now func() time.Time

	mu      sync.Mutex
	entries map[cacheKey]cacheEntry
	trusted time.Time // from then on
	epoch   uint64    // counts distrust
}

// cacheKey names a secret without holding it.
type cacheKey struct {
	id     string
	digest tallystick.Digest
}

type cacheEntry struct {
	holder holder
	until  time.Time
}

func newCache(now func() time.Time) *cache {
	return &cache{now: now, entries: make(map[cacheKey]cacheEntry)}
}

func keyOf(s Secret) cacheKey { return cacheKey{s.ID(), s.Digest()} }

// distrust forgets everything. A replayed change has no cache.
func (c *cache) distrust() {
	if c == nil {
		return
	}
	now := c.now()
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.entries)
	c.trusted = now.Add(cacheLasts)
	c.epoch++
}

// get returns who holds the secret, if that is known, and otherwise the ticket for put.
func (c *cache) get(s Secret, now time.Time) (h holder, ticket uint64, ok bool) {
	key := keyOf(s)
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.entries[key]
	if ok && now.Before(e.until) {
		return e.holder, c.epoch, true
	}
	return holder{}, c.epoch, false
}

// put keeps what the database has answered since the ticket was given.
func (c *cache) put(s Secret, h holder, now time.Time, ticket uint64) {
	key := keyOf(s)
	c.mu.Lock()
	defer c.mu.Unlock()
	if ticket != c.epoch || now.Before(c.trusted) {
		return
	}
	if len(c.entries) >= maxCached {
		clear(c.entries)
	}
	c.entries[key] = cacheEntry{h, now.Add(cacheLasts)}
}
