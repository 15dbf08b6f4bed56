package trail

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync"

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
// that a signature seldom waits for a write of its own. So the row can be ahead of the tree that is to be
// signed, even by the time of the first signature: one on the way to the row is allowed.
//
// It cannot see a database that was put back to an older state together with the ledger: for that
// there are anchors and witnesses outside.
type Guard struct {
	config GuardConfig

	mu    sync.Mutex // held for as long as the row may be written
	token int64      // under mu: what this signer has written into the row; 0 before the first time
	trees []allowed  // under mu: the last that was asked for, or taken over, and those to which the row has moved since
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

const maxTrees = 1024 // some seconds of sealing, which a signature may take

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
	if base := g.below(size, last); base != nil {
		return g.between(ctx, *base, size, root)
	}
	switch {
	case size < last.size:
		return tallystick.Errorf(tallystick.Conflict, "a tree of %d entries has been allowed before: the ledger has gone back", last.size).
			WithHint("was it restored from an older copy? use `tallystick restore`, which opens a new origin")
	case size == last.size && !bytes.Equal(root, last.root):
		return tallystick.Errorf(tallystick.Conflict, "another tree of this size has been allowed before: the ledger has forked").
			WithHint("run `tallystick fsck`")
	case size == last.size && last.token > 0 && last.token == g.token:
		g.trees = []allowed{last}
		return nil
	}
	next, err := g.grow(ctx, last, size, root)
	if err != nil {
		return err
	}
	if err := g.config.DB.Write(ctx, func(tx *state.Tx) error { return g.swap(tx, last, next) }); err != nil {
		return err
	}
	g.token, g.trees = next.token, []allowed{next}
	return nil
}

// below returns the largest of the trees that is not larger than size, if this signer has moved the row
// past it.
func (g *Guard) below(size uint64, row allowed) *allowed {
	if g.token == 0 || size >= row.size {
		return nil
	}
	for i := range slices.Backward(g.trees) {
		if g.trees[i].size <= size {
			return &g.trees[i]
		}
	}
	return nil
}

// between allows a tree on the way from the one below it to the row, which stays.
func (g *Guard) between(ctx context.Context, base allowed, size uint64, root []byte) error {
	asked, err := base, error(nil)
	if size > base.size {
		asked, err = g.grow(ctx, base, size, root)
	} else if !bytes.Equal(root, base.root) {
		err = errOtherTree()
	}
	if err != nil {
		return err
	}
	above := slices.IndexFunc(g.trees, func(a allowed) bool { return a.size > size })
	if above < 0 {
		above = len(g.trees)
	}
	g.trees = append([]allowed{asked}, g.trees[above:]...)
	return nil
}

// follow moves the row on to the tree that ends with these leaves, of which the first is at index, in the
// transaction that stores their place. It returns from where to where, for moved; nothing if the row was
// there already. Its caller holds mu.
func (g *Guard) follow(tx *state.Tx, index uint64, sealed [][]byte) ([]allowed, error) {
	end := index + uint64(len(sealed))
	last, err := g.row(tx)
	if err != nil || end <= last.size {
		return nil, err
	}
	next, err := g.extend(last, end, func(from uint64) ([][]byte, error) {
		if from >= index {
			return sealed[from-index:], nil
		}
		return g.leaves(tx, from, index)
	})
	if err != nil {
		return nil, err
	}
	return []allowed{last, next}, g.swap(tx, last, next)
}

// moved takes note of what follow returned, once it is committed. Its caller holds mu.
func (g *Guard) moved(trees []allowed) {
	if len(trees) == 0 {
		return
	}
	if len(g.trees) > 0 {
		trees = trees[1:] // the row is where it was left
	}
	g.trees = append(g.trees, trees...)
	g.token = g.trees[len(g.trees)-1].token
	if over := len(g.trees) - maxTrees; over > 0 {
		g.trees = slices.Delete(g.trees, 1, 1+over) // the first is what all others are built on
	}
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
