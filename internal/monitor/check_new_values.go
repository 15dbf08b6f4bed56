package monitor

import (
	"context"
	"fmt"
	"math"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/drift"
	"github.com/tallystick/tallystick/internal/figure"
	"github.com/tallystick/tallystick/internal/stat"
	"github.com/tallystick/tallystick/internal/window"
	"github.com/tallystick/tallystick/internal/yamldoc"
)

// newValuesCheck judges values of categories that the reference never had.
type newValuesCheck struct{ Limits }

func newNewValuesCheck() *newValuesCheck {
	return &newValuesCheck{Limits{Warn: 0, Fail: 0.01, Origin: ofDefault}}
}

func (*newValuesCheck) about() About {
	return About{
		Key: "new_values", Default: true,
		Method: "share of values that the reference never had, lower end of the 99 % exact interval",
		Fails:  "above 1 %; above 0: `warn`",
		Why:    "a new value is a broken contract until somebody says otherwise",
	}
}

func (c *newValuesCheck) decode(d decoder) yamldoc.Decode { return d.limits(&c.Limits) }

func (c *newValuesCheck) begin(context.Context, *subject) (*look, error) {
	return &look{feature: func(f *facts, moved *drift.Feature) []Row {
		if moved.Kind != window.KindCategory {
			return nil
		}
		return []Row{c.row(f, moved)}
	}}, nil
}

func (c *newValuesCheck) row(f *facts, moved *drift.Feature) Row {
	r := Row{
		Check: "new_values", Subject: moved.Name, Role: moved.Role, Method: "new-values/2: share of values that the reference does not have, lower end of its 99 % exact interval", N: moved.N, Against: moved.NReference,
		Measure: "share", Value: moved.UnseenShare, Threshold: number(c.Fail), Warn: number(c.Warn), Origin: c.Origin,
	}
	if f.few(moved.N) || !moved.UnseenShare.Valid() {
		r.Verdict, r.Words = tallystick.Insufficient, fmt.Sprintf("%s: too few rows, or too many values, to tell new ones.", moved.Name)
		return r
	}
	is := stat.Proportion{K: int64(math.Round(float64(moved.UnseenShare) * float64(moved.N))), N: moved.N}
	f.rare(&r, is, c.Limits)
	if r.Value = moved.UnseenShare; is.K == 0 {
		r.Words = moved.Name + " has no new values."
		return r
	}
	r.Words = fmt.Sprintf("%s has values that the reference never had, in %s of rows", moved.Name, figure.Percent(is.Rate()))
	if len(moved.UnseenExamples) > 0 {
		r.Words += ", such as " + strings.Join(moved.UnseenExamples, ", ")
	}
	r.Words += "."
	return r
}
