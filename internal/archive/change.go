package archive

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// Changes returns an empty change for each type of event that alters the tables here, to be filled by a replay.
func Changes() map[trail.Type]func() trail.Change {
	return map[trail.Type]func() trail.Change{
		trail.SegmentsCompacted: func() trail.Change { return new(SegmentsCompacted) },
		trail.SegmentsRemoved:   func() trail.Change { return new(SegmentsRemoved) },
		trail.PredictionErased:  func() trail.Change { return new(PredictionErased) },
		trail.RetentionSet:      func() trail.Change { return new(RetentionSet) },
		trail.HoldPlaced:        func() trail.Change { return new(HoldPlaced) },
		trail.HoldReleased:      func() trail.Change { return new(HoldReleased) },
	}
}

// Tables returns the tables of which every row follows from changes. Those of segments are package capture's.
func Tables() []trail.Table {
	return []trail.Table{
		{Name: "prediction_retentions", Key: []string{"model"}, Columns: []string{"days", "event"}},
		{Name: "prediction_erasures", Key: []string{"id_hash"}, Columns: []string{"segment", "place", "event"}},
		{Name: "prediction_holds", Key: []string{"event"}, Columns: []string{
			"id", "model", "incident", "from_us", "to_us", "reason", "placed_by", "placed_ms", "released_ms", "released_by", "release_reason",
		}},
	}
}

// SegmentsCompacted puts the segments of several files into one.
type SegmentsCompacted struct {
	Model    string              `json:"model"`
	File     tallystick.Digest   `json:"file_digest"`
	Bytes    int64               `json:"bytes"`
	Replaces []tallystick.Digest `json:"replaces"`
	Segments int64               `json:"segments"`
	Records  int64               `json:"records"`
}

// Subject implements trail.Change.
func (c *SegmentsCompacted) Subject() (trail.Type, trail.Resource) {
	return trail.SegmentsCompacted, trail.Resource{Type: "segments", ID: string(c.File)}
}

// Apply implements trail.Change.
func (c *SegmentsCompacted) Apply(tx *state.Tx, _ trail.Mark) error {
	return moveSegments(tx, c.Replaces, "file_digest = ?, bytes = ?", string(c.File), c.Bytes)
}

// SegmentsRemoved removes files whose time is over.
type SegmentsRemoved struct {
	Model    string              `json:"model"`
	Days     int64               `json:"days"`
	Files    []tallystick.Digest `json:"files"`
	Segments int64               `json:"segments"`
	Records  int64               `json:"records"`
	First    prediction.Time     `json:"first_time"`
	Last     prediction.Time     `json:"last_time"`
}

// Subject implements trail.Change.
func (c *SegmentsRemoved) Subject() (trail.Type, trail.Resource) {
	return trail.SegmentsRemoved, trail.Resource{Type: "model", ID: c.Model}
}

// Apply implements trail.Change.
func (c *SegmentsRemoved) Apply(tx *state.Tx, at trail.Mark) error {
	return moveSegments(tx, c.Files, "file_digest = '', bytes = 0, removed = ?", at.Sequence)
}

// PredictionErased puts the segments of a file into another that is without some of the records.
type PredictionErased struct {
	Model    string              `json:"model"`
	File     tallystick.Digest   `json:"file_digest"`
	Bytes    int64               `json:"bytes"`
	Replaces tallystick.Digest   `json:"replaces"`
	Records  int64               `json:"records"`
	Places   []string            `json:"places"`
	Hashes   []tallystick.Digest `json:"id_hashes"`
	Reason   string              `json:"reason,omitempty"`
}

// Subject implements trail.Change.
func (c *PredictionErased) Subject() (trail.Type, trail.Resource) {
	return trail.PredictionErased, trail.Resource{Type: "segments", ID: string(c.File)}
}

// Apply implements trail.Change.
func (c *PredictionErased) Apply(tx *state.Tx, at trail.Mark) error {
	if len(c.Places) != len(c.Hashes) {
		return fmt.Errorf("%d places of %d predictions", len(c.Places), len(c.Hashes))
	}
	for i, place := range c.Places {
		at, event := strings.LastIndexByte(place, ':'), at.Sequence
		index, err := strconv.ParseInt(place[at+1:], 10, 64)
		if at < 0 || err != nil {
			return fmt.Errorf("%q is no place of a prediction", place)
		}
		if _, err := tx.Exec("INSERT INTO prediction_erasures (id_hash, segment, place, event) VALUES (?, ?, ?, ?) ON CONFLICT (id_hash) DO NOTHING",
			string(c.Hashes[i]), place[:at], index, event); err != nil {
			return err
		}
	}
	return moveSegments(tx, []tallystick.Digest{c.Replaces}, "file_digest = ?, bytes = ?", string(c.File), c.Bytes)
}

// RetentionSet says for how many days predictions of a model are kept.
type RetentionSet struct {
	Model  string `json:"model"`
	Days   int64  `json:"days"`
	Reason string `json:"reason,omitempty"`
}

// Subject implements trail.Change.
func (c *RetentionSet) Subject() (trail.Type, trail.Resource) {
	return trail.RetentionSet, trail.Resource{Type: "model", ID: c.Model}
}

// Apply implements trail.Change.
func (c *RetentionSet) Apply(tx *state.Tx, at trail.Mark) error {
	_, err := tx.Exec(`INSERT INTO prediction_retentions (model, days, event) VALUES (?, ?, ?)
		ON CONFLICT (model) DO UPDATE SET days = excluded.days, event = excluded.event`, c.Model, c.Days, at.Sequence)
	return err
}

// moveSegments changes the rows of the segments that live in the files.
func moveSegments(tx *state.Tx, files []tallystick.Digest, set string, values ...any) error {
	for _, file := range files {
		if _, err := tx.Exec("UPDATE prediction_segments SET "+set+" WHERE file_digest = ?", append(values[:len(values):len(values)], string(file))...); err != nil {
			return err
		}
	}
	return nil
}
