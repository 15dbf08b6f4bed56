package monitor

import (
	"context"
	"fmt"
	"math"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/figure"
	"github.com/tallystick/tallystick/internal/performance"
	"github.com/tallystick/tallystick/internal/stat"
	"github.com/tallystick/tallystick/internal/yamldoc"
	"go.yaml.in/yaml/v3"
)

// calibrationCheck bounds how far scores may be from the shares of positive labels.
type calibrationCheck struct {
	ece    float64 // greatest expected calibration error, over ten bins of equal mass
	shift  float64 // greatest difference of the mean score and the share of positive labels
	origin string
}

func newCalibrationCheck() *calibrationCheck { return &calibrationCheck{0.05, 0.05, ofDefault} }

func (c *calibrationCheck) about() About {
	return About{
		Key: "calibration", Default: false,
		Method: "expected calibration error over ten bins of equal mass, and mean score minus share of positive labels, 95 % intervals",
		Fails:  "the interval lies above `max_ece` (5 %), or beyond `max_shift` (5 points) on either side",
		Why:    "off: many scores are no probabilities",
	}
}

func (c *calibrationCheck) begin(ctx context.Context, s *subject) (*look, error) {
	return s.labelled(ctx, c.rows)
}

func (c *calibrationCheck) decode(d decoder) yamldoc.Decode {
	return func(node *yaml.Node, path string) error {
		var ece, shift *float64
		if err := d.Mapping(node, path, yamldoc.Key("max_ece", d.Share(&ece)), yamldoc.Key("max_shift", d.Share(&shift))); err != nil {
			return err
		}
		if ece != nil {
			c.ece, c.origin = *ece, ofMonitor
		}
		if shift != nil {
			c.shift, c.origin = *shift, ofMonitor
		}
		return nil
	}
}

// calibrated are the rows of how well scores can be read as probabilities.
func (c *calibrationCheck) rows(t *Turned) []Row {
	const method = "calibration/1"
	if r := t.unready("calibration", method); r != nil {
		return []Row{*r}
	}
	none := func(words string) []Row {
		return []Row{{Check: "calibration", Method: method, Measure: "ece", Value: stat.Number(math.NaN()), Verdict: tallystick.Insufficient, Words: words}}
	}
	scores := t.Window.Scores()
	if t.Window.Reading.Task != performance.Binary || scores == nil {
		return none("There is no labelled score of a binary decision.")
	}
	is := performance.Calibrate(scores)
	if is.Skipped != "" {
		return none("Scores are not calibrated: they leave the range from 0 to 1.")
	}
	var rows []Row
	for _, m := range []struct {
		subject, measure, words string
		e                       *stat.Estimate
		most                    float64
		signed                  bool
	}{
		{"ece", "ece over ten bins of equal mass", "Scores are off by %s on average (95 %% interval %s)", is.ECEEqualMass, c.ece, false},
		{"in_the_large", "mean score minus share of positive labels", "The mean score is off the share of positive labels by %s (95 %% interval %s)", is.InTheLarge, c.shift, true},
	} {
		r := Row{Check: "calibration", Subject: m.subject, Method: method, N: is.N, Measure: m.measure, Value: stat.Number(math.NaN()), Threshold: number(m.most), Origin: c.origin, Verdict: tallystick.Insufficient}
		if m.e == nil || is.N < performance.MinRows {
			r.Words = fmt.Sprintf("%d labelled scores are too few to judge their calibration.", is.N)
			rows = append(rows, r)
			continue
		}
		r.Method += ": 95 % interval by " + m.e.Method
		r.Value, r.Low, r.High = stat.Number(m.e.Value), valid(stat.Number(m.e.Interval.Low)), valid(stat.Number(m.e.Interval.High))
		shown := figure.Share(stat.Number(m.e.Value), m.e.Interval)
		if m.signed {
			shown = figure.Points(stat.Number(m.e.Value), m.e.Interval)
			shown.Value += " points"
		}
		r.Words = fmt.Sprintf(m.words, shown.Value, shown.Spelt())
		r.Verdict = atMost(m.e.Interval, m.most)
		r.Words += fmt.Sprintf("; %s may be.", figure.Percent(m.most))
		rows = append(rows, r)
	}
	return rows
}

// atMost judges a value that may be so far from 0 on either side, by its whole interval.
func atMost(i stat.Interval, most float64) tallystick.Verdict {
	switch {
	case math.IsNaN(i.Low) || math.IsNaN(i.High):
		return tallystick.Insufficient
	case i.Low > most || i.High < -most:
		return tallystick.Fail
	case i.Low >= -most && i.High <= most:
		return tallystick.Pass
	}
	return tallystick.Inconclusive
}
