package monitor

import (
	"context"
	"fmt"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/stat"
	"github.com/tallystick/tallystick/internal/yamldoc"
)

// telemetryCheck says whether there is anything to judge. Silence is never a pass.
type telemetryCheck struct{}

func (telemetryCheck) about() About {
	return About{
		Key: "telemetry", Default: true, Always: true,
		Method: "predictions of the window",
		Fails:  "there are none, and there were before",
		Why:    "always on: silence is the commonest fault, and no window of it passes",
	}
}

func (telemetryCheck) decode(decoder) yamldoc.Decode { return nil }

func (telemetryCheck) begin(context.Context, *subject) (*look, error) {
	return &look{judge: func(f *facts) []Row { return []Row{f.telemetry()} }}, nil
}

func (f *facts) telemetry() Row {
	r := Row{Check: "telemetry", Method: "telemetry/1: predictions of the window, and whether there were any before", N: f.Predictions, Measure: "rows", Value: stat.Number(f.Predictions), Verdict: tallystick.Pass}
	switch {
	case f.Unserved:
		r.Verdict, r.Words = tallystick.Insufficient, fmt.Sprintf("No version of %s was champion in %s when the window began.", f.document.Model, f.document.Environment)
	case f.Removed:
		r.Verdict, r.Words = tallystick.Insufficient, fmt.Sprintf("Predictions from %s are not kept any more.", f.window)
	case f.Predictions > 0:
		r.Words = fmt.Sprintf("There are %d predictions.", f.Predictions)
	case f.Before:
		r.Verdict, r.Words = tallystick.Fail, fmt.Sprintf("There are no predictions from %s, and there were before.", f.window)
	default:
		r.Verdict, r.Words = tallystick.Insufficient, fmt.Sprintf("There are no predictions from %s, and none before.", f.window)
	}
	return r
}
