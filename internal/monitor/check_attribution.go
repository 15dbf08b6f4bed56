package monitor

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/figure"
	"github.com/tallystick/tallystick/internal/outcome"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/query"
	"github.com/tallystick/tallystick/internal/stat"
	"github.com/tallystick/tallystick/internal/window"
	"github.com/tallystick/tallystick/internal/yamldoc"
)

// attributionCheck judges whether features contribute to predictions as much as they did before.
type attributionCheck struct {
	before bool // held against the window before, and not against the baseline
	warn   float64
	fail   float64
	origin string
}

func newAttributionCheck() *attributionCheck { return &attributionCheck{false, 0.05, 0.1, ofDefault} }

func (*attributionCheck) about() About {
	return About{
		Key:    "attribution",
		Method: "mean share of each feature in the absolute attributions of a prediction, Welch's test, Benjamini-Hochberg over features; of at most 10,000 rows each, those of smallest hash. Rank correlation of the shares, in words",
		Fails:  "a share changes significantly and its whole 95 % interval by more than `fail` (10 points); significantly and by `warn` (5 points): `warn`",
		Why:    "off: it needs attributions on record. `against: before` holds it against the window before. A model that decides by other features than before does so before its metrics show it",
	}
}

func (c *attributionCheck) decode(d decoder) yamldoc.Decode {
	return func(node *yaml.Node, path string) error {
		l := Limits{c.warn, c.fail, c.origin}
		var warn, fail *float64
		err := d.Mapping(node, path,
			yamldoc.Key("against", d.Choice(func(s string) { c.before = s == "before" }, "baseline", "before")),
			yamldoc.Key("warn", d.Share(&warn)), yamldoc.Key("fail", d.Share(&fail)),
		)
		if err != nil {
			return err
		}
		if warn != nil {
			l.Warn, l.Origin = *warn, ofMonitor
		}
		if fail != nil {
			l.Fail, l.Origin = *fail, ofMonitor
		}
		if l.Warn > l.Fail {
			return d.Errorf(node, "%s: warn %g is above fail %g", path, l.Warn, l.Fail).WithHint("state both")
		}
		c.warn, c.fail, c.origin = l.Warn, l.Fail, l.Origin
		return nil
	}
}

// Bounds of what is read for attributions.
const (
	maxAttributed = 10_000 // rows
	maxShares     = 500    // features
)

func (c *attributionCheck) begin(ctx context.Context, s *subject) (*look, error) {
	if s.reference == nil {
		return &look{compares: true}, nil
	}
	baseline, why, ok, err := s.baselineOf(ctx)
	name := "the reference"
	if c.before && err == nil {
		baseline, ok, name = s.selection, true, "the window before"
		baseline.From, baseline.To = s.document.WindowAt(s.window.From.Add(-time.Nanosecond)).From, s.window.From
		err = s.compares(ctx, baseline)
	}
	if err != nil {
		return nil, err
	}
	if !ok {
		return &look{judge: func(*facts) []Row {
			return []Row{c.none("", 0, 0, "There is nothing to hold attributions against: "+why+".")}
		}}, nil
	}
	var features, columns []string
	for _, f := range s.reference.Features {
		if f.Role == window.RoleFeature && s.document.Checks.judged(&f) && len(features) < maxShares {
			features, columns = append(features, f.Name), append(columns, "a_"+f.Name)
		}
	}
	var sides [2]*outcome.Sample
	for i, selection := range []query.Selection{baseline, s.selection} {
		if sides[i], err = s.office.sample(ctx, selection, columns, maxAttributed, shares(len(features))); err != nil {
			return nil, err
		}
	}
	return &look{judge: func(f *facts) []Row { return c.rows(f, features, name, sides[0], sides[1]) }}, nil
}

// shares returns what makes shares of the absolute attributions of a prediction; nil of one that has none.
func shares(n int) func(func(int) prediction.Value) []float64 {
	return func(value func(int) prediction.Value) []float64 {
		row, sum := make([]float64, n), 0.0
		for i := range row {
			if x, _ := value(i).Float(); value(i).IsNumber() && x-x == 0 {
				row[i] = math.Abs(x)
				sum += row[i]
			}
		}
		if !(sum > 0) || math.IsInf(sum, 1) {
			return nil
		}
		for i := range row {
			row[i] /= sum
		}
		return row
	}
}

func (c *attributionCheck) none(subject string, n, against int64, words string) Row {
	return Row{
		Check: "attribution", Subject: subject, Method: "attribution/1: mean share of the absolute attributions of a prediction; Welch's test, 95 % interval", N: n, Against: against, Measure: "change of the share",
		Value: stat.Number(math.NaN()), Threshold: number(c.fail), Warn: number(c.warn), Origin: c.origin, Verdict: tallystick.Insufficient, Words: words,
	}
}

func (c *attributionCheck) rows(f *facts, features []string, name string, before, now *outcome.Sample) (rows []Row) {
	was, is := before.Columns(len(features)), now.Columns(len(features))
	if len(features) == 0 {
		return []Row{c.none("", 0, 0, "There are no features that could contribute.")}
	}
	n, against := int64(len(is[0])), int64(len(was[0]))
	if least := f.document.Checks.Drift.MinRows; n < least || against < least {
		return []Row{c.none("", n, against, fmt.Sprintf("%d predictions have attributions, in %s %d: too few to compare.", n, name, against))}
	}
	var ps []float64
	var from, to []stat.Moments
	for i := range features {
		from, to = append(from, stat.MomentsOf(was[i])), append(to, stat.MomentsOf(is[i]))
		ps = append(ps, stat.MeanDifferenceP(to[i], from[i]))
	}
	adjusted := stat.BenjaminiHochberg(ps)
	rank := fmt.Sprintf(" The order of features agrees with %s to %.2f (Spearman).", name, spearman(from, to))
	for i, feature := range features {
		d := stat.MeanDifference(to[i], from[i])
		r := c.none(feature, n, against, "")
		r.Role, r.P, r.Adjusted = window.RoleFeature, valid(stat.Number(ps[i])), valid(stat.Number(adjusted[i]))
		r.Value, r.Low, r.High, r.Verdict = stat.Number(d.Value), valid(stat.Number(d.Interval.Low)), valid(stat.Number(d.Interval.High)), tallystick.Pass
		sure := adjusted[i] <= f.document.Checks.Drift.Q
		switch {
		case sure && (d.Interval.Low > c.fail || d.Interval.High < -c.fail):
			r.Verdict = tallystick.Fail
		case sure && math.Abs(d.Value) >= c.warn:
			r.Verdict = tallystick.Warn
		}
		r.Words = fmt.Sprintf("%s makes %s of what contributes to a prediction, in %s %s.", feature, figure.Percent(to[i].Mean), name, figure.Percent(from[i].Mean))
		if r.Verdict != tallystick.Pass {
			r.Words += rank
		}
		rows = append(rows, r)
	}
	return rows
}

// spearman returns the rank correlation of two rows of means, ties having their middle rank.
func spearman(a, b []stat.Moments) float64 {
	x, y := ranks(a), ranks(b)
	mx, my := stat.MomentsOf(x), stat.MomentsOf(y)
	sum := 0.0
	for i := range x {
		sum += (x[i] - mx.Mean) * (y[i] - my.Mean)
	}
	return sum / math.Sqrt(mx.M2*my.M2)
}

func ranks(all []stat.Moments) []float64 {
	order := make([]int, len(all))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, k int) int { return cmp.Compare(all[i].Mean, all[k].Mean) })
	rank := make([]float64, len(all))
	for i := 0; i < len(order); {
		end := i
		for end < len(order) && all[order[end]].Mean == all[order[i]].Mean {
			end++
		}
		for _, k := range order[i:end] {
			rank[k] = float64(i+end-1) / 2
		}
		i = end
	}
	return rank
}
