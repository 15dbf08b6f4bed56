package performance

import (
	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/stat"
)

// Slice is a part of the data in which the model does worse than elsewhere.
type Slice struct {
	Terms      []Term             `json:"terms"`
	N          int64              `json:"n"`
	Metric     string             `json:"metric"` // error rate, or mean absolute error
	Value      stat.Estimate      `json:"value"`
	Rest       stat.Estimate      `json:"rest"` // all other rows
	Difference stat.Estimate      `json:"difference"`
	PAdjusted  stat.Number        `json:"p_adjusted"` // Benjamini-Hochberg over all slices looked at
	Verdict    tallystick.Verdict `json:"verdict"`
	Words      string             `json:"words"`
}

// Term is one condition of a slice, such as age in (23, 26]. A range of numbers, whose value is written
// with few digits, has its exact ends beside it: it holds what is above from and at most to, and one
// that is left out has no end there. A category, and the rows in which a value is missing, have neither.
type Term struct {
	Column string   `json:"column"`
	Value  string   `json:"value"`
	From   *float64 `json:"from,omitempty"` // exclusive
	To     *float64 `json:"to,omitempty"`   // inclusive
}
