package monitor

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/figure"
	"github.com/tallystick/tallystick/internal/stat"
	"github.com/tallystick/tallystick/internal/window"
)

// Seen is what was counted of a window.
type Seen struct {
	Profile     *window.Profile // by the reference; nil: there is none
	Predictions int64
	Backfilled  int64
	Known       Known
	Before      bool    // whether there were predictions before the window
	Unserved    bool    // whether the monitor watches the champion, and there was none
	Removed     bool    // whether predictions of that time are not kept any more
	Failed      int64   // predictions that ended in an error or came too late
	Timed       int64   // predictions with a latency
	Slower      []int64 // of those, slower than each limit of the monitor
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
	j.Rows = append(j.Rows, d.telemetry(w, s))
	if s.Predictions > 0 {
		j.Rows = slices.Concat(j.Rows, d.volume(s), d.compared(s), d.latencies(s), d.failures(s))
	}
	var wrong []string
	for _, r := range j.Worst() {
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
	if j.Backfilled > 0 {
		words += fmt.Sprintf(" %d of %d predictions came on record after the window was due, until %s.", j.Backfilled, j.Predictions, j.Due.Format(time.RFC3339))
	}
	return words
}

// telemetry says whether there is anything to judge. Silence is never a pass.
func (d *Document) telemetry(w Window, s *Seen) Row {
	r := Row{Check: "telemetry", Method: "telemetry/1: predictions of the window, and whether there were any before", N: s.Predictions, Measure: "rows", Value: stat.Number(s.Predictions), Verdict: tallystick.Pass}
	switch {
	case s.Unserved:
		r.Verdict, r.Words = tallystick.Insufficient, fmt.Sprintf("No version of %s was champion in %s when the window began.", d.Model, d.Environment)
	case s.Removed:
		r.Verdict, r.Words = tallystick.Insufficient, fmt.Sprintf("Predictions from %s are not kept any more.", w)
	case s.Predictions > 0:
		r.Words = fmt.Sprintf("There are %d predictions.", s.Predictions)
	case s.Before:
		r.Verdict, r.Words = tallystick.Fail, fmt.Sprintf("There are no predictions from %s, and there were before.", w)
	default:
		r.Verdict, r.Words = tallystick.Insufficient, fmt.Sprintf("There are no predictions from %s, and none before.", w)
	}
	return r
}

func (d *Document) volume(s *Seen) []Row {
	v := d.Checks.Volume
	if v == (Volume{}) {
		return nil
	}
	r := Row{
		Check: "volume", Method: "volume/1: predictions of the window", N: s.Predictions, Measure: "rows", Value: stat.Number(s.Predictions), Origin: ofMonitor,
		Verdict: tallystick.Pass, Words: fmt.Sprintf("%d predictions are within the limits.", s.Predictions),
	}
	switch {
	case s.Predictions < v.Min:
		r.Verdict, r.Threshold, r.Words = tallystick.Fail, number(float64(v.Min)), fmt.Sprintf("%d predictions are fewer than %d.", s.Predictions, v.Min)
	case v.Max > 0 && s.Predictions > v.Max:
		r.Verdict, r.Threshold, r.Words = tallystick.Fail, number(float64(v.Max)), fmt.Sprintf("%d predictions are more than %d.", s.Predictions, v.Max)
	}
	return []Row{r}
}

// latencies judges the share of predictions that take longer than a limit: that p99 is at most a limit means that at
// most one in a hundred is slower. The interval decides, and one that crosses is inconclusive.
func (d *Document) latencies(s *Seen) (rows []Row) {
	for k, l := range d.Checks.Latency {
		may := l.May
		r := Row{
			Check: "latency", Subject: l.Quantile, Method: "latency/1: share of predictions slower than the limit, 99 % Wilson interval", N: s.Timed, Measure: "share",
			Threshold: number(may), Origin: ofMonitor,
		}
		d.share(&r, stat.Proportion{K: s.Slower[k], N: s.Timed}, may)
		if r.Verdict == tallystick.Insufficient {
			r.Words = fmt.Sprintf("Only %d predictions say how long they took.", s.Timed)
		} else {
			r.Words = fmt.Sprintf("%s of predictions took longer than %s; %s may.", figure.Percent(float64(r.Value)), l.Limit, figure.Percent(may))
		}
		rows = append(rows, r)
	}
	return rows
}

func (d *Document) failures(s *Seen) []Row {
	if d.Checks.Errors == nil {
		return nil
	}
	may := *d.Checks.Errors
	r := Row{
		Check: "errors", Method: "errors/1: share of predictions whose status is error or timeout, 99 % Wilson interval", N: s.Predictions, Measure: "share",
		Threshold: number(may), Origin: ofMonitor,
	}
	d.share(&r, stat.Proportion{K: s.Failed, N: s.Predictions}, may)
	if r.Words = fmt.Sprintf("%s of predictions failed; %s may.", figure.Percent(float64(r.Value)), figure.Percent(may)); r.Verdict == tallystick.Insufficient {
		r.Words = fmt.Sprintf("%d predictions are too few to judge how many fail.", s.Predictions)
	}
	return []Row{r}
}

// share judges a share that may be at most so high.
func (d *Document) share(r *Row, p stat.Proportion, most float64) {
	if p.N < d.Checks.Drift.MinRows {
		r.Value, r.Verdict = stat.Number(math.NaN()), tallystick.Insufficient
		return
	}
	i := p.Wilson(confidence)
	r.Value, r.Low, r.High = stat.Number(p.Rate()), &i.Low, &i.High
	switch {
	case i.Low > most:
		r.Verdict = tallystick.Fail
	case i.High <= most, most == 0 && p.K == 0: // no interval ends at nothing
		r.Verdict = tallystick.Pass
	default:
		r.Verdict = tallystick.Inconclusive
	}
}

func number(x float64) *float64 { return &x }
