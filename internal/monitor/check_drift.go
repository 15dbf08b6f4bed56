package monitor

import (
	"context"

	"go.yaml.in/yaml/v3"

	"github.com/tallystick/tallystick/internal/drift"
	"github.com/tallystick/tallystick/internal/yamldoc"
)

// driftCheck compares scores, outputs and features with the reference.
type driftCheck struct{ thresholds *drift.Thresholds }

func (*driftCheck) about() About {
	return About{
		Key: "drift", Default: true,
		Method: "score, output and features by [two keys](#from-counts-to-a-verdict), Benjamini-Hochberg over the window's features",
		Fails:  "PSI >= 0.25, significant, a tenth of the rows moved",
		Why:    "rules with one key alarm in three of five windows of data that does not change. Score and output come first: what comes out tells best that something has changed",
	}
}

func (c *driftCheck) decode(d decoder) yamldoc.Decode {
	return func(node *yaml.Node, path string) error {
		const unbounded = 1e9
		th := c.thresholds
		var q, warnPSI, failPSI, warnW *float64
		err := d.Mapping(node, path,
			yamldoc.Key("q", d.Number(&q, 1e-9, 0.5)),
			yamldoc.Key("warn_psi", d.Number(&warnPSI, 0, unbounded)),
			yamldoc.Key("fail_psi", d.Number(&failPSI, 0, unbounded)),
			yamldoc.Key("warn_wasserstein_sd", d.Number(&warnW, 0, unbounded)),
		)
		if err != nil {
			return err
		}
		for _, set := range []struct{ from, to *float64 }{{q, &th.Q}, {warnPSI, &th.WarnPSI}, {failPSI, &th.FailPSI}, {warnW, &th.WarnWasserstein}} {
			if set.from != nil {
				*set.to, th.Origin = *set.from, ofMonitor
			}
		}
		if th.WarnPSI > th.FailPSI {
			return d.Errorf(node, "%s: warn_psi %g is above fail_psi %g", path, th.WarnPSI, th.FailPSI)
		}
		return nil
	}
}

func (c *driftCheck) begin(context.Context, *subject) (*look, error) {
	return &look{compares: true, judge: func(f *facts) (rows []Row) {
		moved := f.features()
		for i := range moved {
			rows = append(rows, c.row(moved[i]))
		}
		return rows
	}}, nil
}

func (c *driftCheck) row(f drift.Feature) Row {
	th := c.thresholds
	omitted := trim(&f)
	return Row{
		Check: "drift", Subject: f.Name, Role: f.Role, Method: "drift/1: " + f.Method, N: f.N, Against: f.NReference, P: valid(f.P), Adjusted: valid(f.PAdjusted),
		Measure: "psi", Value: f.PSI, Threshold: number(th.FailPSI), Warn: number(th.WarnPSI), Origin: th.Origin, Verdict: f.Verdict, Words: f.Words, Feature: &f, Omitted: omitted,
	}
}
