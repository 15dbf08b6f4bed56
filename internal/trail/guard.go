package trail

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/rfc6962"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
)

// Guard decides which checkpoints may be signed. It keeps, in the database and so apart from the
// ledger's files, the largest tree that it has allowed: its size, its root and the hashes that a
// larger tree must be built on. It allows a tree only if
//
//   - it is the tree of the recorded events in the order of their sequence, and so extends the last
//     one: a ledger that has lost, doubled or changed an entry gets no signature;
//   - no other signer has taken the row meanwhile (fencing): a process that was thought dead, or a
//     second copy of the ledger over the same database, gets no signature.
//
// It cannot see a database that was put back to an older state together with the ledger: for that
// there are anchors and witnesses outside.
type Guard struct {
	config GuardConfig

	mu    sync.Mutex
	token int64 // under mu: what this signer has written into the row; 0 before the first time
}

// GuardConfig says which ledger is guarded. DB and Origin are required.
type GuardConfig struct {
	DB     *state.DB
	Origin string
	Prefix [][]byte // as in SealerConfig
}

// NewGuard returns a guard. The first Advance takes the row from whoever had it, so it must come
// after the ledger's lock has been taken.
func NewGuard(config GuardConfig) (*Guard, error) {
	if config.DB == nil || config.Origin == "" {
		return nil, fmt.Errorf("new guard: it needs a database and an origin")
	}
	return &Guard{config: config}, nil
}

// allowed is the row of an origin.
type allowed struct {
	token  int64
	size   uint64
	root   []byte
	hashes []byte // of the compact range [0, size), 32 bytes each
}

const hashSize = 32

// Advance durably remembers size and root as the largest tree, or returns an error and changes
// nothing: a Conflict if the tree is smaller than the last one, is not that of the recorded events,
// or if another signer has taken over. To ask again for the same tree succeeds. A checkpoint may be
// signed only after a nil return.
func (g *Guard) Advance(ctx context.Context, origin string, size uint64, root []byte) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := state.Patiently(ctx, func() error { return g.advance(ctx, origin, size, root) }); err != nil {
		return fmt.Errorf("guard of %q at size %d: %w", origin, size, err)
	}
	return nil
}

func (g *Guard) advance(ctx context.Context, origin string, size uint64, root []byte) error {
	if origin != g.config.Origin {
		return tallystick.Errorf(tallystick.Conflict, "the guard is that of %q", g.config.Origin)
	}
	last, err := g.last(ctx)
	if err != nil {
		return err
	}
	if err := g.check(last, size, root); err != nil {
		return err
	}
	if last.token > 0 && last.token == g.token && size == last.size {
		return nil
	}
	next := allowed{token: last.token, size: size, root: root}
	if g.token == 0 {
		next.token++
	}
	if next.hashes, err = g.extend(ctx, last, size, root); err != nil {
		return err
	}
	if err := g.swap(ctx, last, next); err != nil {
		return err
	}
	g.token = next.token
	return nil
}

// last returns the row, or the empty tree if there is none.
func (g *Guard) last(ctx context.Context) (a allowed, err error) {
	err = g.config.DB.Read(ctx, func(tx *state.Tx) error {
		return tx.QueryRow("SELECT token, size, root, hashes FROM checkpoints WHERE origin = ?", g.config.Origin).
			Scan(&a.token, &a.size, &a.root, &a.hashes)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return allowed{root: rfc6962.DefaultHasher.EmptyRoot()}, nil
	}
	return a, err
}

func (g *Guard) check(last allowed, size uint64, root []byte) error {
	switch {
	case g.token != 0 && last.token != g.token:
		return tallystick.Errorf(tallystick.Conflict, "another process has become the signer of this ledger").
			WithHint("stop one of the two")
	case size < last.size:
		return tallystick.Errorf(tallystick.Conflict, "a tree of %d entries has been signed before: the ledger has gone back", last.size).
			WithHint("was it restored from an older copy? use `tallystick restore`, which opens a new origin")
	case size == last.size && !bytes.Equal(root, last.root):
		return tallystick.Errorf(tallystick.Conflict, "another tree of this size has been signed before: the ledger has forked").
			WithHint("run `tallystick fsck`")
	}
	return nil
}

// extend builds the tree of the recorded events up to size on the last one and returns its hashes if
// its root is the one given.
func (g *Guard) extend(ctx context.Context, last allowed, size uint64, root []byte) ([]byte, error) {
	factory := compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}
	tree, err := factory.NewRange(0, last.size, slices.Collect(slices.Chunk(last.hashes, hashSize)))
	if err != nil {
		return nil, fmt.Errorf("the hashes of the last tree: %w", err)
	}
	for tree.End() < size {
		batch, err := g.leaves(ctx, tree.End(), size)
		if err != nil {
			return nil, err
		}
		if len(batch) == 0 {
			return nil, tallystick.Errorf(tallystick.Conflict, "the ledger has an entry %d for which there is no event", tree.End()).
				WithHint("run `tallystick fsck`")
		}
		for _, leaf := range batch {
			if err := tree.Append(rfc6962.DefaultHasher.HashLeaf(leaf), nil); err != nil {
				return nil, err
			}
		}
	}
	got := rfc6962.DefaultHasher.EmptyRoot()
	if size > 0 {
		if got, err = tree.GetRootHash(nil); err != nil {
			return nil, err
		}
	}
	if !bytes.Equal(got, root) {
		return nil, tallystick.Errorf(tallystick.Conflict, "the ledger's tree is not that of the recorded events").
			WithHint("run `tallystick fsck`")
	}
	return bytes.Join(tree.Hashes(), nil), nil
}

// leaves returns the next leaves that the ledger should have from index on, below size.
func (g *Guard) leaves(ctx context.Context, index, size uint64) (batch [][]byte, err error) {
	if base := uint64(len(g.config.Prefix)); index < base {
		return g.config.Prefix[index:min(base, size)], nil
	}
	first := index - uint64(len(g.config.Prefix)) + 1
	err = g.config.DB.Read(ctx, func(tx *state.Tx) error {
		batch, err = leaves(tx, first, int(min(maxBatch, size-index)))
		return err
	})
	return batch, err
}

// swap replaces the row if it still is what was read.
func (g *Guard) swap(ctx context.Context, last, next allowed) error {
	return g.config.DB.Write(ctx, func(tx *state.Tx) error {
		var result sql.Result
		var err error
		now := tx.Now().UnixMilli()
		if last.token == 0 {
			result, err = tx.Exec("INSERT INTO checkpoints (origin, token, size, root, hashes, time_ms) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
				g.config.Origin, next.token, next.size, next.root, next.hashes, now)
		} else {
			result, err = tx.Exec("UPDATE checkpoints SET token = ?, size = ?, root = ?, hashes = ?, time_ms = ? WHERE origin = ? AND token = ? AND size = ? AND root = ?",
				next.token, next.size, next.root, next.hashes, now, g.config.Origin, last.token, last.size, last.root)
		}
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n != 1 {
			return tallystick.Errorf(tallystick.Conflict, "another process has become the signer of this ledger").
				WithHint("stop one of the two")
		}
		return nil
	})
}
