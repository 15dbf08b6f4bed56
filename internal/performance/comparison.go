package performance

import (
	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/stat"
)

// Comparison is one metric against its baseline value.
type Comparison struct {
	Metric     string             `json:"metric"`
	Value      stat.Estimate      `json:"value"`
	Baseline   stat.Estimate      `json:"baseline"`
	Difference stat.Estimate      `json:"difference"`
	Verdict    tallystick.Verdict `json:"verdict"`
	Words      string             `json:"words"`
}
