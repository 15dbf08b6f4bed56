package monitor

import (
	"fmt"
	"math"

	"go.yaml.in/yaml/v3"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/figure"
	"github.com/tallystick/tallystick/internal/performance"
	"github.com/tallystick/tallystick/internal/query"
	"github.com/tallystick/tallystick/internal/stat"
	"github.com/tallystick/tallystick/internal/window"
)

// made returns the check of a type among those that a monitor makes, nil if it is off.
func made[C check](c *Checks) (is C) {
	for _, made := range c.made {
		if found, ok := made.(C); ok && c.on(made.about()) {
			return found
		}
	}
	return is
}

// sliced refuses slices that are to be judged by what the monitor does not look at.
func (c *Checks) sliced(d decoder, node *yaml.Node, path string) error {
	s := made[*slicesCheck](c)
	if s == nil {
		return nil
	}
	for _, need := range []struct {
		key, example string
		there        bool
	}{
		{byPerformance, "labels: {mature: 30d}", c.Labels != nil && made[*performanceCheck](c) != nil},
		{byLatency, "latency: {p99: 200ms}", made[*latencyCheck](c) != nil},
		{byErrors, "errors: {max: 1%}", made[*errorsCheck](c) != nil},
	} {
		if s.judges(need.key) && !need.there {
			return d.Errorf(node, "%s.slices.judge has %s, by which the monitor judges nothing", path, need.key).WithHint("write '%s' beside it", need.example)
		}
	}
	return nil
}

// parts are the slices that labels are read by.
func (c *Checks) parts(reference *window.Reference) []query.Condition {
	if s := made[*slicesCheck](c); s != nil && s.judges(byPerformance) {
		return s.slices(reference)
	}
	return nil
}

// sliceOf is the beginning of a row of a slice.
func sliceOf(slice, subject, method string, n int64) Row {
	return Row{Check: "slices", Slice: slice, Subject: subject, Method: method, N: n, Value: stat.Number(math.NaN()), Verdict: tallystick.Insufficient}
}

// limited holds the shares of slow and of failed predictions of each slice against the limits of all. An alarm needs the exact
// interval of the confidence 1-0.01/looks, of all shares that are judged together, so that many slices do not raise one by chance;
// a pass needs that of 99 %: that all hold is claimed only where each does.
func (c *slicesCheck) limited(f *facts, conditions []query.Condition) (rows []Row) {
	var shares []sliceShare
	for _, condition := range conditions {
		name, t := sliceName(condition), f.slices[condition.String()]
		if l := made[*latencyCheck](c.of); c.judges(byLatency) && l != nil {
			sums := l.sums()
			for i, limit := range l.limits {
				shares = append(shares, sliceShare{
					name, "latency " + limit.quantile, fmt.Sprintf("took longer than %s", limit.limit),
					stat.Proportion{K: t.Counts[f.sum(sums[i+1])], N: t.Counts[f.sum(sums[0])]}, limit.may,
				})
			}
		}
		if e := made[*errorsCheck](c.of); c.judges(byErrors) && e != nil {
			sums := e.sums()
			shares = append(shares, sliceShare{name, "errors", "failed", stat.Proportion{K: t.Counts[f.sum(sums[0])] + t.Counts[f.sum(sums[1])], N: t.Predictions}, *e.max})
		}
	}
	looks := 0
	for _, s := range shares {
		if s.of.N >= f.document.Checks.Drift.MinRows {
			looks++
		}
	}
	for _, s := range shares {
		rows = append(rows, s.row(f.document.Checks.Drift.MinRows, looks))
	}
	return rows
}

// sliceShare is a share of the predictions of a slice that may be at most so high.
type sliceShare struct {
	slice, subject, words string
	of                    stat.Proportion
	may                   float64
}

func (s *sliceShare) row(least int64, looks int) Row {
	alarm := 1 - (1-confidence)/float64(max(1, looks))
	r := sliceOf(s.slice, s.subject, fmt.Sprintf("slices/1: share of predictions, exact interval of %.6g %% for an alarm, of 99 %% for a pass", 100*alarm), s.of.N)
	r.Measure, r.Threshold, r.Origin = "share", number(s.may), ofMonitor
	if s.of.N < least {
		r.Words = fmt.Sprintf("Where %s: %d predictions are too few to judge how many %s.", s.slice, s.of.N, s.words)
		return r
	}
	sure, own := s.of.Exact(alarm), s.of.Exact(confidence)
	r.Value, r.Low, r.High, r.Verdict = stat.Number(s.of.Rate()), &sure.Low, &sure.High, tallystick.Inconclusive
	switch {
	case sure.Low > s.may:
		r.Verdict = tallystick.Fail
	case own.High <= s.may, s.may == 0 && s.of.K == 0:
		r.Verdict = tallystick.Pass
	}
	r.Words = fmt.Sprintf("Where %s: %s of %d predictions %s; %s may.", s.slice, figure.Percent(s.of.Rate()), s.of.N, s.words, figure.Percent(s.may))
	return r
}

// performed holds the metrics of each slice against their limits or, where they have none, against the same slice of the
// baseline. An alarm needs the interval of the confidence 1-0.05/looks, of all metrics of slices that are judged together.
func (c *slicesCheck) performed(f *facts, conditions []query.Condition) (rows []Row) {
	p := made[*performanceCheck](c.of)
	if !c.judges(byPerformance) || p == nil {
		return nil
	}
	t := f.turned
	if r := t.unready("slices", "slices/1: performance"); r != nil {
		r.Subject = byPerformance
		return []Row{*r}
	}
	type judged struct {
		slice   string
		p, base *performance.Performance
	}
	var all []judged
	looks := 0
	for i, condition := range conditions {
		name, part := sliceName(condition), t.Window.Part(i)
		is, err := part.Performance()
		covered := stat.Proportion{K: part.Labelled, N: part.Rows}
		r := sliceOf(name, byPerformance, "slices/1: performance", part.Labelled)
		r.Measure = "labels"
		switch {
		case err != nil:
			r.Words, _ = tallystick.Words(err)
		case is == nil || is.N < performance.MinRows:
			r.Words = fmt.Sprintf("Where %s: %d predictions with a label are too few to judge.", name, part.Labelled)
		case covered.Rate() < t.Labels.Coverage:
			r.Words = fmt.Sprintf("Where %s: only %d of %d predictions have a label, less than %s.", name, covered.K, covered.N, figure.Percent(t.Labels.Coverage))
		default:
			found := judged{slice: name, p: is}
			if t.Baseline != nil {
				found.base, _ = t.Baseline.Part(i).Performance() // nil where there is none, which against says
			}
			all, looks = append(all, found), looks+len(p.wanted(is.Task))
			continue
		}
		rows = append(rows, r)
	}
	for _, j := range all {
		for _, metric := range p.wanted(j.p.Task) {
			rows = append(rows, p.ofSlice(j.slice, metric, j.p, j.base, t.Of, looks))
		}
	}
	return rows
}

// ofSlice judges a metric of a slice.
func (c *performanceCheck) ofSlice(slice, metric string, p, base *performance.Performance, of string, looks int) Row {
	m, ok := p.Metric(short(metric))
	if !ok {
		r := sliceOf(slice, metric, "slices/1: performance", p.N)
		r.Measure, r.Words = metric, fmt.Sprintf("Where %s: %s is not known: %s.", slice, metric, p.WhyAbsent(short(metric)))
		return r
	}
	var r Row
	if limit := c.limit(metric); limit >= 0 {
		sure := m
		sure.Interval = widened(m.Estimate, looks)
		if r = within(metric, m, p, c.limits[limit]); r.Verdict == tallystick.Fail {
			r = within(metric, sure, p, c.limits[limit])
		}
		r.Method += fmt.Sprintf(", %.6g %% for an alarm", 100*(1-(1-stat.Confidence)/float64(looks)))
	} else {
		if base != nil {
			of = "the same slice of " + of
		}
		r = against(metric, m, p, base, of, looks)
	}
	r.Check, r.Slice, r.Method, r.Words = "slices", slice, "slices/1: "+r.Method, fmt.Sprintf("Where %s: %s", slice, r.Words)
	return r
}

// widened is the interval that 0.05/looks leave out, its halves stretched as those of a normal estimate are.
func widened(e stat.Estimate, looks int) stat.Interval {
	by := math.Erfinv(1-(1-stat.Confidence)/float64(max(1, looks))) / math.Erfinv(stat.Confidence)
	return stat.Interval{Low: e.Value - by*(e.Value-e.Interval.Low), High: e.Value + by*(e.Interval.High-e.Value)}
}
