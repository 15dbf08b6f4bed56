package quality

import (
	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/stat"
)

// Leak is a feature that predicts the label too well to be known before it.
type Leak struct {
	Column    string             `json:"column"`
	Statistic string             `json:"statistic"`
	Value     stat.Estimate      `json:"value"`
	Verdict   tallystick.Verdict `json:"verdict"`
	Words     string             `json:"words"`
}
