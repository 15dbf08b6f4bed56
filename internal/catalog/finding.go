package catalog

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// Severity says how soon somebody should look at a finding.
type Severity string

// The severities.
const (
	SeverityLow      Severity = "low"
	SeverityMedium   Severity = "medium"
	SeverityHigh     Severity = "high"
	SeverityCritical Severity = "critical"
)

// FindingKind is what can be wrong.
type FindingKind string

// The kinds of findings about what runs.
const (
	OutOfBand            FindingKind = "out_of_band"           // a version serves that nobody was asked about
	UnknownModel         FindingKind = "unknown_model"         // what runs is no registered model
	UnknownArtifact      FindingKind = "unknown_artifact"      // what runs is no registered version
	ArtifactDiffers      FindingKind = "artifact_differs"      // what runs is not the version that it says it is
	UnassignedVersion    FindingKind = "unassigned_version"    // a version runs where it is not assigned
	NotRunning           FindingKind = "not_running"           // an assigned version does not run
	CodeDiffers          FindingKind = "code_differs"          // the code is not that of the version
	ConfigurationDiffers FindingKind = "configuration_differs" // the configuration is not the deployed one
	ImageDiffers         FindingKind = "image_differs"         // the container image is not the deployed one
	DataDiffers          FindingKind = "data_differs"          // the data are not those that the version rests on
	Unverifiable         FindingKind = "unverifiable"          // one side is missing, so that nobody can say
)

// FindingKinds returns all kinds.
func FindingKinds() []FindingKind {
	return []FindingKind{
		OutOfBand, UnknownModel, UnknownArtifact, ArtifactDiffers, UnassignedVersion, NotRunning,
		CodeDiffers, ConfigurationDiffers, ImageDiffers, DataDiffers, Unverifiable,
	}
}

// Severity returns how soon somebody should look at a finding of the kind.
func (k FindingKind) Severity() Severity {
	switch k {
	case ArtifactDiffers, UnknownArtifact:
		return SeverityCritical
	case OutOfBand, UnknownModel, UnassignedVersion, CodeDiffers, DataDiffers:
		return SeverityHigh
	case NotRunning, ConfigurationDiffers, ImageDiffers:
		return SeverityMedium
	}
	return SeverityLow
}

// Finding is a difference between what is and what the record says.
type Finding struct {
	ID          string      `json:"id" doc:"Id of the finding."`
	Fingerprint string      `json:"fingerprint" doc:"The same as long as the same thing is wrong."`
	Kind        FindingKind `json:"kind" doc:"What is wrong."`
	Severity    Severity    `json:"severity" enum:"low,medium,high,critical" doc:"How soon somebody should look at it."`
	Environment string      `json:"environment,omitempty" doc:"Name of the environment."`
	Model       string      `json:"model,omitempty" doc:"Name of the model."`
	Version     string      `json:"version,omitempty" doc:"Name of the version."`
	Subject     string      `json:"subject,omitempty" doc:"Deployment or place in question."`
	Expected    string      `json:"expected,omitempty" doc:"What the record says."`
	Observed    string      `json:"observed,omitempty" doc:"What was found."`
	Summary     string      `json:"summary,omitempty" doc:"The finding in a sentence."`
	First       time.Time   `json:"first_seen" doc:"When it was raised."`
	Last        time.Time   `json:"last_seen" doc:"When it was seen last, to within a day."`
	Resolved    time.Time   `json:"resolved,omitzero" doc:"When it was resolved; absent while it is open."`
	Agrees      bool        `json:"agrees,omitempty" doc:"True: what is agrees with the record again."`
	Resolution  string      `json:"resolution,omitempty" doc:"What was done."`
	Event       uint64      `json:"event" doc:"Sequence of the event that raised it."`
}

// Open reports whether nobody has settled the finding.
func (f Finding) Open() bool { return f.Resolved.IsZero() }

// seenAgain is how long an open finding that has not changed is left alone: a reconciliation each
// minute does not fill the trail.
const seenAgain = 24 * time.Hour

// fingerprint names what is wrong where, whatever was observed in its place.
func (r *FindingRaised) fingerprint() (string, error) {
	raw, err := json.Marshal([]string{string(r.Kind), r.Environment, r.Model, r.About})
	return string(tallystick.DigestOf(raw)), err
}

// raise returns the change that a difference makes: a new finding, an open one seen again, or nil.
func raise(tx *state.Tx, r FindingRaised) (trail.Change, error) {
	fingerprint, err := r.fingerprint()
	if err != nil {
		return nil, err
	}
	r.Finding, r.Severity = fingerprint, cmp.Or(r.Severity, r.Kind.Severity())
	is, err := openFinding(tx, r.Finding)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return &r, nil
	case err != nil:
		return nil, fmt.Errorf("read finding %.20s: %w", r.Finding, err)
	case is.Observed != r.Observed || tx.Now().Sub(is.Last) >= seenAgain:
		return &FindingSeen{Finding: r.Finding, Model: r.Model, Observed: r.Observed, Summary: r.Summary}, nil
	}
	return nil, nil
}

// settle returns the change that resolves an open finding because what is agrees with the record
// again, or nil if there is none.
func settle(tx *state.Tx, r FindingRaised) (trail.Change, error) {
	fingerprint, err := r.fingerprint()
	if err != nil {
		return nil, err
	}
	is, err := openFinding(tx, fingerprint)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read finding %.20s: %w", fingerprint, err)
	}
	return &FindingResolved{Finding: fingerprint, Model: is.Model, Agrees: true}, nil
}

// ResolveFinding returns the change by which somebody settles a finding, nil if it is settled.
func (c *Catalog) ResolveFinding(tx *state.Tx, id, reason string) (trail.Change, error) {
	if reason == "" {
		return nil, tallystick.Errorf(tallystick.Invalid, "finding %.40q cannot be resolved without a reason", id).WithHint("say what was done about it")
	}
	if err := tallystick.ValidateText("reason", reason, maxWords); err != nil {
		return nil, err
	}
	f, err := scanFinding(tx.QueryRow("SELECT "+findingColumns+" FROM findings WHERE id = ?", id))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, tallystick.Errorf(tallystick.NotFound, "there is no finding %.40q", id)
	case err != nil:
		return nil, fmt.Errorf("read finding %.40q: %w", id, err)
	case !f.Open():
		return nil, nil
	}
	return &FindingResolved{Finding: f.Fingerprint, Model: f.Model, Reason: reason}, nil
}

// FindingFilter chooses findings.
type FindingFilter struct {
	Model       string
	Environment string
	Kind        FindingKind
	Open        bool   // only those that are open
	After       string // the event of the last one that the caller has; empty begins with the newest
	Limit       int    // 0 means 100; at most 1,000
}

// Findings returns findings, newest first.
func (c *Catalog) Findings(ctx context.Context, f FindingFilter) (list []Finding, err error) {
	var w where
	w.add(f.Model != "", "model = ?", f.Model)
	w.add(f.Environment != "", "environment = ?", f.Environment)
	w.add(f.Kind != "", "kind = ?", string(f.Kind))
	w.add(f.Open, "resolved_ms IS NULL")
	err = c.db.Read(ctx, func(tx *state.Tx) error {
		list, err = recent(tx, scanFinding, "SELECT "+findingColumns+" FROM findings", w, f.After, f.Limit)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list findings: %w", err)
	}
	return list, nil
}

// OpenFindingsIn returns the newest open findings of a model, at most 100, as the transaction sees them.
func (c *Catalog) OpenFindingsIn(tx *state.Tx, model string) ([]Finding, error) {
	var w where
	w.add(true, "model = ?", model)
	w.add(true, "resolved_ms IS NULL")
	return recent(tx, scanFinding, "SELECT "+findingColumns+" FROM findings", w, "", 0)
}

// Finding returns the finding of that id, or a NotFound error.
func (c *Catalog) Finding(ctx context.Context, id string) (f Finding, err error) {
	err = c.db.Read(ctx, func(tx *state.Tx) error {
		f, err = scanFinding(tx.QueryRow("SELECT "+findingColumns+" FROM findings WHERE id = ?", id))
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		return Finding{}, tallystick.Errorf(tallystick.NotFound, "there is no finding %.40q", id)
	}
	return f, err
}

const findingColumns = "id, fingerprint, kind, severity, environment, model, version, subject, expected, observed, summary, first_ms, last_ms, resolved_ms, agrees, resolution, event"

func openFinding(tx *state.Tx, fingerprint string) (Finding, error) {
	return scanFinding(tx.QueryRow("SELECT "+findingColumns+" FROM findings WHERE fingerprint = ? AND resolved_ms IS NULL", fingerprint))
}

func scanFinding(row state.Scanner) (f Finding, err error) {
	var first, last int64
	var resolved sql.NullInt64
	err = row.Scan(&f.ID, &f.Fingerprint, &f.Kind, &f.Severity, &f.Environment, &f.Model, &f.Version, &f.Subject, &f.Expected, &f.Observed, &f.Summary,
		&first, &last, &resolved, &f.Agrees, &f.Resolution, &f.Event)
	f.First, f.Last = moment(first), moment(last)
	if resolved.Valid {
		f.Resolved = moment(resolved.Int64)
	}
	return f, err
}
