package witness

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	cosignature "github.com/transparency-dev/formats/note"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/durable"
)

const (
	// freshness is how long a cosignature is given out again for the same checkpoint, so that whoever
	// repeats a checkpoint costs no write.
	freshness = 10 * time.Second
	// overtaken is how long after a checkpoint was cosigned a smaller one may still be on its way from
	// an honest log.
	overtaken = time.Minute
	maxLogs   = 10_000
)

// Log is a log that a witness watches.
type Log struct {
	Origin string
	Keys   []note.Verifier // any of them may sign; a rotated log has several
}

// Config says what is witnessed and where it is kept. Dir and Logs are required.
type Config struct {
	Dir    string
	Logs   []Log
	Logger *slog.Logger // nil discards
}

// Witness cosigns the checkpoints of some logs. It is safe for concurrent use.
type Witness struct {
	cfg    Config
	signer note.Signer
	own    note.Verifier
	lock   *os.File
	alarms *alarms
	byHash map[string]*record // by originHash

	metrics metrics
	broken  chan struct{} // closed by fail

	mu  sync.Mutex
	err error // why the witness has stopped
}

// Open opens the witness in cfg.Dir, which has a key, and holds it alone until Close.
func Open(cfg Config) (_ *Witness, err error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if len(cfg.Logs) == 0 || len(cfg.Logs) > maxLogs {
		return nil, tallystick.Errorf(tallystick.Invalid, "a witness of %d logs", len(cfg.Logs)).WithHint("name each log with --log ORIGIN=VKEY")
	}
	key, err := OpenKey(cfg.Dir)
	if err != nil {
		return nil, err
	}
	own, err := cosignature.NewVerifierForCosignatureV1(key.VKey)
	if err != nil {
		return nil, fmt.Errorf("open witness: %w", err)
	}
	w := &Witness{cfg: cfg, signer: key.Signer, own: own, byHash: map[string]*record{}, metrics: newMetrics(), broken: make(chan struct{})}
	if w.lock, err = lockDir(cfg.Dir); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.Close())
		}
	}()
	if err := durable.MkdirAll(filepath.Join(cfg.Dir, logsDir), 0o700); err != nil {
		return nil, fmt.Errorf("open witness: %w", err)
	}
	for _, log := range cfg.Logs {
		r, err := openRecord(cfg.Dir, log, own)
		if err != nil {
			return nil, err
		}
		if w.byHash[originHash(log.Origin)] != nil {
			return nil, tallystick.Errorf(tallystick.Invalid, "log %q is named twice", log.Origin)
		}
		w.byHash[originHash(log.Origin)] = r
		if r.held.note == nil {
			cfg.Logger.Info("nothing is held of this log; its first checkpoint will be taken as it is", slog.String("origin", log.Origin))
		}
	}
	w.alarms, err = openAlarms(cfg.Dir)
	return w, err
}

// Close lets the directory go. Nothing that was cosigned depends on it.
func (w *Witness) Close() error {
	var err error
	if w.alarms != nil {
		err = w.alarms.file.Close()
	}
	return errors.Join(err, w.lock.Close())
}

// Broken is closed once the witness has stopped because a write had an unknown outcome.
func (w *Witness) Broken() <-chan struct{} { return w.broken }

// Err returns why the witness has stopped, or nil.
func (w *Witness) Err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

func (w *Witness) fail(cause error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = fmt.Errorf("witness stopped: %w", cause)
		w.cfg.Logger.Error("witness stopped", slog.Any("cause", cause))
		close(w.broken)
	}
	return w.err
}

// Checkpoint returns the newest checkpoint cosigned for the log whose origin has that SHA-256 in
// lower-case hexadecimal; ok is false if there is none.
func (w *Witness) Checkpoint(originHash string) (signed []byte, ok bool) {
	r := w.byHash[originHash]
	if r == nil {
		return nil, false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.held.note, r.held.note != nil
}

// Add cosigns a checkpoint that continues the one held, and returns the signature line once the
// checkpoint is durable. Anything else is a *Refusal; a signed checkpoint that does not fit is an
// alarm besides. Any other error means that ctx has ended or that the witness has stopped.
func (w *Witness) Add(ctx context.Context, request Request) (line []byte, err error) {
	next, err := parseHead(request.Checkpoint)
	if err != nil {
		return nil, refuse(Malformed, "%v", err)
	}
	r := w.byHash[originHash(next.origin)]
	if r == nil {
		return nil, refuse(UnknownLog, "log %.200q is not known to this witness", next.origin)
	}
	signatures, err := note.Open(request.Checkpoint, r.known)
	if err != nil {
		return nil, refuse(Unsigned, "no trusted key of %.200q has signed: %v", next.origin, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := errors.Join(ctx.Err(), w.Err()); err != nil {
		return nil, err
	}
	now := time.Now() // as the signer does, which takes no clock
	kind, refusal := r.check(request, next, now)
	if kind != "" {
		w.alarm(ctx, newAlarm(kind, now, r.held.head, next, r.held.note, request.Checkpoint))
	}
	if refusal != nil {
		return nil, refusal
	}
	if age := now.Sub(r.held.at); r.held.note != nil && r.held.text == next.text && age >= 0 && age < freshness {
		return r.held.line, nil
	}
	signed, err := note.Sign(&note.Note{Text: next.text, Sigs: signatures.Sigs}, w.signer)
	if err != nil {
		return nil, w.fail(fmt.Errorf("cosign: %w", err))
	}
	c, err := parseCosigned(signed, w.own) // what is stored is what can be read again
	if err == nil {
		err = r.store(c)
	}
	if err != nil {
		return nil, w.fail(fmt.Errorf("keep checkpoint of %q at size %d: %w", next.origin, next.size, err))
	}
	return c.line, nil
}

// check compares a signed checkpoint with the one held. The alarm is independent of the refusal: the
// protocol wants the size told first. Its caller holds mu.
func (r *record) check(request Request, next head, now time.Time) (AlarmKind, *Refusal) {
	held := r.held
	switch {
	case held.note == nil:
		held.head = head{origin: r.origin, root: emptyRoot()}
	case next.size == held.size && next.root != held.root:
		if request.Old != held.size {
			return Fork, r.stale(request)
		}
		return Fork, refuse(Inconsistent, "another checkpoint of %d entries was cosigned before", held.size)
	case next.size < held.size && (request.Old == held.size || now.Sub(held.at) > overtaken):
		if request.Old > next.size {
			return Rollback, refuse(OldTooLarge, "%d entries, though %d were cosigned before", next.size, held.size)
		}
		return Rollback, r.stale(request)
	}
	switch {
	case request.Old > next.size:
		return "", refuse(OldTooLarge, "old size %d is larger than the checkpoint's %d", request.Old, next.size)
	case request.Old != held.size:
		return "", r.stale(request)
	case next.size == 0 && next.root != emptyRoot():
		return "", refuse(Inconsistent, "no entries have the root of some")
	case request.Old == 0 && len(request.Proof) > 0:
		return "", refuse(Inconsistent, "a proof from a tree without entries")
	case request.Old == 0:
		return "", nil
	}
	hashes := make([][]byte, len(request.Proof))
	for i := range request.Proof {
		hashes[i] = request.Proof[i][:]
	}
	if err := proof.VerifyConsistency(rfc6962.DefaultHasher, held.size, next.size, hashes, held.root[:], next.root[:]); err != nil {
		if next.size == held.size {
			return "", refuse(Inconsistent, "a proof between checkpoints of one size")
		}
		return Unproved, refuse(Inconsistent, "%d entries are not shown to continue the %d that were cosigned: %v", next.size, held.size, err)
	}
	return "", nil
}

func (r *record) stale(request Request) *Refusal {
	refusal := refuse(Stale, "old size %d is not the %d that were cosigned last", request.Old, r.held.size)
	refusal.Held = r.held.size
	return refusal
}

// alarm records that a signed checkpoint does not fit. A failure to do so changes no answer: it is
// logged with everything that the file would hold.
func (w *Witness) alarm(ctx context.Context, a Alarm) {
	w.metrics.alarms.WithLabelValues(string(a.Kind)).Inc()
	fresh, err := w.alarms.record(a)
	if !fresh {
		return
	}
	attributes := []slog.Attr{
		slog.String("kind", string(a.Kind)), slog.String("origin", a.Origin), slog.Uint64("held_size", a.HeldSize), slog.String("held_root", a.HeldRoot),
		slog.Uint64("size", a.Size), slog.String("root", a.Root),
	}
	if err != nil {
		attributes = append(attributes, slog.Any("not_recorded", err), slog.String("held", a.Held), slog.String("submitted", a.Submitted))
	}
	w.cfg.Logger.LogAttrs(ctx, slog.LevelError, "alarm: a signed checkpoint does not continue what was cosigned", attributes...)
}
