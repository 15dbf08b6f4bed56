package monitor

import (
	"context"
	"fmt"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/figure"
	"github.com/tallystick/tallystick/internal/query"
	"github.com/tallystick/tallystick/internal/stat"
	"github.com/tallystick/tallystick/internal/yamldoc"
)

// latencyCheck judges the share of predictions that take longer than a limit: that p99 is at most a limit means that at
// most one in a hundred is slower.
type latencyCheck struct{ limits []latencyLimit }

// latencyLimit is the time in which a share of the predictions is to be made.
type latencyLimit struct {
	quantile string
	may      float64 // share of the predictions that may be slower
	limit    time.Duration
}

// latencyQuantiles are those that a limit can have.
func latencyQuantiles() []latencyLimit {
	return []latencyLimit{{"p50", 0.5, 0}, {"p90", 0.1, 0}, {"p95", 0.05, 0}, {"p99", 0.01, 0}, {"p99.9", 0.001, 0}}
}

const columnLatency = "latency_us"

func (*latencyCheck) about() About {
	return About{
		Key:    "latency",
		Needs:  "{p99: 200ms}",
		Method: "share of predictions slower than the limit (p99: at most 1 % may be), 99 % exact interval",
		Fails:  "the interval lies above",
		Why:    "none",
	}
}

func (c *latencyCheck) decode(d decoder) yamldoc.Decode {
	return func(node *yaml.Node, path string) error {
		var fields []yamldoc.Field
		for _, q := range latencyQuantiles() {
			fields = append(fields, yamldoc.Key(q.quantile, func(node *yaml.Node, path string) error {
				limit, err := time.ParseDuration(node.Value)
				if err != nil || limit < time.Microsecond || limit > day {
					return d.Errorf(node, "%s must be a time, not %s", path, yamldoc.KindOf(node)).WithHint("write 200ms or 1.5s")
				}
				q.limit = limit
				c.limits = append(c.limits, q)
				return nil
			}))
		}
		return d.Mapping(node, path, fields...)
	}
}

// sums are the predictions with a latency, and those that are slower than each limit.
func (c *latencyCheck) sums() (all []query.Condition) {
	if len(c.limits) == 0 {
		return nil
	}
	all = append(all, query.Known(columnLatency))
	for _, l := range c.limits {
		all = append(all, query.MoreThan(columnLatency, l.limit.Microseconds()))
	}
	return all
}

func (c *latencyCheck) begin(context.Context, *subject) (*look, error) {
	if len(c.limits) == 0 {
		return nil, nil
	}
	var timed int64
	var slower []int64
	return &look{
		summed: func(n []int64) { timed, slower = n[0], n[1:] },
		judge: func(f *facts) (rows []Row) {
			for i, l := range c.limits {
				rows = append(rows, l.row(f, stat.Proportion{K: slower[i], N: timed}))
			}
			return rows
		},
	}, nil
}

func (l *latencyLimit) row(f *facts, slower stat.Proportion) Row {
	r := Row{
		Check: "latency", Subject: l.quantile, Method: "latency/2: share of predictions slower than the limit, 99 % exact interval", N: slower.N, Measure: "share",
		Threshold: number(l.may), Origin: ofMonitor,
	}
	if f.share(&r, slower, l.may); r.Verdict == tallystick.Insufficient {
		r.Words = fmt.Sprintf("Only %d predictions say how long they took.", slower.N)
	} else {
		r.Words = fmt.Sprintf("%s of predictions took longer than %s; %s may.", figure.Percent(float64(r.Value)), l.limit, figure.Percent(l.may))
	}
	return r
}
