package monitor

import (
	"context"
	"fmt"

	"go.yaml.in/yaml/v3"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/stat"
	"github.com/tallystick/tallystick/internal/yamldoc"
)

// volumeCheck bounds the number of predictions of a window; zero bounds nothing.
type volumeCheck struct{ min, max int64 }

func (*volumeCheck) about() About {
	return About{
		Key:    "volume",
		Needs:  "{min: 500}",
		Method: "predictions of the window",
		Fails:  "fewer or more than stated",
		Why:    "none: nobody else knows what is usual",
	}
}

func (v *volumeCheck) decode(d decoder) yamldoc.Decode {
	return func(node *yaml.Node, path string) error {
		var least, most *int64
		if err := d.Mapping(node, path, yamldoc.Key("min", d.Count(&least, 1)), yamldoc.Key("max", d.Count(&most, 1))); err != nil {
			return err
		}
		if least != nil {
			v.min = *least
		}
		if most != nil {
			v.max = *most
		}
		if v.max > 0 && v.min > v.max {
			return d.Errorf(node, "%s: min %d is above max %d", path, v.min, v.max)
		}
		return nil
	}
}

func (v *volumeCheck) begin(context.Context, *subject) (*look, error) {
	if *v == (volumeCheck{}) {
		return nil, nil
	}
	return &look{judge: func(f *facts) []Row { return []Row{v.judge(f.Predictions)} }}, nil
}

func (v *volumeCheck) judge(n int64) Row {
	r := Row{
		Check: "volume", Method: "volume/1: predictions of the window", N: n, Measure: "rows", Value: stat.Number(n), Origin: ofMonitor,
		Verdict: tallystick.Pass, Words: fmt.Sprintf("%d predictions are within the limits.", n),
	}
	switch {
	case n < v.min:
		r.Verdict, r.Threshold, r.Words = tallystick.Fail, number(float64(v.min)), fmt.Sprintf("%d predictions are fewer than %d.", n, v.min)
	case v.max > 0 && n > v.max:
		r.Verdict, r.Threshold, r.Words = tallystick.Fail, number(float64(v.max)), fmt.Sprintf("%d predictions are more than %d.", n, v.max)
	}
	return r
}
