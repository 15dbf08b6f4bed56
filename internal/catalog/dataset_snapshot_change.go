package catalog

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/profile"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// SnapshotRegistered adds a snapshot. Schema and profile are on the trail as digests: they are kept
// when the change is made, and a replay does without them.
type SnapshotRegistered struct {
	Dataset       string            `json:"dataset"`
	Snapshot      string            `json:"snapshot"`
	Digest        tallystick.Digest `json:"digest"`
	Rows          int64             `json:"rows"`
	Bytes         int64             `json:"bytes,omitempty"`
	Taken         time.Time         `json:"taken_at"`
	SchemaDigest  tallystick.Digest `json:"schema_digest,omitempty"`
	ProfileDigest tallystick.Digest `json:"profile_digest,omitempty"`
	Sources       []Source          `json:"sources,omitempty"`
	Anomalies     []Anomaly         `json:"anomalies,omitempty"`
	Enclosed      [][]byte          `json:"-"` // schema and profile
}

// Subject implements trail.Change.
func (s *SnapshotRegistered) Subject() (trail.Type, trail.Resource) {
	return trail.SnapshotRegistered, trail.Resource{Type: "snapshot", ID: s.Dataset + "@" + s.Snapshot}
}

// Apply implements trail.Change.
func (s *SnapshotRegistered) Apply(tx *state.Tx, at trail.Mark) error {
	sources, err1 := pack(s.Sources)
	anomalies, err2 := pack(s.Anomalies)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	for _, body := range s.Enclosed {
		_, err := tx.Exec("INSERT INTO snapshot_documents (digest, body) VALUES (?, ?) ON CONFLICT (digest) DO NOTHING", string(tallystick.DigestOf(body)), body)
		if err != nil {
			return fmt.Errorf("insert document: %w", err)
		}
	}
	_, err := tx.Exec(`INSERT INTO snapshots (dataset, name, digest, row_count, bytes, schema_digest, profile_digest, sources, anomalies, taken_ms, created_ms, event)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		s.Dataset, s.Snapshot, string(s.Digest), s.Rows, s.Bytes, string(s.SchemaDigest), string(s.ProfileDigest), sources, anomalies, s.Taken.UnixMilli(), at.Time.UnixMilli(), at.Sequence)
	return err
}

// enclose adds schema and profile.
func (s *SnapshotRegistered) enclose(schema []SchemaColumn, p *profile.Profile) error {
	if p != nil {
		body, err := p.Marshal()
		if err != nil {
			return err
		}
		s.ProfileDigest, s.Enclosed = tallystick.DigestOf(body), append(s.Enclosed, body)
		if len(schema) == 0 {
			for _, c := range p.Columns {
				schema = append(schema, SchemaColumn{Name: c.Name, Type: cmp.Or(c.Type, string(c.Kind))})
			}
		}
	}
	if len(schema) > 0 {
		body, err := json.Marshal(schema)
		if err != nil {
			return err
		}
		s.SchemaDigest, s.Enclosed = tallystick.DigestOf(body), append(s.Enclosed, body)
	}
	return nil
}

const (
	maxSources   = 256
	maxAnomalies = 256
	maxCount     = 1 << 53 // what a JSON number holds exactly
)

func (r SnapshotRegistration) validate() error {
	err := cmp.Or(
		tallystick.ValidateName("data set", r.Dataset),
		tallystick.ValidateName("snapshot", r.Name),
		r.Digest.Validate(),
		boundedJSON("sources", r.Sources, maxSources),
		boundedJSON("anomalies", r.Anomalies, maxAnomalies),
	)
	if err != nil {
		return err
	}
	if min(r.Rows, r.Bytes) < 0 || max(r.Rows, r.Bytes) > maxCount {
		return tallystick.Errorf(tallystick.Invalid, "snapshot %s@%s cannot have %d rows in %d bytes", r.Dataset, r.Name, r.Rows, r.Bytes)
	}
	if year := r.Taken.Year(); !r.Taken.IsZero() && (year < 1900 || year > 9999) {
		return tallystick.Errorf(tallystick.Invalid, "snapshot %s@%s cannot have been taken in the year %d", r.Dataset, r.Name, year)
	}
	for _, s := range r.Sources {
		if err := tallystick.ValidateText("source", s.Name, maxWords); err != nil {
			return err
		}
		if s.Digest != "" && s.Digest.Validate() != nil {
			return fmt.Errorf("source %q: %w", s.Name, s.Digest.Validate())
		}
	}
	for _, a := range r.Anomalies {
		if err := cmp.Or(tallystick.ValidateText("anomaly", a.What, maxWords), tallystick.ValidateText("handling", a.Handling, maxWords), tallystick.ValidateText("reason", a.Reason, maxWords)); err != nil {
			return err
		}
		if a.What == "" || a.Handling == "" || a.Rows < 0 || a.Rows > maxCount {
			return tallystick.Errorf(tallystick.Invalid, "an anomaly needs what was wrong and what was done about it, and a count of rows that can be")
		}
	}
	if len(r.Schema) > profile.MaxColumns {
		return tallystick.Errorf(tallystick.Invalid, "the schema has %d columns, the limit is %d", len(r.Schema), profile.MaxColumns)
	}
	for _, c := range r.Schema {
		if err := cmp.Or(tallystick.ValidateText("column name", c.Name, maxPerson), tallystick.ValidateText("column type", c.Type, maxPerson)); err != nil {
			return err
		}
	}
	if p := r.Profile; p != nil && (p.Digest != r.Digest || p.Rows != r.Rows) {
		return tallystick.Errorf(tallystick.Invalid, "the profile is of other data: %d rows of digest %s", p.Rows, p.Digest.Short()).
			WithHint("profile the data of the snapshot: %d rows of digest %s", r.Rows, r.Digest.Short())
	}
	return nil
}
