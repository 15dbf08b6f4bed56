package quality

import (
	"strconv"

	"github.com/tallystick/tallystick/internal/chart"
	"github.com/tallystick/tallystick/internal/figure"
)

func count(n int64) string { return chart.Count(n) }

func percent(share float64) string { return figure.Percent(share) }

// points writes a share or a difference of shares in percentage points.
func points(share float64) string { return number(100 * share) }

// number writes v with four significant digits and without an exponent unless it is far from one.
func number(v float64) string {
	s := strconv.FormatFloat(v, 'g', 4, 64)
	if short, err := strconv.ParseFloat(s, 64); err == nil && (short == 0 || short < 1e15 && short > 1e-6 || short > -1e15 && short < -1e-6) {
		return strconv.FormatFloat(short, 'f', -1, 64)
	}
	return s
}
