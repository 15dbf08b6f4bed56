package monitor

import (
	"context"
	"fmt"
	"math"

	"go.yaml.in/yaml/v3"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/figure"
	"github.com/tallystick/tallystick/internal/stat"
	"github.com/tallystick/tallystick/internal/yamldoc"
)

// kpiCheck holds the means of figures of the business against limits.
type kpiCheck struct{ kpis []kpi }

type kpi struct {
	name     string
	of       source
	min, max *float64
}

// maxKPIs bounds the figures of a monitor.
const maxKPIs = 100

func (*kpiCheck) about() About {
	return About{
		Key:    "kpi",
		Needs:  "{basket: {of: extra.basket, min: 10}}",
		Method: "mean of a figure that predictions carry, each named by the monitor; 99 % interval (normal, n - 1 degrees)",
		Fails:  "the interval lies below `min` or above `max`; where it crosses one: `inconclusive`",
		Why:    "nobody else knows what the business wants",
	}
}

func (c *kpiCheck) decode(d decoder) yamldoc.Decode {
	return func(node *yaml.Node, path string) error {
		err := d.Entries(node, path, func(key, value *yaml.Node) error {
			k, at := kpi{name: key.Value}, d.Join(path, key.Value)
			limit := func(dst **float64) yamldoc.Decode { return d.Number(dst, -math.MaxFloat64, math.MaxFloat64) }
			err := d.Mapping(value, at, yamldoc.Key("of", d.source(&k.of)), yamldoc.Key("min", limit(&k.min)), yamldoc.Key("max", limit(&k.max)))
			switch {
			case err != nil:
				return err
			case k.of.name == "":
				return d.Errorf(value, "%s does not say where its figure is", at).WithHint("write of: extra.basket, or the name of a feature")
			case k.min == nil && k.max == nil:
				return d.Errorf(value, "%s has neither min nor max", at)
			case k.min != nil && k.max != nil && *k.min > *k.max:
				return d.Errorf(value, "%s: min %g is above max %g", at, *k.min, *k.max)
			}
			c.kpis = append(c.kpis, k)
			return nil
		})
		if err == nil && len(c.kpis) > maxKPIs {
			return d.Errorf(node, "%s has %d figures, the limit is %d", path, len(c.kpis), maxKPIs)
		}
		return err
	}
}

func (c *kpiCheck) begin(context.Context, *subject) (*look, error) {
	if len(c.kpis) == 0 {
		return nil, nil
	}
	l, means := &look{}, make([]stat.Moments, len(c.kpis))
	for _, k := range c.kpis {
		l.columns = append(l.columns, k.of.column)
	}
	l.count = func(b block, at []int) {
		for i := range c.kpis {
			for k := range b.Rows() {
				if x, ok := c.kpis[i].of.number(b, at[i], k); ok {
					means[i].Add(x)
				}
			}
		}
	}
	l.judge = func(f *facts) (rows []Row) {
		for i := range c.kpis {
			rows = append(rows, c.kpis[i].row(f, means[i]))
		}
		return rows
	}
	return l, nil
}

func (k *kpi) row(f *facts, m stat.Moments) Row {
	r := Row{
		Check: "kpi", Subject: k.name, Method: "kpi/1: mean of " + k.of.name + ", 99 % interval by the normal distribution", N: m.N, Measure: "mean", Value: stat.Number(math.NaN()),
		Origin: ofMonitor, Verdict: tallystick.Insufficient, Words: fmt.Sprintf("Only %d predictions have %s.", m.N, k.of.name),
	}
	if m.N < f.document.Checks.Drift.MinRows {
		return r
	}
	half := math.Sqrt2 * math.Erfinv(confidence) * math.Sqrt(m.SampleVariance()/float64(m.N))
	r.Value, r.Low, r.High = stat.Number(m.Mean), number(m.Mean-half), number(m.Mean+half)
	r.Verdict, r.Words = tallystick.Pass, fmt.Sprintf("%s is %s on average (%s to %s), within the limits.", k.name, figure.Plain(m.Mean), figure.Plain(*r.Low), figure.Plain(*r.High))
	for _, limit := range []struct {
		at    *float64
		sign  float64
		words string
	}{{k.min, 1, "below"}, {k.max, -1, "above"}} {
		if limit.at == nil || limit.sign*(m.Mean-*limit.at)-half >= 0 {
			continue
		}
		r.Threshold = limit.at
		if limit.sign*(m.Mean-*limit.at)+half < 0 {
			r.Verdict = tallystick.Fail
			r.Words = fmt.Sprintf("%s is %s on average (%s to %s), %s %s.", k.name, figure.Plain(m.Mean), figure.Plain(*r.Low), figure.Plain(*r.High), limit.words, figure.Plain(*limit.at))
			return r
		}
		r.Verdict = tallystick.Inconclusive
		r.Words = fmt.Sprintf("%s is %s on average (%s to %s): it cannot be told whether that is %s %s.", k.name, figure.Plain(m.Mean), figure.Plain(*r.Low), figure.Plain(*r.High), limit.words, figure.Plain(*limit.at))
	}
	return r
}
