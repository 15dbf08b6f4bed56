package label

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/state"
)

// Batch is what a sender sends at once.
type Batch struct {
	// ID, if it is not empty, makes it safe to send the batch again: it is kept once. It is unique among
	// the batches of a model.
	ID     string
	Labels []Sent // at most MaxLabels
}

// BatchOutcome says what became of a batch.
type BatchOutcome struct {
	Model      string          `json:"model"`
	Batch      string          `json:"batch,omitempty"`
	Labels     int64           `json:"labels" doc:"labels that are new"`
	Corrected  int64           `json:"corrected" doc:"those of them for predictions that had one"`
	Duplicates int64           `json:"duplicates" doc:"labels that were on record already"`
	Count      int64           `json:"rejected_count" doc:"labels that were not taken"`
	Rejected   []RejectedLabel `json:"rejected,omitempty" doc:"why not, the first hundred of them"`
	Repeated   bool            `json:"repeated,omitempty" doc:"the batch had come before: this is what became of it then"`
}

// maxRejections bounds the reasons that are told of a batch.
const maxRejections = 100

// Store keeps labels in one database.
type Store struct {
	db    *state.DB
	blobs Blobs
}

// New returns the store in db, with the lines of batches in blobs.
func New(db *state.DB, blobs Blobs) *Store { return &Store{db: db, blobs: blobs} }

// Ready is a batch that was looked at label by label, and of which the good ones are kept in lines.
type Ready struct {
	model   string
	id      string
	labels  []Label
	content tallystick.Digest
	sent    tallystick.Digest
	outcome BatchOutcome
}

// Resolver finds the predictions that keys name: exactly one each, or an error for the key.
type Resolver func(ctx context.Context, model string, keys []Key) (ids []prediction.ID, errs []error, err error)

// Prepare does what a batch takes before its transaction. What is not a valid label, or names no
// prediction, is rejected by itself. A batch that is too large, or has a bad id, is Invalid.
func (s *Store) Prepare(ctx context.Context, model string, b Batch, now time.Time, resolve Resolver) (*Ready, error) {
	if len(b.Labels) > MaxLabels {
		return nil, tooMany()
	}
	if err := text("batch", b.ID, maxBatch); err != nil {
		return nil, err
	}
	r := &Ready{model: model, id: b.ID, outcome: BatchOutcome{Model: model, Batch: b.ID}, sent: digestOf(b.Labels)}
	problems := make([]error, len(b.Labels))
	labels := make([]Label, len(b.Labels))
	var keys []Key
	var keyed []int
	for i, sent := range b.Labels {
		labels[i] = sent.Label
		if problems[i] = sent.Err; sent.Err == nil && !sent.Key.IsZero() {
			keys, keyed = append(keys, sent.Key), append(keyed, i)
		}
	}
	if len(keys) > 0 {
		ids, errs, err := resolve(ctx, model, keys)
		if err != nil {
			return nil, err
		}
		for k, i := range keyed {
			labels[i].Prediction, problems[i] = ids[k], errs[k]
		}
	}
	for i := range labels {
		err := problems[i]
		if err == nil {
			err = labels[i].validate(now)
		}
		if err == nil {
			r.labels = append(r.labels, labels[i])
			continue
		}
		if r.outcome.Count++; len(r.outcome.Rejected) < maxRejections {
			r.outcome.Rejected = append(r.outcome.Rejected, Reject(i, err))
		}
	}
	if len(r.labels) == 0 {
		return r, nil
	}
	var err error
	r.content, err = s.blobs.Put(ctx, Lines(r.labels))
	if err != nil {
		return nil, fmt.Errorf("keep labels of %s: %w", model, err)
	}
	return r, nil
}

// digestOf names what was sent, whatever can be read of it.
func digestOf(all []Sent) tallystick.Digest {
	h := sha256.New()
	for i := range all {
		if s := &all[i]; s.Err != nil {
			fmt.Fprintf(h, "%q\n", s.raw)
		} else {
			h.Write(appendLine(nil, &s.Label, s.Key))
		}
	}
	return tallystick.Digest(fmt.Sprintf("sha256:%x", h.Sum(nil)))
}

// Propose returns the change that records a batch, nil if all of it is on record, and what becomes of it. An id
// that came with other labels before is a Conflict.
func (r *Ready) Propose(tx *state.Tx) (*Recorded, BatchOutcome, error) {
	out := r.outcome
	if r.id != "" {
		var sent string
		before := BatchOutcome{Model: r.model, Batch: r.id, Repeated: true}
		err := tx.QueryRow("SELECT sent_digest, labels, corrected, duplicates, rejected FROM label_batches WHERE model = ? AND batch = ?", r.model, r.id).
			Scan(&sent, &before.Labels, &before.Corrected, &before.Duplicates, &before.Count)
		switch {
		case err == nil && sent == string(r.sent):
			return nil, before, nil
		case err == nil:
			return nil, out, tallystick.Errorf(tallystick.Conflict, "the batch %.128q of labels of %s came with others before", r.id, r.model).
				WithHint("give it another id")
		case !errors.Is(err, sql.ErrNoRows):
			return nil, out, fmt.Errorf("look up a batch of labels: %w", err)
		}
	}
	fresh, corrected, err := sift(tx, r.model, r.labels, prediction.TimeOf(tx.Now()))
	if err != nil {
		return nil, out, err
	}
	out.Labels, out.Corrected, out.Duplicates = int64(len(fresh)), corrected, int64(len(r.labels)-len(fresh))
	if len(fresh) == 0 {
		return nil, out, nil
	}
	return &Recorded{
		Model: r.model, Batch: r.id, Content: r.content, Sent: r.sent,
		Labels: out.Labels, Corrected: out.Corrected, Duplicates: out.Duplicates, Rejected: out.Count, all: r.labels,
	}, out, nil
}

// sift returns the places of the labels that are not on record, and how many of them are for predictions that had
// one. A label that does not say when it was stated is on record if it says what counts already.
func sift(tx *state.Tx, model string, all []Label, received prediction.Time) (fresh []int, corrected int64, err error) {
	ids := make([]prediction.ID, len(all))
	for i := range all {
		ids[i] = all[i].Prediction
	}
	known := map[prediction.ID][]entry{}
	err = eachOf(tx, model, ids, Watermark{}, func(e entry) { known[e.Prediction] = append(known[e.Prediction], e) })
	if err != nil {
		return nil, 0, err
	}
	for i := range all {
		l := &all[i]
		before := known[l.Prediction]
		e := entry{Label: *l, event: 1<<63 - 1, place: i}
		e.Stated = l.statedBy(received)
		if l.duplicates(before) {
			continue
		}
		if len(before) > 0 {
			corrected++
		}
		fresh = append(fresh, i)
		known[l.Prediction] = append(before, e)
	}
	return fresh, corrected, nil
}

// duplicates reports whether l says nothing new.
func (l *Label) duplicates(before []entry) bool {
	same := func(e *entry) bool {
		return e.Value == l.Value && e.Time == l.Time && e.Source == l.Source && e.Note == l.Note
	}
	if l.Stated.IsZero() {
		counts := newest(before)
		return counts != nil && same(counts)
	}
	for i := range before {
		if before[i].Stated == l.Stated && same(&before[i]) {
			return true
		}
	}
	return false
}
