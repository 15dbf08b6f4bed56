package monitor

import (
	"context"
	"fmt"
	"math"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/figure"
	"github.com/tallystick/tallystick/internal/stat"
	"github.com/tallystick/tallystick/internal/yamldoc"
)

// stalenessCheck judges whether what comes in is of now: the newest prediction of the window, and the inputs.
type stalenessCheck struct {
	newest    time.Duration // how long before the end of the window the newest prediction may be; 0: any
	input     *staleInput
	unchanged *unchanged
}

// staleInput says where a prediction has the time of its input, and how long before the prediction that may be.
type staleInput struct {
	of  source
	age time.Duration
	max float64
}

func (*stalenessCheck) about() About {
	return About{
		Key:    "staleness",
		Needs:  "{newest: 15m}",
		Method: "`newest`: from the newest prediction to the end of the window. `input: {of, age, max}`: share of predictions whose input, by its own time, is older than `age`, 99 % exact interval. `unchanged: {features, for}`: parts of the window, each as long as `for`, in which a feature has one value",
		Fails:  "longer than `newest`; the interval lies above `max`, 1 % unless stated; one value in a part, and by chance less likely than 1 in a million for all parts together",
		Why:    "nobody else knows how old is old. Times are RFC 3339, or seconds, milliseconds or microseconds since 1970 by their size",
	}
}

func (c *stalenessCheck) decode(d decoder) yamldoc.Decode {
	return func(node *yaml.Node, path string) error {
		err := d.Mapping(node, path, yamldoc.Key("newest", d.Duration(&c.newest)), yamldoc.Key("input", c.decodeInput(d)), yamldoc.Key("unchanged", c.decodeUnchanged(d)))
		if err == nil && c.newest == 0 && c.input == nil && c.unchanged == nil {
			return d.Errorf(node, "%s does not say what is stale", path).WithHint("write {newest: 15m}, or {input: {of: updated_at, age: 24h}}")
		}
		return err
	}
}

func (c *stalenessCheck) decodeInput(d decoder) yamldoc.Decode {
	return func(node *yaml.Node, path string) error {
		var most *float64
		c.input = &staleInput{max: 0.01}
		err := d.Mapping(node, path, yamldoc.Key("of", d.source(&c.input.of)), yamldoc.Key("age", d.Duration(&c.input.age)), yamldoc.Key("max", d.Share(&most)))
		if most != nil {
			c.input.max = *most
		}
		if err == nil && (c.input.of.name == "" || c.input.age == 0) {
			return d.Errorf(node, "%s does not say of what, or how old", path).WithHint("write {of: updated_at, age: 24h}")
		}
		return err
	}
}

func (c *stalenessCheck) begin(_ context.Context, s *subject) (*look, error) {
	if c.newest == 0 && c.input == nil && c.unchanged == nil {
		return nil, nil
	}
	l := &look{columns: []string{"time"}}
	stuck := c.unchanged.begin(s)
	newest := int64(math.MinInt64)
	dated, old := int64(0), int64(0)
	if c.input != nil {
		l.columns = append(l.columns, c.input.of.column)
	}
	first := len(l.columns)
	for _, f := range stuck {
		l.columns = append(l.columns, f.of.column)
	}
	l.count = func(b block, at []int) {
		for i, f := range stuck {
			f.count(b, at[0], at[first+i])
		}
		for k := range b.Rows() {
			made := timeOf(b, at[0], k)
			newest = max(newest, made)
			if c.input == nil {
				continue
			}
			if of, ok := c.input.at(b, at[1], k); ok {
				dated++
				if made-of > c.input.age.Microseconds() {
					old++
				}
			}
		}
	}
	l.judge = func(f *facts) (rows []Row) {
		if c.newest > 0 {
			rows = append(rows, c.silence(f, s.window.To.Sub(time.UnixMicro(newest))))
		}
		if c.input != nil {
			rows = append(rows, c.input.row(f, stat.Proportion{K: old, N: dated}))
		}
		for _, of := range stuck {
			rows = append(rows, of.row(f))
		}
		return rows
	}
	return l, nil
}

// timeOf returns when a prediction was made, in microseconds since 1970.
func timeOf(b block, column, k int) int64 { return b.Value(column, k).Int() }

func (c *stalenessCheck) silence(f *facts, since time.Duration) Row {
	r := Row{
		Check: "staleness", Method: "staleness/1: from the newest prediction to the end of the window", N: f.Predictions, Measure: "seconds", Value: stat.Number(since.Seconds()),
		Threshold: number(c.newest.Seconds()), Origin: ofMonitor, Verdict: tallystick.Pass,
	}
	if since > c.newest {
		r.Verdict = tallystick.Fail
	}
	r.Words = fmt.Sprintf("The newest prediction is %s older than the end of the window; %s may be.", since.Round(time.Second), c.newest)
	return r
}

func (i *staleInput) row(f *facts, old stat.Proportion) Row {
	r := Row{
		Check: "staleness", Subject: i.of.name, Method: "staleness/2: share of predictions whose input is older than stated, 99 % exact interval", N: old.N, Measure: "share",
		Threshold: number(i.max), Origin: ofMonitor,
	}
	if f.share(&r, old, i.max); r.Verdict == tallystick.Insufficient {
		r.Words = fmt.Sprintf("Only %d predictions have a time as %s.", old.N, i.of.name)
	} else {
		r.Words = fmt.Sprintf("%s is more than %s before the prediction in %s; %s may.", i.of.name, i.age, figure.Percent(old.Rate()), figure.Percent(i.max))
	}
	return r
}

// at returns the time of an input in microseconds since 1970.
func (i *staleInput) at(b block, column, k int) (int64, bool) {
	if x, ok := i.of.number(b, column, k); ok {
		for _, perSecond := range []float64{1, 1e3, 1e6} { // of a time between 1971 and 2286 only one of them makes such a time
			if s := x / perSecond; 1e9/32 < s && s < 1e10 {
				return int64(s * 1e6), true
			}
		}
		return 0, false
	}
	at, err := time.Parse(time.RFC3339, i.of.text(b, column, k))
	return at.UnixMicro(), err == nil
}
