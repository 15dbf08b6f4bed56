package monitor

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/figure"
	"github.com/tallystick/tallystick/internal/outcome"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/query"
	"github.com/tallystick/tallystick/internal/stat"
	"github.com/tallystick/tallystick/internal/yamldoc"
)

// decisionsCheck judges whether a version decides as usual: how often for what, and how often people overrule it, on the
// whole and in segments.
type decisionsCheck struct {
	by     []string // features, or version, or hour
	change float64
	origin string
}

func newDecisionsCheck() *decisionsCheck { return &decisionsCheck{nil, 0.1, ofDefault} }

func (*decisionsCheck) about() About {
	return About{
		Key:    "decisions",
		Method: "shares of decisions and of overrides, on the whole and in each segment of `by` (features, `version`, `hour` of the day), against the same segment of the baseline: Fisher's exact test (above 20,000 rows the z-test), Benjamini-Hochberg over all",
		Fails:  "significant, and the whole 95 % interval of the change beyond `min_change` (10 points); significant and as large: `warn`",
		Why:    "off: who states segments says where a change would be odd. Segments of fewer than 100 rows on either side are not judged",
	}
}

// The segments that are no features.
const (
	byVersion = "version"
	byHour    = "hour"
)

// Bounds of segments.
const (
	maxSegments    = 5
	minSegment     = 100 // rows on either side
	maxSegmentRows = 200 // rows of a judgement that passed
	exactly        = 20_000
)

func (c *decisionsCheck) decode(d decoder) yamldoc.Decode {
	return func(node *yaml.Node, path string) error {
		var change *float64
		if err := d.Mapping(node, path, yamldoc.Key("by", d.names(&c.by)), yamldoc.Key("min_change", d.Share(&change))); err != nil {
			return err
		}
		if len(c.by) > maxSegments {
			return d.Errorf(node, "%s.by names %d ways to make segments, at most %d are looked at", path, len(c.by), maxSegments)
		}
		if change != nil {
			c.change, c.origin = *change, ofMonitor
		}
		return nil
	}
}

// decisions counts those of a segment.
type decisions struct {
	rows, decided, overridden int64
	by                        map[string]int64 // decision
}

// segmentOf names a segment: the whole is that of no attribute.
type segmentOf struct{ attribute, value string }

func (s segmentOf) String() string {
	if s.attribute == "" {
		return ""
	}
	return s.attribute + " = " + s.value
}

func (c *decisionsCheck) begin(ctx context.Context, s *subject) (*look, error) {
	baseline, why, ok, err := s.baselineOf(ctx)
	if err != nil {
		return nil, err
	}
	if !ok {
		return &look{judge: func(*facts) []Row {
			return []Row{c.none("There is nothing to hold decisions against: " + why + ".")}
		}}, nil
	}
	reading := s.reading()
	var sides [2]map[segmentOf]*decisions
	for i, selection := range []query.Selection{baseline, s.selection} {
		if sides[i], err = c.count(ctx, s.office, selection, &reading); err != nil {
			return nil, err
		}
	}
	return &look{judge: func(f *facts) []Row { return c.rows(f, sides[0], sides[1]) }}, nil
}

// count counts decisions by segments, of an attribute at most outcome.MaxValues.
func (c *decisionsCheck) count(ctx context.Context, o *Office, s query.Selection, reading *outcome.Reading) (map[segmentOf]*decisions, error) {
	columns := []string{columnScore, columnOutput, "override_by"}
	for _, name := range c.by {
		switch name {
		case byVersion:
			columns = append(columns, "version")
		case byHour:
			columns = append(columns, "time")
		default:
			columns = append(columns, "f_"+name)
		}
	}
	all, values := map[segmentOf]*decisions{{}: {by: map[string]int64{}}}, map[string]int{}
	at := func(attribute string, v prediction.Value) *decisions {
		text := outcome.None
		switch {
		case attribute == byHour:
			text = fmt.Sprintf("%02d:00", prediction.Time(v.Int()).Time().UTC().Hour())
		case !v.IsNull():
			text = v.String()
		}
		key := segmentOf{attribute, text}
		if all[key] == nil && values[attribute] < outcome.MaxValues {
			values[attribute]++
			all[key] = &decisions{by: map[string]int64{}}
		}
		return all[key] // nil: too many values
	}
	for b, err := range o.config.Asker.Blocks(ctx, s, columns) {
		if err != nil {
			return nil, err
		}
		for k := range b.Rows() {
			decision, decided := reading.Decision(b.Value(0, k), b.Value(1, k))
			overridden := !b.Value(2, k).IsNull()
			all[segmentOf{}].add(decision, decided, overridden)
			for i, name := range c.by {
				if d := at(name, b.Value(3+i, k)); d != nil {
					d.add(decision, decided, overridden)
				}
			}
		}
	}
	return all, nil
}

// maxDecisions bounds the different decisions that are told apart.
const maxDecisions = 20

func (d *decisions) add(decision string, decided, overridden bool) {
	d.rows++
	if overridden {
		d.overridden++
	}
	if !decided {
		return
	}
	d.decided++
	if _, known := d.by[decision]; known || len(d.by) < maxDecisions {
		d.by[decision]++
	}
}

func (c *decisionsCheck) none(words string) Row {
	return Row{
		Check: "decisions", Method: "decisions/1: share of decisions; Fisher's exact test, 95 % Newcombe interval of the change", Measure: "change of the share", Value: stat.Number(math.NaN()),
		Threshold: number(c.change), Origin: c.origin, Verdict: tallystick.Insufficient, Words: words,
	}
}

func (c *decisionsCheck) rows(f *facts, before, now map[segmentOf]*decisions) (rows []Row) {
	order := slices.SortedFunc(maps.Keys(now), func(a, b segmentOf) int {
		return cmp.Or(cmp.Compare(slices.Index(c.by, a.attribute), slices.Index(c.by, b.attribute)), cmp.Compare(a.value, b.value))
	})
	small := 0
	var ps []float64
	for _, segment := range order {
		is, was := now[segment], before[segment]
		if was == nil && segment.attribute == byVersion {
			was = before[segmentOf{}] // a version that the baseline does not have decides as the others did
		}
		if was == nil || is.rows < minSegment || was.rows < minSegment {
			small++
			continue
		}
		made, ps2 := c.compare(segment, is, was)
		rows, ps = append(rows, made...), append(ps, ps2...)
	}
	if len(rows) == 0 {
		return []Row{c.none(fmt.Sprintf("%d decisions, and %d before, are too few to compare.", now[segmentOf{}].rows, before[segmentOf{}].rows))}
	}
	passed := 0
	for i, p := range stat.BenjaminiHochberg(ps) {
		r := &rows[i]
		r.Adjusted = number(p)
		sure := p <= f.document.Checks.Drift.Q
		switch {
		case sure && (*r.Low > c.change || *r.High < -c.change):
			r.Verdict = tallystick.Fail
		case sure && math.Abs(float64(r.Value)) >= c.change:
			r.Verdict = tallystick.Warn
		default:
			passed++
		}
	}
	if passed > maxSegmentRows {
		kept := 0
		rows = slices.DeleteFunc(rows, func(r Row) bool {
			if r.Verdict == tallystick.Pass {
				kept++
			}
			return r.Verdict == tallystick.Pass && kept > maxSegmentRows
		})
		rows[0].Words += fmt.Sprintf(" %d rows of segments that passed are left out.", passed-maxSegmentRows)
	}
	if small > 0 {
		rows[0].Words += fmt.Sprintf(" %d segments of fewer than %d rows are not judged.", small, minSegment)
	}
	return rows
}

// compare returns the rows of a segment, one for each decision and one for overrides, with their p-values.
func (c *decisionsCheck) compare(segment segmentOf, is, was *decisions) (rows []Row, ps []float64) {
	add := func(subject, what string, now, then stat.Proportion) {
		i := stat.Newcombe(now, then, stat.Confidence)
		p := different(now, then)
		r := c.none(fmt.Sprintf("%s%s in %s of %d predictions, in the baseline in %s.", where(segment), what, figure.Percent(now.Rate()), now.N, figure.Percent(then.Rate())))
		r.Subject, r.N, r.Against, r.P, r.Value, r.Low, r.High, r.Verdict = subject, now.N, then.N, number(p), stat.Number(now.Rate()-then.Rate()), &i.Low, &i.High, tallystick.Pass
		if s := segment.String(); s != "" {
			r.Subject += ", " + s
		}
		rows, ps = append(rows, r), append(ps, p)
	}
	if is.decided > 0 && was.decided > 0 {
		names := slices.Sorted(maps.Keys(is.by))
		for name := range was.by {
			if _, known := is.by[name]; !known {
				names = append(names, name)
			}
		}
		slices.Sort(names)
		if slices.Equal(names, []string{outcome.Negatively, outcome.Positively}) || len(names) == 1 && (names[0] == outcome.Negatively || names[0] == outcome.Positively) {
			names = []string{outcome.Positively} // the other says the same
		}
		for _, name := range names {
			add(name, "the decision is "+name, stat.Proportion{K: is.by[name], N: is.decided}, stat.Proportion{K: was.by[name], N: was.decided})
		}
	}
	if is.overridden+was.overridden > 0 {
		add("overridden", "people put another output in the place of the model's", stat.Proportion{K: is.overridden, N: is.rows}, stat.Proportion{K: was.overridden, N: was.rows})
	}
	return rows, ps
}

func where(s segmentOf) string {
	if s.attribute == "" {
		return "On the whole "
	}
	return "Where " + s.String() + ", "
}

// different returns the two-sided p-value of equal rates.
func different(p, q stat.Proportion) float64 {
	if p.N+q.N > exactly {
		_, value := stat.TwoProportionZ(p, q)
		return value
	}
	_, value := stat.FisherExact(p.K, p.N-p.K, q.K, q.N-q.K)
	return value
}
