// Package report turns the result of an audit into files that people and programs read: JSON with
// a versioned schema, HTML that stands alone and prints, Markdown, and a summary for a terminal.
package report

import (
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/contract"
	"github.com/tallystick/tallystick/internal/drift"
	"github.com/tallystick/tallystick/internal/fairness"
	"github.com/tallystick/tallystick/internal/performance"
	"github.com/tallystick/tallystick/internal/policy"
	"github.com/tallystick/tallystick/internal/quality"
)

// Schema identifies the form of report.json. A change that could break a reader changes it.
const Schema = "https://github.com/tallystick/tallystick/schema/report/v1"

// Document is the whole result of one audit, as report.json holds it.
type Document struct {
	Schema    string    `json:"schema"`
	Tool      Tool      `json:"tool"`
	ID        string    `json:"id"` // of the audit
	Generated time.Time `json:"generated"`
	Model     Model     `json:"model"`
	Data      Data      `json:"data"`
	Reference *Data     `json:"reference,omitempty"`
	Labels    *Labels   `json:"labels,omitempty"`
	Columns   Roles     `json:"columns"`
	Guesses   []string  `json:"guesses"` // what was not said and therefore guessed, in words
	Rows      int64     `json:"rows"`
	Labelled  int64     `json:"labelled_rows"`

	Summary     Summary                  `json:"summary"`
	Quality     *quality.Quality         `json:"quality"`
	Contract    *contract.Result         `json:"contract,omitempty"`
	Performance *performance.Performance `json:"performance,omitempty"`
	Baseline    *Baseline                `json:"baseline,omitempty"`
	Calibration *performance.Calibration `json:"calibration,omitempty"`
	Fairness    *fairness.Fairness       `json:"fairness,omitempty"`
	Drift       *drift.Drift             `json:"drift,omitempty"`
	Windowing   *Windowing               `json:"windowing,omitempty"`
	Windows     []Window                 `json:"windows,omitempty"`
	Slices      []performance.Slice      `json:"slices,omitempty"`
	// Leakage says of every feature how well it alone predicts the label. It is absent where nobody
	// could look, for want of labels, and empty where no feature is of a kind that can be held
	// against the label.
	Leakage  []quality.Leak  `json:"leakage,omitzero"`
	Criteria Criteria        `json:"criteria"`
	Gate     policy.Decision `json:"gate"`
	// Limits say what this audit cannot show.
	Limits []string `json:"limits"`
}

// Tool names the program that made the report.
type Tool struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// Model says whose version was audited.
type Model struct {
	Name    string          `json:"name"`
	Version string          `json:"version"`
	Owner   string          `json:"owner"`
	Tier    tallystick.Tier `json:"tier"`
}

// Data identifies a table by its files.
type Data struct {
	Digest tallystick.Digest `json:"digest"`
	Rows   int64             `json:"rows"`
	Files  []File            `json:"files"`
}

// File is one file of a table; Name is its base name, because paths say too much.
type File struct {
	Name   string            `json:"name"`
	Format string            `json:"format"`
	Bytes  int64             `json:"bytes"`
	Rows   int64             `json:"rows"`
	Digest tallystick.Digest `json:"digest"`
}

// Labels says how late labels were joined.
type Labels struct {
	Data
	ID        string `json:"id_column"`
	Matched   int64  `json:"matched"`
	Unmatched int64  `json:"unmatched"` // predictions without a label
	Unused    int64  `json:"unused"`    // labels without a prediction
}

// Roles says which columns were read as what.
type Roles struct {
	Task          performance.Task `json:"task"`
	Label         string           `json:"label,omitempty"`
	PositiveLabel string           `json:"positive_label,omitempty"`
	Prediction    string           `json:"prediction,omitempty"`
	Positive      []string         `json:"positive,omitempty"` // predicted values that count as positive
	Favourable    string           `json:"favourable,omitempty"`
	Score         string           `json:"score,omitempty"`
	ScoreMax      float64          `json:"score_max,omitempty"`
	Groups        []string         `json:"groups,omitempty"`
	Query         string           `json:"query,omitempty"`
	Item          string           `json:"item,omitempty"`
	Time          string           `json:"time,omitempty"`
	ID            string           `json:"id,omitempty"`
	Features      []string         `json:"features"`
}

// Summary is the audit in a few words.
type Summary struct {
	Verdict  tallystick.Verdict `json:"verdict"` // the gate's
	Headline string             `json:"headline"`
	Findings []Finding          `json:"findings"` // what matters most first
}

// Finding is one sentence of the summary.
type Finding struct {
	// Area is data, performance, calibration, fairness, drift, windows, slices, leakage, or the
	// first part of a gate rule's id for what only the gate looks at.
	Area    string             `json:"area"`
	Verdict tallystick.Verdict `json:"verdict,omitempty"` // none for what is told and not judged
	// Rule is the id of the blocking gate rule that this finding stops, if it stops one.
	Rule  string `json:"rule,omitempty"`
	Words string `json:"words"`
}

// Baseline sets the audited performance against a stated minimum, a champion's report, or the
// reference with its labels.
type Baseline struct {
	Source  string                   `json:"source"` // champion, reference
	Name    string                   `json:"name"`
	Metrics []performance.Comparison `json:"metrics"`
}

// Windowing says how rows were cut into windows.
type Windowing struct {
	By       string `json:"by"` // time or rows
	Column   string `json:"column,omitempty"`
	Duration string `json:"duration,omitempty"`
	Rows     int64  `json:"rows,omitempty"`
	Baseline string `json:"baseline"` // what the performance of a window is compared with
}

// Window is the audit of one slice of time or of consecutive rows.
type Window struct {
	Index    int    `json:"index"`
	Label    string `json:"label"`
	From     string `json:"from"` // RFC 3339, or the first row
	To       string `json:"to"`   // exclusive
	Rows     int64  `json:"rows"`
	Labelled int64  `json:"labelled_rows"`

	Performance        *performance.Performance `json:"performance,omitempty"`
	Comparisons        []performance.Comparison `json:"comparisons,omitempty"`
	PerformanceVerdict tallystick.Verdict       `json:"performance_verdict,omitempty"` // none where there is nothing to compare with
	Drift              *drift.Drift             `json:"drift,omitempty"`
	Quality            []quality.Issue          `json:"quality,omitempty"`
	// Verdict is the first of these that a part of the window has: fail, warn, insufficient,
	// inconclusive, pass.
	Verdict tallystick.Verdict `json:"verdict"`
	// Unsettled names the parts that could not be judged: metrics, performance, or drift.
	Unsettled []string `json:"unsettled,omitempty"`
	Words     string   `json:"words"`
}

// Criteria says which thresholds were fixed, and whether before the data was first audited.
type Criteria struct {
	Committed  bool              `json:"committed"`
	Digest     tallystick.Digest `json:"digest,omitempty"`
	EventID    string            `json:"event_id,omitempty"`
	Sequence   uint64            `json:"sequence,omitempty"`
	At         *time.Time        `json:"at,omitempty"`
	FirstAudit uint64            `json:"first_audit_sequence,omitempty"` // of this data digest; 0 if this is the first
	Before     bool              `json:"before_first_audit"`
	Words      string            `json:"words"` // with what it cannot show
}
