package archive

import (
	"container/list"
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/blob"
	"github.com/tallystick/tallystick/internal/segment"
)

// maxIdle bounds the files that are kept open though nobody reads them.
const maxIdle = 64

// cache keeps files open. One that was removed from the store stays readable for those who have it.
type cache struct {
	store *blob.Store

	mu   sync.Mutex
	open map[tallystick.Digest]*held
	idle *list.List // of *held, the one that was used last in front
}

// held is an open file.
type held struct {
	*segment.File
	digest tallystick.Digest
	file   *os.File
	uses   int
	at     *list.Element // in idle
}

func newCache(store *blob.Store) *cache {
	return &cache{store: store, open: map[tallystick.Digest]*held{}, idle: list.New()}
}

// take returns a file, which the caller gives back with release. One that is not there is a NotFound error.
func (c *cache) take(digest tallystick.Digest) (*held, error) {
	if h := c.known(digest); h != nil {
		return h, nil
	}
	h, err := c.read(digest)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	other := c.open[digest]
	if other == nil {
		c.open[digest], h.uses = h, 1
		c.mu.Unlock()
		return h, nil
	}
	c.use(other) // somebody else was faster
	c.mu.Unlock()
	return other, h.file.Close()
}

func (c *cache) known(digest tallystick.Digest) *held {
	c.mu.Lock()
	defer c.mu.Unlock()
	h := c.open[digest]
	if h != nil {
		c.use(h)
	}
	return h
}

// use counts a reader. The lock is held.
func (c *cache) use(h *held) {
	if h.at != nil {
		c.idle.Remove(h.at)
		h.at = nil
	}
	h.uses++
}

func (c *cache) read(digest tallystick.Digest) (_ *held, err error) {
	file, err := c.store.Open(digest)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, file.Close())
		}
	}()
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("segment file %s: %w", digest, err)
	}
	f, err := segment.Open(file, info.Size())
	if err != nil {
		return nil, fmt.Errorf("segment file %s: %w", digest, err)
	}
	return &held{File: f, digest: digest, file: file}, nil
}

// release gives a file back.
func (c *cache) release(h *held) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if h.uses--; h.uses > 0 {
		return
	}
	h.at = c.idle.PushFront(h)
	if c.idle.Len() > maxIdle {
		c.drop(c.idle.Back().Value.(*held))
	}
}

// drop closes an idle file. The lock is held.
func (c *cache) drop(h *held) {
	c.idle.Remove(h.at)
	delete(c.open, h.digest)
	_ = h.file.Close() // it was read only
}

// forget closes a file that was removed from the store, once nobody reads it any more.
func (c *cache) forget(digest tallystick.Digest) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if h := c.open[digest]; h != nil && h.at != nil {
		c.drop(h)
	}
}

func (c *cache) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.idle.Len() > 0 {
		c.drop(c.idle.Back().Value.(*held))
	}
}
