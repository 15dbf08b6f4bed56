package monitor

import (
	"fmt"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/query"
	"github.com/tallystick/tallystick/internal/rollup"
	"github.com/tallystick/tallystick/internal/window"
)

// Seen is what was counted of a window.
type Seen struct {
	Profile     *window.Profile // by the reference; nil: there is none
	Predictions int64
	Backfilled  int64
	Known       Known
	Before      bool // whether there were predictions before the window
	Unserved    bool // whether the monitor watches the champion, and there was none
	Removed     bool // whether predictions of that time are not kept any more

	looks  looks
	turned *Turned                  // nil: no check asked how predictions turned out
	slices map[string]*rollup.Tally // of the checks that judge by slice, by condition
	sums   []query.Condition        // that tallies counted
}

// Judge ends the verdicts of a window. The version, if it is not empty, is the one whose predictions were counted.
func (d *Document) Judge(w Window, version string, s *Seen) *WindowJudgement {
	j := &WindowJudgement{
		Schema: JudgementSchema, Monitor: d.Name, Document: tallystick.DigestOf(d.source), Model: d.Model, Version: version, Environment: d.Environment,
		From: w.From.UTC(), To: w.To.UTC(), Due: d.due(w), Known: s.Known, Predictions: s.Predictions, Backfilled: s.Backfilled, Thresholds: d.Checks.Drift, removed: s.Removed,
	}
	if s.Profile != nil {
		j.Reference = s.Profile.Reference().Digest()
	}
	f := &facts{Seen: s, document: d, window: w}
	if s.turned != nil && s.turned.unready("", "") == nil {
		c := d.Checks.concept().wrong(s.turned)
		j.Labelled, j.Wrong = c.N, c.K
	}
	if s.Predictions > 0 {
		j.Rows = s.looks.judge(f)
	} else {
		j.Rows = []Row{f.telemetry()}
	}
	var wrong []string
	for _, r := range j.Worst() {
		if !r.Awaits.IsZero() {
			if j.Awaits.IsZero() || r.Awaits.Before(j.Awaits) {
				j.Awaits = r.Awaits
			}
			continue // what cannot be known yet does not hide what is
		}
		j.Verdict = j.Verdict.Worse(r.Verdict)
		if r.Verdict != tallystick.Pass && r.Verdict == j.Verdict {
			wrong = append(wrong, r.Words)
		}
	}
	j.Words = summary(j, wrong)
	return j
}

// settle is how long after they were acknowledged predictions are surely in segments.
const settle = time.Minute

// Due is when a window may be judged, but for what needs labels.
func (d *Document) Due(w Window) time.Time { return d.due(w) }

// due is when a window may be judged.
func (d *Document) due(w Window) time.Time { return w.To.Add(d.Delay + settle).UTC() }

// maxTold bounds the rows that the words of a judgement repeat.
const maxTold = 3

func summary(j *WindowJudgement, wrong []string) string {
	words := fmt.Sprintf("%d predictions, every check passed.", j.Predictions)
	if len(wrong) > 0 {
		words = strings.Join(wrong[:min(len(wrong), maxTold)], " ")
		if more := len(wrong) - maxTold; more > 0 {
			words += fmt.Sprintf(" And %d more.", more)
		}
	}
	if !j.Awaits.IsZero() {
		words += fmt.Sprintf(" What needs labels is judged on %s.", j.Awaits.Format(time.RFC3339))
	}
	if j.Backfilled > 0 {
		words += fmt.Sprintf(" %d of %d predictions came on record after the window was due, until %s.", j.Backfilled, j.Predictions, j.Due.Format(time.RFC3339))
	}
	return words
}
