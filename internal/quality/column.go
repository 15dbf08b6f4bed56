package quality

import (
	"math"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/stat"
	"github.com/tallystick/tallystick/internal/table"
)

// Result returns the profile of the rows so far and what is wrong with it.
func (p *Profiler) Result() Column {
	none := stat.Number(math.NaN())
	missing := stat.Proportion{K: p.null, N: p.n}
	c := Column{
		Name: p.cfg.Column.Name, Role: p.cfg.Role, Kind: string(p.cfg.Column.Kind), Physical: p.cfg.Column.Physical,
		N: p.n, Missing: p.null, MissingShare: stat.Number(missing.Rate()), MissingCI: missing.Wilson(stat.Confidence),
		NaN: p.nan, Inf: p.posInf + p.negInf, TopShare: none,
		Min: none, P05: none, Median: none, P95: none, Max: none, Mean: none, SD: none,
		MissingShareRef: none, UnseenShare: none, OutOfRangeShare: none,
	}
	c.Distinct, c.DistinctExact = p.distinct()
	c.Constant = c.Distinct == 1 && p.nan == 0 && p.n-p.null > 1
	switch p.cfg.Column.Kind {
	case table.Number:
		p.describeNumbers(&c)
	case table.Category:
		p.describeCategories(&c)
	case table.Time:
		if p.n > p.null {
			c.From, c.To = timestamp(p.first), timestamp(p.last)
		}
	}
	j := judge{p: p, c: &c}
	j.all()
	return c
}

func (p *Profiler) describeNumbers(c *Column) {
	if p.moments.N == 0 {
		return
	}
	q, relativeError := p.quantiles(0.05, 0.5, 0.95)
	c.P05, c.Median, c.P95, c.PercentileError = stat.Number(q[0]), stat.Number(q[1]), stat.Number(q[2]), relativeError
	c.Min, c.Max = stat.Number(p.moments.Min), stat.Number(p.moments.Max)
	c.Mean, c.SD = stat.Number(p.moments.Mean), stat.Number(math.Sqrt(p.moments.SampleVariance()))
}

func (p *Profiler) describeCategories(c *Column) {
	top := 0
	for code, count := range p.codes {
		if count > p.codes[top] {
			top = code
		}
	}
	if len(p.codes) == 0 || p.codes[top] == 0 {
		return
	}
	c.TopShare = stat.Number(stat.Proportion{K: p.codes[top], N: p.n - p.null}.Rate())
	c.TopValue = p.value(top)
}

// value returns the value of a code.
func (p *Profiler) value(code int) string {
	if values := p.cfg.Dictionary(); code < len(values) {
		return values[code]
	}
	return ""
}

// counts returns the rows of each value of a category.
func (p *Profiler) counts() map[string]int64 {
	values := p.cfg.Dictionary()
	counts := make(map[string]int64, len(p.codes))
	for code, count := range p.codes {
		if count > 0 && code < len(values) {
			counts[values[code]] += count
		}
	}
	return counts
}

func timestamp(ns int64) string { return time.Unix(0, ns).UTC().Format(time.RFC3339Nano) }

// add appends an issue and lowers the verdict.
func (c *Column) add(check string, verdict tallystick.Verdict, words string) {
	c.Issues = append(c.Issues, Issue{Check: check, Verdict: verdict, Words: words})
	c.Verdict = c.Verdict.Worse(verdict)
}
