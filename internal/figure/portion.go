package figure

import (
	"fmt"

	"github.com/tallystick/tallystick/internal/stat"
)

// Portion is k of n, with the interval of the share.
type Portion struct {
	K    int64    `json:"k"`
	N    int64    `json:"n"`
	Rate *float64 `json:"rate,omitempty" doc:"absent if n is 0"`
	Low  *float64 `json:"low,omitempty" doc:"lower bound of the Wilson interval at 95 %"`
	High *float64 `json:"high,omitempty" doc:"upper bound"`
}

// NewPortion returns k of n.
func NewPortion(k, n int64) Portion {
	p := Portion{K: k, N: n}
	if n > 0 {
		of := stat.Proportion{K: k, N: n}
		i := of.Wilson(stat.Confidence)
		p.Rate, p.Low, p.High = new(of.Rate()), new(i.Low), new(i.High)
	}
	return p
}

// Words tells a portion in words.
func (p Portion) Words() string {
	if p.Rate == nil {
		return "0 of 0"
	}
	is := Share(stat.Number(*p.Rate), stat.Interval{Low: *p.Low, High: *p.High})
	return fmt.Sprintf("%d of %d, %s at 95 %%", p.K, p.N, is)
}
