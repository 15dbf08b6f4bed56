package monitor

import (
	"context"
	"fmt"

	"go.yaml.in/yaml/v3"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/figure"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/query"
	"github.com/tallystick/tallystick/internal/stat"
	"github.com/tallystick/tallystick/internal/yamldoc"
)

// errorsCheck judges the share of predictions that fail.
type errorsCheck struct{ max *float64 }

const columnStatus = "status"

func (*errorsCheck) about() About {
	return About{
		Key:    "errors",
		Needs:  "{max: 1%}",
		Method: "share of predictions with the status `error` or `timeout`, 99 % exact interval",
		Fails:  "the interval lies above",
		Why:    "none",
	}
}

func (c *errorsCheck) decode(d decoder) yamldoc.Decode {
	return func(node *yaml.Node, path string) error {
		return d.Mapping(node, path, yamldoc.Key("max", d.Share(&c.max)))
	}
}

// sums are the predictions that ended in an error, and those that came too late.
func (c *errorsCheck) sums() []query.Condition {
	if c.max == nil {
		return nil
	}
	return []query.Condition{query.Equals(columnStatus, string(prediction.Failed)), query.Equals(columnStatus, string(prediction.TimedOut))}
}

func (c *errorsCheck) begin(context.Context, *subject) (*look, error) {
	if c.max == nil {
		return nil, nil
	}
	failed := int64(0)
	return &look{
		summed: func(n []int64) { failed = n[0] + n[1] },
		judge:  func(f *facts) []Row { return []Row{c.row(f, stat.Proportion{K: failed, N: f.Predictions})} },
	}, nil
}

func (c *errorsCheck) row(f *facts, failed stat.Proportion) Row {
	r := Row{
		Check: "errors", Method: "errors/2: share of predictions whose status is error or timeout, 99 % exact interval", N: failed.N, Measure: "share",
		Threshold: number(*c.max), Origin: ofMonitor,
	}
	f.share(&r, failed, *c.max)
	if r.Words = fmt.Sprintf("%s of predictions failed; %s may.", figure.Percent(float64(r.Value)), figure.Percent(*c.max)); r.Verdict == tallystick.Insufficient {
		r.Words = fmt.Sprintf("%d predictions are too few to judge how many fail.", failed.N)
	}
	return r
}
