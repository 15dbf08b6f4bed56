package monitor

import (
	"context"
	"fmt"
	"math"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/drift"
	"github.com/tallystick/tallystick/internal/figure"
	"github.com/tallystick/tallystick/internal/stat"
	"github.com/tallystick/tallystick/internal/yamldoc"
)

// missingCheck judges whether more values are missing, NaN or infinite than in the reference: surely more, and by more
// than matters.
type missingCheck struct{ Limits }

func newMissingCheck() *missingCheck {
	return &missingCheck{Limits{Warn: 0.01, Fail: 0.05, Origin: ofDefault}}
}

func (*missingCheck) about() About {
	return About{
		Key: "missing", Default: true,
		Method: "rise of the share of missing, NaN and infinite values over the reference, 99 % Newcombe interval",
		Fails:  "its lower end is above 5 points; a sure rise of a point: `warn`",
		Why:    "a rise that is sure and small is the wear of pipelines",
	}
}

func (c *missingCheck) decode(d decoder) yamldoc.Decode { return d.limits(&c.Limits) }

func (c *missingCheck) begin(context.Context, *subject) (*look, error) {
	return &look{feature: func(f *facts, moved *drift.Feature) []Row { return []Row{c.row(f, moved)} }}, nil
}

func (c *missingCheck) row(f *facts, moved *drift.Feature) Row {
	r := Row{
		Check: "missing", Subject: moved.Name, Role: moved.Role, Method: "missing/1: rise of the share of missing, NaN and infinite values over the reference, 99 % Newcombe interval", N: moved.N, Against: moved.NReference,
		Measure: "rise of the share", Value: stat.Number(math.NaN()), Threshold: number(c.Fail), Warn: number(c.Warn), Origin: c.Origin, Verdict: tallystick.Pass,
	}
	if f.few(moved.N) || !moved.Missing.Valid() || !moved.MissingRef.Valid() {
		r.Verdict, r.Words = tallystick.Insufficient, fmt.Sprintf("%s: too few rows to judge how many are missing.", moved.Name)
		return r
	}
	now := stat.Proportion{K: int64(math.Round(float64(moved.Missing) * float64(moved.N))), N: moved.N}
	was := stat.Proportion{K: int64(math.Round(float64(moved.MissingRef) * float64(moved.NReference))), N: moved.NReference}
	rise, i := now.Rate()-was.Rate(), stat.Newcombe(now, was, confidence)
	r.Value, r.Low, r.High = stat.Number(rise), &i.Low, &i.High
	switch {
	case i.Low > c.Fail:
		r.Verdict = tallystick.Fail
	case i.Low > 0 && rise >= c.Warn:
		r.Verdict = tallystick.Warn
	}
	r.Words = fmt.Sprintf("%s is missing in %s of rows, in the reference in %s.", moved.Name, figure.Percent(now.Rate()), figure.Percent(was.Rate()))
	return r
}
