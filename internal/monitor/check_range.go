package monitor

import (
	"context"
	"fmt"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/drift"
	"github.com/tallystick/tallystick/internal/figure"
	"github.com/tallystick/tallystick/internal/stat"
	"github.com/tallystick/tallystick/internal/window"
	"github.com/tallystick/tallystick/internal/yamldoc"
)

// rangeCheck judges numbers below the least or above the greatest of the reference.
type rangeCheck struct{ Limits }

func newRangeCheck() *rangeCheck {
	return &rangeCheck{Limits{Warn: 0.01, Fail: 0.05, Origin: ofDefault}}
}

func (*rangeCheck) about() About {
	return About{
		Key: "range", Default: true,
		Method: "share of numbers below the reference's least or above its greatest, lower end of the 99 % exact interval",
		Fails:  "above 5 %; above 1 %: `warn`",
		Why: "of n rows like the reference's N, 2 n / (N + 1) lie outside by chance, two in a thousand at the smallest reference; " +
			"a unit that changed or a broken sensor brings more. Limits that somebody knows are stated under `schema`",
	}
}

func (c *rangeCheck) decode(d decoder) yamldoc.Decode { return d.limits(&c.Limits) }

func (c *rangeCheck) begin(context.Context, *subject) (*look, error) {
	return &look{feature: func(f *facts, moved *drift.Feature) []Row {
		if moved.Kind != window.KindNumber {
			return nil
		}
		return []Row{c.row(f, moved)}
	}}, nil
}

func (c *rangeCheck) row(f *facts, moved *drift.Feature) Row {
	is := f.Profile.Number(f.place(moved))
	outside := stat.Proportion{K: is.Under + is.Over, N: is.N}
	r := Row{
		Check: "range", Subject: moved.Name, Role: moved.Role, Method: "range/2: share of numbers outside the reference's, lower end of its 99 % exact interval", N: is.N, Against: moved.NReference,
		Measure: "share", Value: stat.Number(outside.Rate()), Threshold: number(c.Fail), Warn: number(c.Warn), Origin: c.Origin,
	}
	if f.few(moved.N) || is.N == 0 {
		r.Verdict, r.Words = tallystick.Insufficient, fmt.Sprintf("%s: too few numbers to judge how many are out of range.", moved.Name)
		return r
	}
	if f.rare(&r, outside, c.Limits); outside.K == 0 {
		r.Words = moved.Name + " is within the range of the reference."
		return r
	}
	r.Words = fmt.Sprintf("%s is out of the range of the reference in %s of rows: %d below, %d above.", moved.Name, figure.Percent(outside.Rate()), is.Under, is.Over)
	return r
}
