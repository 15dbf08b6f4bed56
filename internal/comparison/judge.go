package comparison

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/figure"
	"github.com/tallystick/tallystick/internal/stat"
)

// Question says which versions are compared, and from when until when.
type Question struct {
	New, Old string
	From, To time.Time
	Split    float64 // share of predictions that the new version is to have; 0: that of the comparison
}

// routed is the p-value at which routing is not believed to be as intended: small, because nothing else is believed then.
const routed = 0.001

// maxTold bounds the slices that a judgement tells of.
const maxTold = 10

// judge ends the verdict of what was found.
func (d *Document) judge(q Question, known KnownOf, l *learnt, f *found) *VersionsJudgement {
	j := &VersionsJudgement{
		Schema: JudgementSchema, Comparison: d.Name, Document: tallystick.DigestOf(d.source), Model: d.Model, New: q.New, Old: q.Old, Environment: d.Environment,
		From: q.From.UTC(), To: q.To.UTC(), Known: known, Split: cmp.Or(q.Split, d.Split), Alpha: d.Alpha, Reasons: []string{}, Rows: []MetricRow{}, source: d.source,
	}
	j.Traffic = d.traffic(j.Split, f)
	unusable := d.unusable(j, f)
	if f.rows[newer] > 0 && f.rows[older] > 0 {
		w := &weigher{doc: d, learnt: l, windows: max(1, int(d.Longest/d.Width))}
		alphaMetric := d.Alpha / float64(len(d.Metrics))
		if len(l.slices) > 0 {
			alphaMetric /= 2 // the other half is for slices
		}
		for i := range d.Metrics {
			j.Rows = append(j.Rows, w.row(i, f, alphaMetric))
		}
		j.Slices, j.Judged = w.slices(f)
	}
	d.length(j, f)
	d.conclude(j, unusable)
	return j
}

func (d *Document) traffic(split float64, f *found) TrafficOf {
	t := TrafficOf{Unchecked: split == 0}
	for side, to := range []*SideOf{&t.New, &t.Old} {
		*to = SideOf{Predictions: f.rows[side], Matured: f.label[side].Mature, Labelled: f.label[side].Known}
		if f.rows[side] > 0 {
			to.Newest = new(f.newest[side].Time())
		}
	}
	if d.PairBy != "" {
		t.Pairs = &f.paired
	}
	if all := f.rows[newer] + f.rows[older]; all > 0 {
		t.Share = new(float64(f.rows[newer]) / float64(all))
		if split > 0 {
			t.ShareP = new(pOf(stat.SampleRatioE(f.rows[:], []float64{split, 1 - split})))
		}
	}
	return t
}

// pOf is the p-value of an e-value.
func pOf(e float64) float64 { return 1 / max(1, e) }

// unusable says why what was found cannot be a reason for anything, and what cannot be a reason to promote.
func (d *Document) unusable(j *VersionsJudgement, f *found) (reasons []string) {
	for side, version := range []string{j.New, j.Old} {
		if f.rows[side] == 0 {
			reasons = append(reasons, fmt.Sprintf("There are no predictions of %s@%s from %s to %s.", j.Model, version, stamp(j.From), stamp(j.To)))
			continue
		}
		if newest := f.newest[side].Time(); j.To.Sub(newest) > d.Stale {
			reasons = append(reasons, fmt.Sprintf("The newest prediction of %s@%s is of %s, more than %s before %s.", j.Model, version, stamp(newest), short(d.Stale), stamp(j.To)))
		}
	}
	if t := j.Traffic; t.ShareP != nil && *t.ShareP <= routed {
		reasons = append(reasons, fmt.Sprintf("%s of predictions are of %s, where %s were intended (p %.2g): whatever routes them chooses among them, or some are lost.",
			figure.Percent(*t.Share), j.New, figure.Percent(j.Split), *t.ShareP))
	}
	if d.PairBy != "" && len(reasons) == 0 && f.paired == 0 {
		reasons = append(reasons, fmt.Sprintf("No input was answered by both versions, as far as %s tells.", d.PairBy))
	}
	return reasons
}

// conclude ends the verdict. A rollback needs no more than harm: that predictions have stopped does not undo it. It needs
// a routing that is as intended, though.
func (d *Document) conclude(j *VersionsJudgement, unusable []string) {
	var harm, open, wanting []string
	progress := 1.0
	for i := range j.Rows {
		r := &j.Rows[i]
		switch {
		case r.Verdict == tallystick.Fail:
			harm = append(harm, r.Words)
		case r.Verdict == tallystick.Insufficient:
			wanting = append(wanting, r.Words)
		case r.Role == Primary && r.Verdict != tallystick.Pass:
			open = append(open, r.Words)
		}
		if r.Role == Primary {
			progress = min(progress, reached(r, d.Alpha))
		}
	}
	for i := range j.Slices {
		if j.Slices[i].Verdict == tallystick.Fail {
			harm = append(harm, j.Slices[i].Words)
		}
	}
	misrouted := j.Traffic.ShareP != nil && *j.Traffic.ShareP <= routed
	elapsed, longest := j.To.Sub(j.From), d.longest(j)
	switch {
	case len(harm) > 0 && !misrouted:
		j.Verdict, j.Reasons, progress = Rollback, harm, 0
	case len(unusable) > 0:
		j.Verdict, j.Reasons = Inconclusive, append(unusable, harm...)
	case len(wanting) == 0 && len(open) == 0:
		j.Verdict = Promote
		for i := range j.Rows {
			j.Reasons = append(j.Reasons, j.Rows[i].Words)
		}
	case elapsed >= longest:
		j.Verdict = Inconclusive
		j.Reasons = slices.Concat([]string{fmt.Sprintf("%s have passed, and it may take no more than %s.", short(elapsed), short(longest))}, wanting, open)
	default:
		j.Verdict, j.Reasons = Hold, slices.Concat(wanting, open)
	}
	if len(j.Rows) == 0 {
		progress = 0
	}
	j.Score = math.Round(100 * progress)
	if j.Verdict != Promote {
		j.Score = min(j.Score, 99)
	}
}

// reached is how far the evidence has come that a metric is not worse by the margin: 1 where it suffices.
func reached(r *MetricRow, alpha float64) float64 {
	if r.Verdict == tallystick.Pass {
		return 1
	}
	if r.Within == nil || r.Verdict != tallystick.Inconclusive {
		return 0
	}
	return max(0, min(0.99, math.Log(*r.Within)/math.Log(alpha)))
}

// minGroup is how many predictions of each version a group needs to be one.
const minGroup = 30
