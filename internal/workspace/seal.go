package workspace

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/ledger"
	"github.com/tallystick/tallystick/internal/trail"
	"github.com/tallystick/tallystick/verify"
)

// Seal brings every event that is recorded now under a signed checkpoint and returns the checkpoint. It
// waits for its turn where another process is sealing, or until that one has sealed these events too:
// a server holds the ledger for as long as it runs.
func (w *Workspace) Seal(ctx context.Context) (checkpoint []byte, err error) {
	newest, err := w.Trail.Newest(ctx)
	if err != nil {
		return nil, err
	}
	var settled atomic.Bool // by whoever comes first: this process with the ledger, or another without it
	waiting, cancel := context.WithCancel(ctx)
	defer cancel()
	var covered []byte
	var others sync.WaitGroup
	others.Go(func() {
		if covered = w.awaitOthers(waiting, newest, &settled); covered != nil {
			cancel()
		}
	})
	err = w.holdLedger(waiting, func(log held) error {
		if !settled.CompareAndSwap(false, true) {
			return nil
		}
		checkpoint, err = w.sealInto(ctx, log)
		return err
	})
	cancel()
	others.Wait()
	if covered != nil {
		return covered, nil
	}
	return checkpoint, err
}

// awaitOthers returns the first published checkpoint that covers the event, whose place is stored, if settled is still open
// then, and nil once ctx has ended or settled is closed.
func (w *Workspace) awaitOthers(ctx context.Context, sequence uint64, settled *atomic.Bool) []byte {
	look := time.NewTicker(sealPoll)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-look.C:
		}
		if settled.Load() {
			return nil
		}
		reader, err := w.Ledger() // of a ledger that is not there yet, an error
		if err == nil && sequence > 0 && reader.Size() > w.index(sequence) && w.placed(ctx, sequence) && settled.CompareAndSwap(false, true) {
			return reader.Checkpoint()
		}
	}
}

// placed reports whether the place of an event is stored: one whose sealer was killed before that has none until the
// next sealer gives it to it, though a checkpoint covers it.
func (w *Workspace) placed(ctx context.Context, sequence uint64) bool {
	event, err := w.Trail.Event(ctx, strconv.FormatUint(sequence, 10))
	return err == nil && event.Index != nil
}

// KeepSealed seals events as they are recorded, by this process or another, until ctx ends; then it
// seals what is recorded at that moment and returns nil. It holds the ledger meanwhile; ready is called
// when it has it, and has removed what processes that were killed have left. Any error means that the process must exit.
func (w *Workspace) KeepSealed(ctx context.Context, ready func()) error {
	return w.holdLedger(ctx, func(log held) error {
		sealer, err := w.sealer(ctx, log)
		if err != nil {
			return err
		}
		w.sweep(ctx)
		ready()
		if err := sealer.Run(ctx); err != nil {
			return err
		}
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWait)
		defer cancel()
		_, err = sealer.Seal(last)
		return err
	})
}

// held is a ledger that is open for appending, with the guard that its signer asks.
type held struct {
	*ledger.Log
	guard *trail.Guard
}

// holdLedger calls fn with the ledger open and locked, and the keys as they are now.
func (w *Workspace) holdLedger(ctx context.Context, fn func(held) error) (err error) {
	log, err := w.openLedger(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close(context.WithoutCancel(ctx))) }()
	return fn(log)
}

func (w *Workspace) sealInto(ctx context.Context, log held) (checkpoint []byte, err error) {
	sealer, err := w.sealer(ctx, log)
	if err != nil {
		return nil, err
	}
	return sealer.Seal(ctx)
}

// sealer returns a sealer that knows what the ledger holds.
func (w *Workspace) sealer(ctx context.Context, log held) (*trail.Sealer, error) {
	sealer, err := trail.NewSealer(trail.SealerConfig{Guard: log.guard, Ledger: log, Logger: w.cfg.Logger})
	if err != nil {
		return nil, err
	}
	if err := sealer.Reconcile(ctx); err != nil {
		return nil, fmt.Errorf("reconcile trail and ledger: %w", err)
	}
	return sealer, nil
}

// openLedger opens the ledger for appending, or creates it if nothing has been sealed yet.
func (w *Workspace) openLedger(ctx context.Context) (log held, err error) {
	for range rotateTries {
		if err := w.refreshKeys(ctx); err != nil {
			return held{}, err
		}
		if log, err = w.openLedgerOnce(ctx); !errors.Is(err, errReplaced) {
			break
		}
		// Another process has rotated the log key while this one waited for the lock, which it may do
		// each time again.
	}
	return log, err
}

func (w *Workspace) openLedgerOnce(ctx context.Context) (held, error) {
	guard, err := trail.NewGuard(trail.GuardConfig{DB: w.DB, Origin: w.about.Origin, Prefix: w.about.Prefix})
	if err != nil {
		return held{}, err
	}
	verifiers := logVerifiers{ctx, w}
	ctx, cancel := context.WithTimeout(ctx, lockWait)
	defer cancel()
	cfg := ledger.Config{
		Dir: w.path(ledgerDir), Origin: w.about.Origin, Signer: w.Keys.LogSigner(), Verifiers: verifiers,
		Guard:  keyGuard{guard, w.DB, w.Keys.Active(verify.RoleLog).ID},
		Anchor: w.anchor(), Published: w.notePublished, Logger: w.cfg.Logger,
	}
	log, err := ledger.Open(ctx, cfg)
	if tallystick.CodeOf(err) != tallystick.NotFound {
		return held{log, guard}, err
	}
	sealed, err := w.everSealed(ctx)
	if err != nil {
		return held{}, err
	}
	if sealed {
		return held{}, tallystick.Errorf(tallystick.Conflict, "the ledger of workspace %q is gone, but its database knows of sealed events", w.cfg.Dir).
			WithHint("restore the workspace from a backup with `tallystick restore`")
	}
	create := cfg
	create.Create = true
	log, err = ledger.Open(ctx, create)
	if tallystick.CodeOf(err) == tallystick.Conflict {
		// Another process may have made it while this one waited for the lock.
		if other, again := ledger.Open(ctx, cfg); tallystick.CodeOf(again) != tallystick.NotFound {
			return held{other, guard}, again
		}
	}
	return held{log, guard}, err
}

// everSealed reports whether any event has a place in the ledger: then the ledger must be there.
func (w *Workspace) everSealed(ctx context.Context) (bool, error) {
	first, err := w.Trail.Event(ctx, "1")
	if tallystick.CodeOf(err) == tallystick.NotFound {
		return false, nil
	}
	return err == nil && first.Index != nil, err
}

// Prover proves events against the checkpoints that are there when it is made: the newest one that
// witnesses have cosigned, and the one that is published.
type Prover struct {
	published *ledger.Reader
	cosigned  *ledger.Reader // nil if there is none
}

// Prover returns a prover for the checkpoints of this moment.
func (w *Workspace) Prover() (*Prover, error) {
	published, err := w.Ledger()
	if err != nil {
		return nil, err
	}
	cosigned, err := w.cosignedOf(published)
	if err != nil { // what it proves less is what a check of the ledger is for
		w.cfg.Logger.Debug("proofs go without cosignatures", slog.Any("cause", err))
	}
	return &Prover{published, cosigned}, nil
}

// Covering returns a prover of one checkpoint alone, which covers the ledger up to the index: one that
// witnesses have cosigned, if there is one.
func (p *Prover) Covering(index uint64) *Prover {
	reader := p.reader(index)
	return &Prover{reader, reader}
}

func (p *Prover) reader(index uint64) *ledger.Reader {
	if p.cosigned != nil && index < p.cosigned.Size() {
		return p.cosigned
	}
	return p.published
}

// Checkpoint returns the published checkpoint, or that of Covering.
func (p *Prover) Checkpoint() []byte { return p.published.Checkpoint() }

// Prove returns the inclusion proof of an event. One that no checkpoint covers is a Conflict.
func (p *Prover) Prove(ctx context.Context, event trail.Event) (verify.InclusionProof, error) {
	if event.Index == nil || *event.Index >= p.published.Size() {
		return verify.InclusionProof{}, tallystick.Errorf(tallystick.Conflict, "event %d is recorded, but not sealed yet", event.Sequence)
	}
	reader := p.reader(*event.Index)
	hashes, err := reader.InclusionProof(ctx, *event.Index, reader.Size())
	if err != nil {
		return verify.InclusionProof{}, fmt.Errorf("prove event %d: %w", event.Sequence, err)
	}
	proof := verify.InclusionProof{Index: *event.Index, Checkpoint: reader.Checkpoint(), Extra: event.Leaf}
	for _, hash := range hashes {
		proof.Hashes = append(proof.Hashes, [sha256.Size]byte(hash))
	}
	return proof, nil
}

// ProveEvent proves the event with an id or a sequence, and has it sealed first if no published checkpoint covers it. That it has a place in the
// ledger is not enough: the checkpoint comes after, and a process that is killed in between leaves it to the next.
func (w *Workspace) ProveEvent(ctx context.Context, id string) (verify.InclusionProof, error) {
	for sealed := false; ; sealed = true {
		event, err := w.Trail.Event(ctx, id)
		if err != nil {
			return verify.InclusionProof{}, err
		}
		if event.Index != nil || sealed {
			prover, err := w.Prover()
			if err != nil {
				return verify.InclusionProof{}, err
			}
			if proof, err := prover.Prove(ctx, event); sealed || tallystick.CodeOf(err) != tallystick.Conflict {
				return proof, err
			}
		}
		if _, err := w.Seal(ctx); err != nil {
			return verify.InclusionProof{}, err
		}
	}
}

// MultiProof returns the shared hashes that prove the entries at the indexes, which ascend, under the
// checkpoint of a prover that [Prover.Covering] has returned.
func (p *Prover) MultiProof(ctx context.Context, indexes []uint64) (verify.MultiProof, error) {
	others, err := p.published.MultiProof(ctx, indexes)
	if err != nil {
		return verify.MultiProof{}, fmt.Errorf("prove %d events: %w", len(indexes), err)
	}
	return verify.MultiProof{Size: p.published.Size(), Others: others}, nil
}
