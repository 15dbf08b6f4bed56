package ledger

import (
	"bytes"
	"context"
	"iter"
	"sync"

	"github.com/transparency-dev/tessera/api/layout"
)

// stretch is what the files say of the 256 entries from index*256 on, and what follows from them.
type stretch struct {
	hasher
	index  uint64
	name   string         // of the bundle's file
	raw    []byte         // the bundle, which may hold more entries than the tree
	tile   []byte         // the hashes that are stored over it
	leaves []byte         // the hashes of its entries
	whole  [hashSize]byte // the root over them, if there are 256
	wrong  int            // the first entry whose hash is not in the tile; -1 if there is none
	err    error
}

// stretches yields all stretches of the tree in order. The workers, goroutines of which each reads and
// hashes every workers-th one, run a little ahead. A stretch is valid until the next one.
func (t tree) stretches(ctx context.Context, workers int) iter.Seq[*stretch] {
	return func(yield func(*stretch) bool) {
		ctx, cancel := context.WithCancel(ctx)
		var running sync.WaitGroup
		defer running.Wait()
		defer cancel()
		ready := make([]chan *stretch, workers)
		free := make([]chan *stretch, workers)
		for w := range workers {
			ready[w], free[w] = make(chan *stretch, 1), make(chan *stretch, 2)
			free[w] <- &stretch{}
			free[w] <- &stretch{}
			running.Go(func() { t.work(ctx, uint64(w), uint64(workers), free[w], ready[w]) })
		}
		for index := uint64(0); index*tileWidth < t.size; index++ {
			w := index % uint64(workers)
			var s *stretch
			select {
			case s = <-ready[w]:
			case <-ctx.Done():
				return
			}
			if !yield(s) {
				return
			}
			free[w] <- s
		}
	}
}

func (t tree) work(ctx context.Context, first, step uint64, free <-chan *stretch, ready chan<- *stretch) {
	for index := first; index*tileWidth < t.size; index += step {
		var s *stretch
		select {
		case s = <-free:
		case <-ctx.Done():
			return
		}
		s.index = index
		s.err = s.load(t)
		select {
		case ready <- s:
		case <-ctx.Done():
			return
		}
		if s.err != nil {
			return
		}
	}
}

// load reads the files of the stretch and hashes its entries.
func (s *stretch) load(t tree) (err error) {
	if s.raw, s.name, err = t.bundle(s.index, s.raw); err != nil {
		return err
	}
	if s.tile, err = t.tile(0, s.index, s.tile); err != nil {
		return err
	}
	n := t.bundleWidth(s.index)
	s.leaves, s.wrong = s.leaves[:0], -1
	rest := s.raw
	for i := range n {
		entry, next, ok := cutEntry(rest)
		at := s.index*tileWidth + uint64(i)
		switch {
		case !ok && s.wrong >= 0: // a wrong length misleads all that follows it
			return damaged(s.name, "entry %d does not match its hash", s.index*tileWidth+uint64(s.wrong))
		case !ok:
			return damaged(s.name, "it ends before entry %d", at)
		}
		hash := s.leaf(entry)
		s.leaves = append(s.leaves, hash[:]...)
		if s.wrong < 0 && !bytes.Equal(hash[:], s.tile[i*hashSize:(i+1)*hashSize]) {
			s.wrong = i
		}
		rest = next
	}
	partial := layout.PartialTileSize(0, s.index, t.size)
	if len(rest) > 0 && s.wrong < 0 && s.name == layout.EntriesPath(s.index, partial) {
		return damaged(s.name, "%d bytes follow its last entry", len(rest))
	}
	if n == tileWidth {
		s.whole = s.root(s.leaves)
	}
	return nil
}

// entries calls visit with every entry of the stretch that is in the tree.
func (s *stretch) entries(visit func(index uint64, leaf []byte) error) error {
	rest := s.raw
	for i := range len(s.leaves) / hashSize {
		entry, next, _ := cutEntry(rest)
		if err := visit(s.index*tileWidth+uint64(i), entry[1:]); err != nil {
			return err
		}
		rest = next
	}
	return nil
}
