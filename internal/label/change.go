package label

import (
	"context"
	"fmt"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// Blobs keeps the lines of batches.
type Blobs interface {
	Put(ctx context.Context, data []byte) (tallystick.Digest, error)
	Get(ctx context.Context, d tallystick.Digest) ([]byte, error)
}

// Changes returns an empty change for each type of event that alters the tables here, to be filled by a
// replay, which reads the lines of batches from blobs.
func Changes(blobs Blobs) map[trail.Type]func() trail.Change {
	return map[trail.Type]func() trail.Change{
		trail.LabelsRecorded: func() trail.Change { return &Recorded{blobs: blobs} },
	}
}

// Tables returns the tables of which every row follows from changes.
func Tables() []trail.Table {
	return []trail.Table{
		{
			Name: "labels", Key: []string{"model", "prediction", "event", "place"},
			Columns: []string{"value", "time_us", "stated_us", "recorded_ms", "source", "note"},
		},
		{Name: "label_batches", Key: []string{"event"}, Columns: []string{"model", "batch", "sent_digest", "labels", "corrected", "duplicates", "rejected", "recorded_ms"}},
	}
}

// Recorded tells of a batch of labels of which some were new.
type Recorded struct {
	Model      string            `json:"model"`
	Batch      string            `json:"batch,omitempty"`
	Content    tallystick.Digest `json:"content_digest"`
	Sent       tallystick.Digest `json:"sent_digest"`
	Labels     int64             `json:"labels"`
	Corrected  int64             `json:"corrected"`
	Duplicates int64             `json:"duplicates"`
	Rejected   int64             `json:"rejected"`

	all   []Label // what Content is of; nil: it is in blobs
	blobs Blobs
}

// Subject implements trail.Change.
func (r *Recorded) Subject() (trail.Type, trail.Resource) {
	return trail.LabelsRecorded, trail.Resource{Type: "model", ID: r.Model}
}

// Apply implements trail.Change.
func (r *Recorded) Apply(tx *state.Tx, at trail.Mark) error {
	all := r.all
	if all == nil {
		var err error
		if all, err = r.read(); err != nil {
			return err
		}
	}
	fresh, _, err := sift(tx, r.Model, all, prediction.TimeOf(at.Time))
	if err != nil {
		return err
	}
	if err := insert(tx, r.Model, all, fresh, at); err != nil {
		return err
	}
	_, err = tx.Exec("INSERT INTO label_batches (event, model, batch, sent_digest, labels, corrected, duplicates, rejected, recorded_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
		at.Sequence, r.Model, r.Batch, string(r.Sent), r.Labels, r.Corrected, r.Duplicates, r.Rejected, at.Time.UnixMilli())
	return err
}

// read gets the labels for a replay, which is not in a hurry and serves nobody else.
func (r *Recorded) read() ([]Label, error) {
	data, err := r.blobs.Get(context.Background(), r.Content)
	if err != nil {
		return nil, fmt.Errorf("labels of %s: %w", r.Model, err)
	}
	return ParseLines(data)
}

// perInsert is how many rows one statement inserts.
const perInsert = 50

const (
	insertInto = "INSERT INTO labels (model, prediction, event, place, value, time_us, stated_us, recorded_ms, source, note) VALUES "
	insertRow  = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)

// insert writes the labels at the places that are fresh.
func insert(tx *state.Tx, model string, all []Label, fresh []int, at trail.Mark) error {
	for len(fresh) > 0 {
		n := 1
		if len(fresh) >= perInsert {
			n = perInsert
		}
		var args []any
		query := insertInto + insertRow
		for i, place := range fresh[:n] {
			if i > 0 {
				query += ", " + insertRow
			}
			l := &all[place]
			args = append(args, model, l.Prediction.String(), at.Sequence, place, string(l.Value.AppendJSON(nil)), int64(l.Time),
				int64(l.statedBy(prediction.TimeOf(at.Time))), at.Time.UnixMilli(), l.Source, l.Note)
		}
		if _, err := tx.Exec(query, args...); err != nil {
			return err
		}
		fresh = fresh[n:]
	}
	return nil
}

// statedBy returns when the source said so, of a label that was received at a moment.
func (l *Label) statedBy(received prediction.Time) prediction.Time {
	if l.Stated.IsZero() {
		return received
	}
	return l.Stated
}
