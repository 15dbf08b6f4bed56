package trail

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/transparency-dev/merkle/rfc6962"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/verify"
)

// Level is how far an event has come.
type Level string

// The three levels of an acknowledgement.
const (
	Recorded  Level = "recorded"  // durable in the database
	Sealed    Level = "sealed"    // under a signed checkpoint
	Witnessed Level = "witnessed" // under a checkpoint that a witness has cosigned
)

// Receipt acknowledges an event.
type Receipt struct {
	ID       string
	Sequence uint64
	Time     time.Time // UTC, in milliseconds
	Level    Level
	leaf     []byte
}

// LeafHash returns the hash of the event's leaf (RFC 6962 section 2.1).
func (r Receipt) LeafHash() (hash [32]byte) {
	copy(hash[:], rfc6962.DefaultHasher.HashLeaf(r.leaf))
	return hash
}

// RecorderConfig says where events go. DB and Source are required.
type RecorderConfig struct {
	DB     *state.DB
	Source string           // the CloudEvents attribute "source": the origin of the ledger
	Now    func() time.Time // nil means time.Now
	Random io.Reader        // for salts; nil means crypto/rand.Reader
}

// Recorder puts events on the trail. Its methods may be called by many goroutines at once.
type Recorder struct {
	config  RecorderConfig
	kinds   map[Type]*kind
	fields  fieldReader
	scratch sync.Pool // of *scratch
}

// NewRecorder returns a recorder over config.DB.
func NewRecorder(config RecorderConfig) (*Recorder, error) {
	if config.DB == nil || config.Source == "" {
		return nil, fmt.Errorf("new recorder: it needs a database and a source")
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Random == nil {
		config.Random = rand.Reader
	}
	r := &Recorder{config: config, kinds: make(map[Type]*kind)}
	for _, d := range Definitions() {
		r.kinds[d.Type] = newKind(d)
	}
	return r, nil
}

// Record records an event by itself and returns when it is durable. Its time is that of the call.
// The errors are those of state.DB.Write, and Invalid for an entry that does not fit its type.
func (r *Recorder) Record(ctx context.Context, e Entry) (Receipt, error) {
	d, err := r.Draft(e)
	if err != nil {
		return Receipt{}, err
	}
	return r.write(ctx, d)
}

// RecordIn records an event in the transaction of the change that it tells of: both are durable or
// neither is. The receipt counts once the transaction is durable.
func (r *Recorder) RecordIn(tx *state.Tx, e Entry) (Receipt, error) {
	d, err := r.draft(&e, tx.Now(), "", nil)
	if err != nil {
		return Receipt{}, err
	}
	return d.RecordIn(tx)
}

// Draft prepares an event to be recorded later, once: it checks the entry and computes the
// commitments, which is most of the work and better done outside a transaction that others wait
// for. The event's time is that of this call.
func (r *Recorder) Draft(e Entry) (*Draft, error) { return r.draft(&e, r.config.Now(), "", nil) }

func (r *Recorder) write(ctx context.Context, d *Draft) (Receipt, error) {
	var receipt Receipt // the write may go on after an error: nothing of it is looked at then
	err := r.config.DB.Write(ctx, func(tx *state.Tx) (err error) {
		receipt, err = d.RecordIn(tx)
		return err
	})
	if err != nil {
		return Receipt{}, fmt.Errorf("record %s: %w", d.kind.Type.Short(), err)
	}
	return receipt, nil
}

// draft takes pointers for the sake of the stack: callers are many, and the collector cuts the stacks
// of those that wait, so that each draft would have to grow its own again.
func (r *Recorder) draft(e *Entry, at time.Time, p phase, of *Intent) (*Draft, error) {
	k, known := r.kinds[e.Type]
	if !known {
		return nil, tallystick.Errorf(tallystick.Invalid, "event type %q is not known", e.Type)
	}
	at = at.UTC().Truncate(time.Millisecond)
	d := &Draft{id: tallystick.NewID(at), at: at, kind: k, phase: p}
	var intent string
	if of != nil {
		intent, d.intent = of.ID, of.Sequence
	}
	s, pooled := r.scratch.Get().(*scratch)
	if !pooled {
		s = new(scratch)
	}
	defer func() {
		clear(s.data) // holds on to nothing of the caller's
		r.scratch.Put(s)
	}()
	data, err := e.data(s, k, p, intent)
	if err != nil {
		return nil, err
	}
	d.sealed, err = s.drafter.Draft(verify.Event{
		ID:      d.id,
		Source:  r.config.Source,
		Type:    string(e.Type),
		Subject: e.Resource.Type + "/" + e.Resource.ID,
		Time:    at,
	}, data, r.config.Random)
	if err != nil {
		return nil, fmt.Errorf("encode event %s: %w", e.Type.Short(), err)
	}
	return d, nil
}

// Draft is an event that lacks only its place in the sequence.
type Draft struct {
	id     string
	at     time.Time
	kind   *kind
	phase  phase
	intent uint64 // sequence of the intent that this event ends
	sealed verify.Draft
}

// RecordIn gives the event its place. See Recorder.RecordIn.
func (d *Draft) RecordIn(tx *state.Tx) (Receipt, error) {
	last, err := lastSequence(tx)
	if err != nil {
		return Receipt{}, err
	}
	leaf, err := d.sealed.Leaf(*last + 1)
	if err != nil {
		return Receipt{}, err
	}
	r := Receipt{ID: d.id, Sequence: *last + 1, Time: d.at, Level: Recorded, leaf: leaf}
	_, err = tx.Exec("INSERT INTO events (sequence, leaf, disclosures) VALUES (?, ?, ?)", int64(r.Sequence), leaf, d.sealed.Openings())
	if err != nil {
		return Receipt{}, fmt.Errorf("insert event: %w", err)
	}
	*last++
	if err := d.pair(tx, r.Sequence); err != nil {
		return Receipt{}, err
	}
	return r, nil
}

type lastSequenceKey struct{}

// lastSequence returns the sequence of the newest event. The first event of a group asks the
// database; those behind it count on, as nobody else can write meanwhile.
func lastSequence(tx *state.Tx) (*uint64, error) {
	if last, known := tx.Memo()[lastSequenceKey{}].(*uint64); known {
		return last, nil
	}
	last := new(uint64)
	if err := tx.QueryRow("SELECT coalesce(max(sequence), 0) FROM events").Scan(last); err != nil {
		return nil, fmt.Errorf("read the last sequence: %w", err)
	}
	tx.Memo()[lastSequenceKey{}] = last
	return last, nil
}
