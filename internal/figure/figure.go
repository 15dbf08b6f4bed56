// Package figure writes numbers for people, everywhere alike: a share in percent, a difference of
// shares in percentage points, and an estimate with the digits that its interval supports.
package figure

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/tallystick/tallystick/internal/chart"
	"github.com/tallystick/tallystick/internal/stat"
)

// None stands where a number would.
const None = "–"

// rates are the metrics that are shares of rows, and that people read in percent.
var rates = []string{"accuracy", "balanced_accuracy", "precision", "recall", "fpr", "fnr", "precision_at_k", "recall_at_k", "hit_rate", "coverage", "mape"}

func IsRate(metric string) bool { return slices.Contains(rates, metric) }

// Percent writes a share with one digit, or as many as it takes to tell it from 0 and from 1.
func Percent(share float64) string {
	if math.IsNaN(share) || math.IsInf(share, 0) {
		return None
	}
	v := 100 * share
	for digits := 1; digits <= 4; digits++ {
		s := strconv.FormatFloat(v, 'f', digits, 64)
		zero, whole := strings.Trim(s, "-0.") == "", strings.TrimRight(s, "0") == "100."
		if zero && v != 0 || whole && v != 100 {
			continue
		}
		if v == 0 || v == 100 {
			return strconv.FormatFloat(v, 'f', 0, 64) + " %"
		}
		return minus(s) + " %"
	}
	if v > 50 {
		return "> 99.9999 %"
	}
	return "< 0.0001 %"
}

func minus(s string) string {
	if rest, negative := strings.CutPrefix(s, "-"); negative {
		if strings.Trim(rest, "0.") == "" {
			return rest
		}
		return "−" + rest
	}
	return s
}

// Number writes a quantity of any size in about three digits.
func Number(v float64) string { return chart.Value(v, chart.Number) }

// Plain writes a number that people chose or that is a value of the data: the digits that it has,
// as far as there are five.
func Plain(v float64) string {
	if a := math.Abs(v); !(a < 1e9) || a != 0 && a < 1e-4 {
		return Number(v)
	}
	s := strconv.FormatFloat(v, 'f', max(0, 4-max(0, int(math.Floor(math.Log10(math.Abs(v)))))), 64)
	if v == 0 || math.Abs(v) < 1 {
		s = strconv.FormatFloat(v, 'g', 5, 64)
	}
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return grouped(s)
}

// grouped puts commas between the thousands of a decimal number, and a minus sign for its hyphen.
func grouped(s string) string {
	whole, fraction, point := strings.Cut(s, ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil {
		return s
	}
	sign := ""
	if n == 0 && strings.HasPrefix(whole, "-") {
		sign = "−"
	}
	if whole = sign + chart.Count(n); point {
		whole += "." + fraction
	}
	return whole
}

// decimals returns the digits after the point that show two significant digits of the interval's
// width: more would pretend, fewer would hide.
func decimals(i stat.Interval, least, most int) int {
	width := i.High - i.Low
	if !(width > 0) || math.IsInf(width, 0) {
		return most
	}
	return min(most, max(least, 1-int(math.Floor(math.Log10(width)))))
}

func Fixed(v float64, digits int) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return None
	}
	if a := math.Abs(v); a >= 1000 {
		return Number(v)
	}
	return minus(strconv.FormatFloat(v, 'f', digits, 64))
}

// interval writes [low, high], or nothing where there is none.
func interval(i stat.Interval, digits int) string {
	if math.IsNaN(i.Low) || math.IsNaN(i.High) {
		return ""
	}
	return "[" + Fixed(i.Low, digits) + ", " + Fixed(i.High, digits) + "]"
}

// Figure is a value with its interval, as they are shown.
type Figure struct{ Value, Interval string }

func (f Figure) String() string { return strings.TrimSpace(f.Value + " " + f.Interval) }

// Share writes a share and its interval in percent.
func Share(v stat.Number, i stat.Interval) Figure {
	if !v.Valid() {
		return Figure{Value: None}
	}
	i = stat.Interval{Low: 100 * i.Low, High: 100 * i.High}
	digits := decimals(i, 1, 2)
	if math.IsNaN(i.Low) || i.High == i.Low {
		digits = 1
	}
	return Figure{Fixed(100*float64(v), digits) + " %", interval(i, digits)}
}

// Points writes a difference of shares in percentage points, with its sign.
func Points(v stat.Number, i stat.Interval) Figure {
	f := Share(v, i)
	f.Value = strings.TrimSuffix(f.Value, " %")
	if v.Valid() && v > 0 {
		f.Value = "+" + f.Value
	}
	return f
}

// Estimate writes an estimate of the named metric.
func Estimate(metric string, e stat.Estimate) Figure {
	if !e.Valid() {
		return Figure{Value: None}
	}
	if IsRate(metric) {
		return Share(stat.Number(e.Value), e.Interval)
	}
	least, most := 0, 4
	if a := math.Abs(e.Value); a < 2 {
		least = 2
		if a >= 0.1 {
			most = 3
		}
	}
	digits := decimals(e.Interval, least, most)
	if math.IsNaN(e.Interval.Low) {
		digits = 3
	}
	return Figure{Fixed(e.Value, digits), interval(e.Interval, digits)}
}

// Difference writes a difference of two values of the named metric.
func Difference(metric string, e stat.Estimate) Figure {
	if IsRate(metric) {
		f := Points(stat.Number(e.Value), e.Interval)
		f.Value += " points"
		return f
	}
	f := Estimate(metric, e)
	if e.Valid() && e.Value > 0 {
		f.Value = "+" + f.Value
	}
	return f
}

// Brief writes the value of a metric without its interval, for sentences.
func Brief(metric string, e stat.Estimate) string {
	if IsRate(metric) {
		return Percent(e.Value)
	}
	if math.Abs(e.Value) < 10 {
		return Fixed(e.Value, 2)
	}
	return Number(e.Value)
}

// Spelt writes the interval as a sentence has it, "13.73 to 14.15"; nothing where there is none.
func (f Figure) Spelt() string {
	return strings.Replace(strings.Trim(f.Interval, "[]"), ", ", " to ", 1)
}

// Edges writes the borders between bins, which lie in rising order: three significant digits,
// whole numbers as they are, and more where neighbours would look alike.
func Edges(edges []float64) []string {
	written := make([]string, len(edges))
	for digits := 3; digits <= 17; digits++ {
		alike := false
		for i, x := range edges {
			written[i] = edge(x, digits)
			alike = alike || i > 0 && edges[i-1] != x && written[i] == written[i-1]
		}
		if !alike {
			break
		}
	}
	return written
}

// edge writes a number with so many significant digits, or, if it is whole and has no more than
// five, with all that it has.
func edge(x float64, digits int) string {
	if x == math.Trunc(x) && math.Abs(x) < 1e5 {
		digits = max(digits, 5)
	}
	if a := math.Abs(x); x != 0 && (a < 1e-4 || a >= 1e9) {
		return minus(strconv.FormatFloat(x, 'g', digits, 64))
	}
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(x, 'e', digits-1, 64), 64)
	if err != nil {
		rounded = x
	}
	return grouped(strconv.FormatFloat(rounded, 'f', -1, 64))
}
