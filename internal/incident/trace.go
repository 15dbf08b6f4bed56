package incident

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/monitor"
)

// TraceSchema names the form of a trace.
const TraceSchema = "tallystick.incident.trace/1"

// Trace compares the bad window of an incident with the last good one, and says which of it speaks for and against which
// cause. It settles nothing: a person does, with what is named here.
type Trace struct {
	Schema   string       `json:"schema"`
	Incident string       `json:"incident"`
	Made     time.Time    `json:"made"`
	Bad      *BadWindow   `json:"bad,omitempty" doc:"the first bad window; absent: none was judged"`
	Good     *BadWindow   `json:"good,omitempty" doc:"the last good window before it; absent: there is none on record"`
	Clues    []Clue       `json:"clues" doc:"what was found, by cause"`
	Causes   []CauseClues `json:"causes" doc:"the causes with most for them and least against them first"`
	Words    string       `json:"words"`
	Missing  []string     `json:"missing,omitempty" doc:"what could not be compared, and why"`
}

// Clue is something that speaks for or against a cause.
type Clue struct {
	Cause    Cause             `json:"cause"`
	Against  bool              `json:"against,omitempty" doc:"it speaks against the cause"`
	Words    string            `json:"words"`
	Evidence tallystick.Digest `json:"evidence_digest,omitempty" doc:"of the document that shows it"`
	Event    uint64            `json:"event,omitempty" doc:"sequence of the event that shows it"`
}

// CauseClues counts what speaks for and against a cause.
type CauseClues struct {
	Cause   Cause `json:"cause"`
	For     int   `json:"for"`
	Against int   `json:"against"`
}

// tracer gathers clues.
type tracer struct {
	Trace
	brief *Brief
}

func (t *tracer) speaks(cause Cause, evidence tallystick.Digest, event uint64, format string, args ...any) {
	t.Clues = append(t.Clues, Clue{cause, false, fmt.Sprintf(format, args...), evidence, event})
}

func (t *tracer) against(cause Cause, evidence tallystick.Digest, event uint64, format string, args ...any) {
	t.Clues = append(t.Clues, Clue{cause, true, fmt.Sprintf(format, args...), evidence, event})
}

func (t *tracer) missing(format string, args ...any) {
	t.Missing = append(t.Missing, fmt.Sprintf(format, args...))
}

// Trace compares what the brief of an incident names. It reads documents by their digests, so that it finds the same later.
func (o *Office) Trace(ctx context.Context, i Incident) (*Trace, error) {
	b, err := o.Brief(ctx, i)
	if err != nil {
		return nil, err
	}
	t := &tracer{Trace: Trace{Schema: TraceSchema, Incident: i.ID, Made: o.config.Now().UTC().Truncate(time.Millisecond), Bad: b.First, Good: b.LastGood}, brief: b}
	if b.First == nil {
		t.missing("no bad window was judged: nothing tells what behaves differently")
	} else {
		bad, err := o.config.Monitors.Judgement(ctx, b.First.Judgement)
		if err != nil {
			return nil, fmt.Errorf("trace of incident %s: %w", i.ID, err)
		}
		t.rows(bad, b.First)
		t.records(bad, b.First)
		if b.LastGood == nil {
			t.missing("no good window before it is on record: nothing tells what changed")
		} else {
			good, err := o.config.Monitors.Judgement(ctx, b.LastGood.Judgement)
			if err != nil {
				return nil, fmt.Errorf("trace of incident %s: %w", i.ID, err)
			}
			t.measures(good, bad)
			if err := o.versions(ctx, t, good, bad); err != nil {
				return nil, err
			}
		}
	}
	t.changes()
	t.end()
	return &t.Trace, nil
}

// few is how many features move together at most where one of them may be broken, and many from which share of those that
// are judged on a population has changed.
const (
	few  = 2
	many = 1.0 / 3
)

// rows reads what failed in the bad window.
func (t *tracer) rows(j monitor.WindowJudgement, at *BadWindow) {
	t.read(j.Rows, at)
	t.usual(j.Rows, at)
	t.counts(j.Rows, at)
}

// counts says how many features moved, and whether what the model says did.
func (t *tracer) counts(rows []monitor.Row, at *BadWindow) {
	judged, moved, outputs, scored := 0, []string{}, []string{}, false
	for _, r := range rows {
		if r.Check != "drift" {
			continue
		}
		bad := r.Verdict == tallystick.Fail || r.Verdict == tallystick.Warn
		switch {
		case r.Role == "score" || r.Role == "output":
			if scored = true; bad {
				outputs = append(outputs, r.Subject)
			}
		case r.Verdict != tallystick.Insufficient:
			if judged++; bad {
				moved = append(moved, r.Subject)
			}
		}
	}
	switch n := len(moved); {
	case judged == 0:
		t.missing("no feature of the window was compared with a reference")
	case n == 0:
		t.against("data_drift", at.Judgement, at.Event, "none of %d features moved", judged)
		if len(outputs) > 0 {
			t.speaks("model", at.Judgement, at.Event, "%v moved, and none of the features that were compared did", outputs)
		}
	case n <= few:
		t.speaks("feature_bug", at.Judgement, at.Event, "%v moved, and %d other features did not", moved, judged-n)
	}
	if n := len(moved); judged > 0 && n > few && float64(n) >= many*float64(judged) {
		t.speaks("data_drift", at.Judgement, at.Event, "%d of %d features moved together", n, judged)
	} else if n > few {
		t.speaks("data_drift", at.Judgement, at.Event, "%d of %d features moved", n, judged)
	}
	if scored && len(outputs) == 0 && len(moved) > 0 {
		t.against("model", at.Judgement, at.Event, "features moved, and what the model says did not")
	}
}

// records looks whether the window was whole.
func (t *tracer) records(j monitor.WindowJudgement, at *BadWindow) {
	switch {
	case j.Predictions == 0:
		t.speaks("infrastructure", at.Judgement, at.Event, "there are no predictions in the window")
	case j.Backfilled > 0 && 2*j.Backfilled > j.Predictions:
		t.speaks("metric_flaw", at.Judgement, at.Event, "%d of %d predictions came on record after the window was due: it may not be whole", j.Backfilled, j.Predictions)
	}
}

// measures compares what the two windows were judged by.
func (t *tracer) measures(good, bad monitor.WindowJudgement) {
	switch {
	case good.Document != bad.Document:
		t.speaks("metric_flaw", bad.Document, 0, "the monitor was another one when the good window was judged: %s then, %s now", good.Document.Short(), bad.Document.Short())
	default:
		t.against("metric_flaw", bad.Document, 0, "both windows were judged by the same monitor, %s", bad.Document.Short())
	}
	switch {
	case good.Reference != bad.Reference:
		t.speaks("metric_flaw", bad.Reference, 0, "the windows were compared with different references: %s then, %s now", short(good.Reference), short(bad.Reference))
	case bad.Reference != "":
		t.against("metric_flaw", bad.Reference, 0, "both windows were compared with the same reference, %s", bad.Reference.Short())
	}
}

func short(d tallystick.Digest) string {
	if d == "" {
		return "none"
	}
	return d.Short()
}

// versions compares the versions of the two windows: their files, and then how they were made.
func (o *Office) versions(ctx context.Context, t *tracer, good, bad monitor.WindowJudgement) error {
	from, to := good.Version, bad.Version
	if from == "" || to == "" {
		if t.brief.Before == "" || t.brief.Version == "" {
			t.missing("the windows are of all versions together, and no other version is on record")
			return nil
		}
		from, to = t.brief.Before, t.brief.Version
		t.missing("the windows are of all versions together; %s and %s are those before and now", from, to)
	}
	if from == to {
		v, err := o.config.Catalog.Version(ctx, bad.Model, to)
		if err != nil {
			return err
		}
		t.against("release", v.Digest, v.First, "both windows are of version %s", to)
		if v.Digest != "" {
			t.against("model", v.Digest, v.First, "its files are the same, %s", v.Digest.Short())
		}
		return nil
	}
	d, err := o.config.Catalog.Diff(ctx, bad.Model+"@"+from, bad.Model+"@"+to)
	if err != nil {
		return err
	}
	t.speaks("release", "", 0, "the good window is of version %s, the bad one of %s: %s", from, to, d.Headline)
	for _, line := range d.Lines {
		switch line.Area {
		case catalog.DataArea, catalog.ColumnArea, catalog.CodeArea, catalog.ParameterArea, catalog.SeedArea, catalog.FileArea, catalog.ImageArea, catalog.LibraryArea, catalog.HardwareArea,
			catalog.SampleArea, catalog.CutoffArea:
			t.speaks("model", "", 0, "%s", line.Text)
		case catalog.ThresholdArea, catalog.MetricArea:
			t.speaks("metric_flaw", "", 0, "%s", line.Text)
		}
	}
	return nil
}

// changes looks at what was changed shortly before the first bad window was judged.
func (t *tracer) changes() {
	for _, c := range t.brief.Changes {
		cause := Cause("")
		switch {
		case c.Type == "reference.pinned", c.Type == "monitor.applied", c.Type == "monitor.removed":
			cause = "metric_flaw"
		case c.Type == "assignment.recorded", c.Type == "release.promoted", c.Type == "deployment.recorded":
			cause = "release"
		}
		if cause != "" && (t.Bad == nil || t.Good == nil || c.Sequence > t.Good.Event && c.Sequence < t.Bad.Event) && t.Bad != nil {
			t.speaks(cause, "", c.Sequence, "between the good and the bad window: %s", c.Words)
		}
	}
}

func (t *tracer) end() {
	counts := map[Cause]*CauseClues{}
	for _, c := range t.Clues {
		if counts[c.Cause] == nil {
			counts[c.Cause] = &CauseClues{Cause: c.Cause}
		}
		if c.Against {
			counts[c.Cause].Against++
		} else {
			counts[c.Cause].For++
		}
	}
	for _, cause := range Causes() {
		if n := counts[cause]; n != nil {
			t.Causes = append(t.Causes, *n)
		}
	}
	slices.SortStableFunc(t.Causes, func(a, b CauseClues) int {
		if (a.For > 0) != (b.For > 0) {
			return map[bool]int{true: -1, false: 1}[a.For > 0]
		}
		return (b.For - b.Against) - (a.For - a.Against)
	})
	slices.SortStableFunc(t.Clues, func(a, b Clue) int {
		return slices.IndexFunc(t.Causes, func(c CauseClues) bool { return c.Cause == a.Cause }) - slices.IndexFunc(t.Causes, func(c CauseClues) bool { return c.Cause == b.Cause })
	})
	switch {
	case len(t.Causes) == 0 || t.Causes[0].For == 0:
		t.Words = "Nothing on record speaks for a cause. That is no finding that there is none."
	case len(t.Causes) > 1 && t.Causes[1].For > 0:
		t.Words = fmt.Sprintf("What is on record speaks for %s (%d for, %d against), and for %s (%d for, %d against). A person settles it.",
			t.Causes[0].Cause.Words(), t.Causes[0].For, t.Causes[0].Against, t.Causes[1].Cause.Words(), t.Causes[1].For, t.Causes[1].Against)
	default:
		t.Words = fmt.Sprintf("What is on record speaks for %s (%d for, %d against). A person settles it.", t.Causes[0].Cause.Words(), t.Causes[0].For, t.Causes[0].Against)
	}
}

// Words names a cause for people.
func (c Cause) Words() string {
	return map[Cause]string{
		"data_drift": "a change of the data", "concept_drift": "a change of what is right for the same data", "feature_bug": "a fault in a feature", "metric_flaw": "a flaw of the measure",
		"model": "the model itself", "release": "the release", "infrastructure": "the infrastructure", "false_alarm": "a false alarm", "other": "something else",
	}[c]
}

// KeepTrace stores a trace and returns the change that adds it to the evidence, before anybody has said what the cause was.
func (o *Office) KeepTrace(ctx context.Context, t *Trace) (*EvidenceAdded, error) {
	data, err := json.Marshal(t)
	if err != nil {
		return nil, fmt.Errorf("trace of incident %s: %w", t.Incident, err)
	}
	digest, err := o.config.Evidence.Put(ctx, data)
	return &EvidenceAdded{Kind: "trace", Evidence: digest, Note: t.Words}, err
}
