package performance

import (
	"math"

	"github.com/tallystick/tallystick/internal/stat"
)

// calibrationBins is the number of bins of both binnings.
const calibrationBins = 10

// Calibrate says how well scores agree with labels as probabilities.
func Calibrate(scores Scores) *Calibration {
	c := &Calibration{N: scores.N()}
	switch {
	case scores.N() == 0:
		c.Skipped = "no labelled rows have a score"
		return c
	case !scores.Probability:
		c.Skipped = notProbability
		return c
	}
	equalWidth := scores.Reliability(stat.EqualWidthBins(calibrationBins))
	fit := scores.Recalibration()
	c.ECE, c.MCE = given(equalWidth.ECE()), given(equalWidth.MCE())
	c.ECEEqualMass = given(scores.Reliability(scores.EqualMassBins(calibrationBins)).ECE())
	c.InTheLarge = given(scores.Losses().InTheLarge())
	c.Slope, c.Intercept = given(fit.Slope), given(fit.Intercept)
	c.Method = stat.EqualWidthBins(calibrationBins).Name
	for _, row := range equalWidth.Rows() {
		if math.IsNaN(row.MeanScore) {
			continue
		}
		c.Table = append(c.Table, Reliability{
			Low: row.Low, High: row.High, N: row.N, MeanScore: row.MeanScore, Observed: row.Observed,
		})
	}
	return c
}

// Within returns the calibration of one group's scores.
func Within(attribute, value string, scores Scores) GroupCalibrated {
	return GroupCalibrated{
		Attribute: attribute, Value: value, N: scores.N(),
		ECE: scores.Reliability(stat.EqualWidthBins(calibrationBins)).ECE(),
	}
}
