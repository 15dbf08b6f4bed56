package report

import (
	"strconv"
	"time"

	"github.com/tallystick/tallystick/internal/chart"
	"github.com/tallystick/tallystick/internal/figure"
	"github.com/tallystick/tallystick/internal/stat"
)

func count(n int64) string { return chart.Count(n) }

// pValue writes a p-value.
func pValue(p stat.Number) string {
	switch {
	case !p.Valid():
		return figure.None
	case p < 0.001:
		return "< 0.001"
	}
	return figure.Fixed(float64(p), 3)
}

func optional(v stat.Number, digits int) string { return figure.Fixed(float64(v), digits) }

func shareOnly(v stat.Number) string { return figure.Percent(float64(v)) }

func byteCount(n int64) string {
	units := []string{"bytes", "kB", "MB", "GB", "TB"}
	v, u := float64(n), 0
	for v >= 1000 && u < len(units)-1 {
		v, u = v/1000, u+1
	}
	if u == 0 {
		return count(n) + " bytes"
	}
	return strconv.FormatFloat(v, 'f', 1, 64) + " " + units[u]
}

func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }
