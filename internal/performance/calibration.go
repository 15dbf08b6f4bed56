package performance

import "github.com/tallystick/tallystick/internal/stat"

// Calibration says whether scores can be read as probabilities. ECE values are comparable only
// between equal Methods, because the binning decides them.
type Calibration struct {
	N int64 `json:"n"`
	// Skipped says why there is no calibration: the score is no probability, or there are no
	// labels. All else is then empty.
	Skipped string `json:"skipped,omitempty"`

	ECE          *stat.Estimate `json:"ece,omitempty"`            // ten bins of equal width
	ECEEqualMass *stat.Estimate `json:"ece_equal_mass,omitempty"` // ten bins of equal mass
	MCE          *stat.Estimate `json:"mce,omitempty"`            // largest gap of the equal-width bins
	InTheLarge   *stat.Estimate `json:"in_the_large,omitempty"`   // mean score minus observed rate
	Slope        *stat.Estimate `json:"slope,omitempty"`          // logistic recalibration; 1 is right
	Intercept    *stat.Estimate `json:"intercept,omitempty"`      // logistic recalibration; 0 is right

	Method string            `json:"method,omitempty"` // binning of Table
	Table  []Reliability     `json:"table,omitempty"`
	Groups []GroupCalibrated `json:"groups,omitempty"`
}

// Reliability is one bin of the reliability table: scores in (Low, High].
type Reliability struct {
	Low       float64       `json:"low"`
	High      float64       `json:"high"`
	N         int64         `json:"n"`
	MeanScore float64       `json:"mean_score"`
	Observed  stat.Estimate `json:"observed"`
}

// GroupCalibrated is the calibration within one group of a protected attribute.
type GroupCalibrated struct {
	Attribute string        `json:"attribute"`
	Value     string        `json:"value"`
	N         int64         `json:"n"`
	ECE       stat.Estimate `json:"ece"`
}
