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
// ledger's files, the largest tree that it knows the ledger to have: its size, its root and the hashes
// that a larger tree must be built on. It allows a tree only if
//
//   - it is the tree of the recorded events in the order of their sequence, and so extends the last
//     one: a ledger that has lost, doubled or changed an entry gets no signature;
//   - no other signer has taken the row meanwhile (fencing): a process that was thought dead, or a
//     second copy of the ledger over the same database, gets no signature.
//
// The row moves on with every batch that is sealed, in the transaction that stores the batch's place, so
// that a signature seldom waits for a write of its own.
//
// It cannot see a database that was put back to an older state together with the ledger: for that
// there are anchors and witnesses outside.
type Guard struct {
	config GuardConfig

	mu    sync.Mutex // held for as long as the row may be written
	token int64      // under mu: what this signer has written into the row; 0 before the first time
	trees []allowed  // under mu: those through which it has moved the row since the last that was asked for
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

const (
	hashSize = 32
	maxTrees = 1024 // some seconds of sealing, which a signature may take
)

// Advance returns nil if a checkpoint of the tree of this size and root may be signed: the tree, or one
// that it is part of, is durably remembered then. It returns a Conflict if the tree is smaller than the
// last one of another signer, is not that of the recorded events, or if another signer has taken over.
// To ask again for the same tree succeeds. Between two questions of one signer trees do not shrink.
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
	var last allowed
	err := g.config.DB.Read(ctx, func(tx *state.Tx) (err error) {
		last, err = g.row(tx)
		return err
	})
	if err != nil {
		return err
	}
	if i := slices.IndexFunc(g.trees, func(a allowed) bool { return a.size == size }); i >= 0 {
		if !bytes.Equal(root, g.trees[i].root) {
			return errOtherTree()
		}
		g.trees = slices.Delete(g.trees, 0, i)
		return nil
	}
	switch {
	case size < last.size:
		return tallystick.Errorf(tallystick.Conflict, "a tree of %d entries has been allowed before: the ledger has gone back", last.size).
			WithHint("was it restored from an older copy? use `tallystick restore`, which opens a new origin")
	case size == last.size && !bytes.Equal(root, last.root):
		return tallystick.Errorf(tallystick.Conflict, "another tree of this size has been allowed before: the ledger has forked").
			WithHint("run `tallystick fsck`")
	case size == last.size && last.token > 0 && last.token == g.token:
		return nil
	}
	next, err := g.extend(last, size, func(index uint64) (batch [][]byte, err error) {
		err = g.config.DB.Read(ctx, func(tx *state.Tx) error {
			batch, err = g.leaves(tx, index, size)
			return err
		})
		return batch, err
	})
	if err != nil {
		return err
	}
	if !bytes.Equal(root, next.root) {
		return errOtherTree()
	}
	if err := g.config.DB.Write(ctx, func(tx *state.Tx) error { return g.swap(tx, last, next) }); err != nil {
		return err
	}
	g.token, g.trees = next.token, nil
	return nil
}

// follow moves the row on to the tree that ends with these leaves, of which the first is at index, in the
// transaction that stores their place. It returns the tree, for moved; the zero value if the row was
// there already. Its caller holds mu.
func (g *Guard) follow(tx *state.Tx, index uint64, sealed [][]byte) (next allowed, err error) {
	end := index + uint64(len(sealed))
	last, err := g.row(tx)
	if err != nil || end <= last.size {
		return allowed{}, err
	}
	next, err = g.extend(last, end, func(from uint64) ([][]byte, error) {
		if from >= index {
			return sealed[from-index:], nil
		}
		return g.leaves(tx, from, index)
	})
	if err != nil {
		return allowed{}, err
	}
	return next, g.swap(tx, last, next)
}

// moved takes note of what follow returned, once it is committed. Its caller holds mu.
func (g *Guard) moved(to allowed) {
	if to.token == 0 {
		return
	}
	g.token, g.trees = to.token, append(g.trees, to)
	g.trees = g.trees[max(0, len(g.trees)-maxTrees):]
}

// row returns the row, or the empty tree if there is none, unless another signer has taken it.
func (g *Guard) row(tx *state.Tx) (a allowed, err error) {
	err = tx.QueryRow("SELECT token, size, root, hashes FROM checkpoints WHERE origin = ?", g.config.Origin).
		Scan(&a.token, &a.size, &a.root, &a.hashes)
	if errors.Is(err, sql.ErrNoRows) {
		a, err = allowed{root: rfc6962.DefaultHasher.EmptyRoot()}, nil
	}
	if err == nil && g.token != 0 && a.token != g.token {
		err = errOtherSigner()
	}
	return a, err
}

func errOtherSigner() error {
	return tallystick.Errorf(tallystick.Conflict, "another process has become the signer of this ledger").
		WithHint("stop one of the two")
}

func errOtherTree() error {
	return tallystick.Errorf(tallystick.Conflict, "the ledger's tree is not that of the recorded events").
		WithHint("run `tallystick fsck`")
}

// extend builds the tree of the first size entries on the last one. next returns one or more of them,
// from an index on.
func (g *Guard) extend(last allowed, size uint64, next func(index uint64) ([][]byte, error)) (allowed, error) {
	factory := compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}
	tree, err := factory.NewRange(0, last.size, slices.Collect(slices.Chunk(last.hashes, hashSize)))
	if err != nil {
		return allowed{}, fmt.Errorf("the hashes of the last tree: %w", err)
	}
	for tree.End() < size {
		batch, err := next(tree.End())
		if err != nil {
			return allowed{}, err
		}
		if len(batch) == 0 {
			return allowed{}, tallystick.Errorf(tallystick.Conflict, "the ledger has an entry %d for which there is no event", tree.End()).
				WithHint("run `tallystick fsck`")
		}
		for _, leaf := range batch {
			if err := tree.Append(rfc6962.DefaultHasher.HashLeaf(leaf), nil); err != nil {
				return allowed{}, err
			}
		}
	}
	extended := allowed{token: last.token, size: size, root: rfc6962.DefaultHasher.EmptyRoot(), hashes: bytes.Join(tree.Hashes(), nil)}
	if g.token == 0 {
		extended.token++
	}
	if size > 0 {
		extended.root, err = tree.GetRootHash(nil)
	}
	return extended, err
}

// leaves returns leaves that the ledger should have from index on, below size.
func (g *Guard) leaves(tx *state.Tx, index, size uint64) ([][]byte, error) {
	base := uint64(len(g.config.Prefix))
	if index < base {
		return g.config.Prefix[index:min(base, size)], nil
	}
	return leaves(tx, index-base+1, int(min(maxBatch, size-index)))
}

// swap replaces the row if it still is what was read.
func (g *Guard) swap(tx *state.Tx, last, next allowed) error {
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
		return errors.Join(errOtherSigner(), err)
	}
	return nil
}
