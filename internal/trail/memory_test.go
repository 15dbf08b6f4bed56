package trail

import (
	"context"
	"errors"
	"sync"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/rfc6962"

	"github.com/tallystick/tallystick/internal/state"
)

// memory is a ledger that keeps its leaves in memory and signs nothing. It asks its guard as the
// real one does, and its faults can be chosen.
type memory struct {
	guard *Guard // may be nil

	mu     sync.Mutex
	leaves [][]byte

	fail func(operation string) (before, after error) // may be nil; asked at each call
}

var errInjected = errors.New("injected")

func (m *memory) faults(operation string) (before, after error) {
	if m.fail == nil {
		return nil, nil
	}
	return m.fail(operation)
}

func (m *memory) Append(_ context.Context, leaves [][]byte) (uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	before, after := m.faults("append")
	if before != nil {
		return 0, before
	}
	first := uint64(len(m.leaves))
	m.leaves = append(m.leaves, leaves...)
	return first, after
}

func (m *memory) size() uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return uint64(len(m.leaves))
}

func (m *memory) Size(context.Context) (uint64, error) {
	before, _ := m.faults("size")
	return m.size(), before
}

func (m *memory) Leaf(_ context.Context, index uint64) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if before, _ := m.faults("leaf"); before != nil {
		return nil, before
	}
	return m.leaves[index], nil
}

func (m *memory) root() []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.leaves) == 0 {
		return rfc6962.DefaultHasher.EmptyRoot()
	}
	tree := (&compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}).NewEmptyRange(0)
	for _, leaf := range m.leaves {
		tree.Append(rfc6962.DefaultHasher.HashLeaf(leaf), nil)
	}
	root, err := tree.GetRootHash(nil)
	if err != nil {
		panic(err)
	}
	return root
}

func (m *memory) Checkpoint(ctx context.Context, atLeast uint64) ([]byte, error) {
	if before, _ := m.faults("checkpoint"); before != nil {
		return nil, before
	}
	if m.size() < atLeast {
		return nil, errors.New("would wait for ever")
	}
	if m.guard != nil {
		if err := m.guard.Advance(ctx, origin, m.size(), m.root()); err != nil {
			return nil, err
		}
	}
	return m.root(), nil
}

// compare holds the ledger against the trail in db.
func (m *memory) compare(ctx context.Context, db *state.DB, prefix ...[]byte) (Comparison, error) {
	c := NewComparer(ctx, ComparerConfig{DB: db, Origin: origin, Prefix: prefix})
	for i, leaf := range m.leaves {
		if err := c.Leaf(uint64(i), leaf); err != nil {
			return Comparison{}, err
		}
	}
	return c.Finish()
}
