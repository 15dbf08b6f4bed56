package performance

import (
	"math"

	"github.com/tallystick/tallystick/internal/stat"
)

// calibrationBins is the number of bins of both binnings.
const calibrationBins = 10

// Calibrate says how well scores agree with labels as probabilities.
func Calibrate(scores *Scores) *Calibration {
	c := &Calibration{N: scores.N()}
	switch {
	case scores.N() == 0:
		c.Skipped = "no labelled rows have a score"
		return c
	case !scores.probability:
		c.Skipped = notProbability
		return c
	}
	equalWidth := scores.equalWidth()
	fit := scores.recalibration()
	c.ECE, c.MCE = given(equalWidth.ECE()), given(equalWidth.MCE())
	if scores.Exact() { // the edges of bins of equal mass are known once all scores are
		sorted := scores.scored()
		c.ECEEqualMass = given(sorted.Reliability(sorted.EqualMassBins(calibrationBins)).ECE())
	}
	c.InTheLarge = given(scores.loss().InTheLarge())
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
func Within(attribute, value string, scores *Scores) GroupCalibrated {
	return GroupCalibrated{
		Attribute: attribute, Value: value, N: scores.N(),
		ECE: scores.equalWidth().ECE(),
	}
}
