package capture

import (
	"fmt"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// Changes returns an empty change for each type of event that alters the tables here, to be filled by a replay.
func Changes() map[trail.Type]func() trail.Change {
	return map[trail.Type]func() trail.Change{
		trail.SegmentSealed: func() trail.Change { return new(SegmentSealed) },
		trail.IntegrityGap:  func() trail.Change { return new(GapFound) },
	}
}

// Tables returns the tables of which every row follows from changes.
func Tables() []trail.Table {
	return []trail.Table{
		{
			Name: "prediction_segments", Key: []string{"segment"},
			Columns: []string{
				"model", "file_digest", "bytes", "root_digest", "previous_root", "records", "shard", "first_sequence", "last_sequence",
				"first_us", "last_us", "first_id", "last_id", "removed", "event",
			},
		},
		{
			Name: "prediction_gaps", Key: []string{"event"},
			Columns: []string{"shard", "sequence", "gap_shard", "from_sequence", "to_sequence", "salvaged", "unsure"},
		},
		{Name: "prediction_cursors", Key: []string{"shard"}, Columns: []string{"sequence", "event"}},
	}
}

// SegmentSealed registers a segment: records of one model, from one cut of the journal. All segments of
// a cut have the same frames.
type SegmentSealed struct {
	Model     string            `json:"model"`
	Segment   string            `json:"segment"`
	File      tallystick.Digest `json:"file_digest"`
	Bytes     int64             `json:"bytes"`
	Root      tallystick.Digest `json:"root_digest"`
	Previous  tallystick.Digest `json:"previous_root,omitempty"`
	Records   int64             `json:"records"`
	Shard     string            `json:"shard"`
	First     uint64            `json:"first_sequence"`
	Last      uint64            `json:"last_sequence"`
	FirstTime prediction.Time   `json:"first_time"`
	LastTime  prediction.Time   `json:"last_time"`
	FirstID   prediction.ID     `json:"first_id"`
	LastID    prediction.ID     `json:"last_id"`
}

// Subject implements trail.Change.
func (s *SegmentSealed) Subject() (trail.Type, trail.Resource) {
	return trail.SegmentSealed, trail.Resource{Type: "segment", ID: s.Segment}
}

// Apply implements trail.Change.
func (s *SegmentSealed) Apply(tx *state.Tx, at trail.Mark) error {
	_, err := tx.Exec(`INSERT INTO prediction_segments (segment, model, file_digest, bytes, root_digest, previous_root, records, shard,
		first_sequence, last_sequence, first_us, last_us, first_id, last_id, id_node, event) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		s.Segment, s.Model, string(s.File), s.Bytes, string(s.Root), string(s.Previous), s.Records, s.Shard,
		int64(s.First), int64(s.Last), int64(s.FirstTime), int64(s.LastTime), s.FirstID.String(), s.LastID.String(), node(s.FirstID, s.LastID), at.Sequence)
	if err != nil {
		return err
	}
	return moveCursor(tx, s.Shard, s.Last, at)
}

// GapFound tells of a range of the journal that is damaged or lost.
type GapFound struct {
	Shard      string   `json:"shard"`
	Sequence   uint64   `json:"sequence"`
	GapShard   string   `json:"gap_shard"`
	From       uint64   `json:"from_sequence"`
	To         uint64   `json:"to_sequence,omitempty"`
	Lost       []string `json:"lost,omitempty"`
	Salvaged   int64    `json:"salvaged"`
	Unsure     bool     `json:"unsure"`
	What       string   `json:"what,omitempty"`
	Quarantine string   `json:"quarantine,omitempty"`
}

// Subject implements trail.Change.
func (g *GapFound) Subject() (trail.Type, trail.Resource) {
	return trail.IntegrityGap, trail.Resource{Type: "journal", ID: g.Shard}
}

// Apply implements trail.Change.
func (g *GapFound) Apply(tx *state.Tx, at trail.Mark) error {
	unsure := 0
	if g.Unsure {
		unsure = 1
	}
	_, err := tx.Exec("INSERT INTO prediction_gaps (event, shard, sequence, gap_shard, from_sequence, to_sequence, salvaged, unsure) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		at.Sequence, g.Shard, int64(g.Sequence), g.GapShard, int64(g.From), int64(g.To), g.Salvaged, unsure)
	if err != nil {
		return err
	}
	return moveCursor(tx, g.Shard, g.Sequence, at)
}

// moveCursor writes down up to where a shard of the journal is on record.
func moveCursor(tx *state.Tx, shard string, to uint64, at trail.Mark) error {
	_, err := tx.Exec(`INSERT INTO prediction_cursors (shard, sequence, event) VALUES (?, ?, ?)
		ON CONFLICT (shard) DO UPDATE SET sequence = excluded.sequence, event = excluded.event`, shard, int64(to), at.Sequence)
	return err
}

// cursor returns up to where a shard is on record, 0 if nothing of it is.
func cursor(tx *state.Tx, shard string) (to uint64, err error) {
	if err := tx.QueryRow("SELECT coalesce(max(sequence), 0) FROM prediction_cursors WHERE shard = ?", shard).Scan(&to); err != nil {
		return 0, fmt.Errorf("read the cursor of shard %s: %w", shard, err)
	}
	return to, nil
}
