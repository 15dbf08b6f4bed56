package report

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tallystick/tallystick/internal/chart"
	"github.com/tallystick/tallystick/internal/stat"
)

// noValue stands where a number would.
const noValue = "–"

// rates are the metrics that are shares of rows, and that people read in percent.
var rates = []string{"accuracy", "balanced_accuracy", "precision", "recall", "fpr", "fnr", "precision_at_k", "recall_at_k", "hit_rate", "coverage", "mape"}

func isRate(metric string) bool { return slices.Contains(rates, metric) }

func count(n int64) string { return chart.Count(n) }

// percent writes a share with one digit, or as many as it takes to tell it from 0 and from 1.
func percent(share float64) string {
	if math.IsNaN(share) || math.IsInf(share, 0) {
		return noValue
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

// number writes a quantity of any size in about three digits.
func number(v float64) string { return chart.Value(v, chart.Number) }

// plain writes a number that people chose or that is a value of the data: the digits that it has,
// as far as there are five.
func plain(v float64) string {
	if a := math.Abs(v); !(a < 1e9) || a != 0 && a < 1e-4 {
		return number(v)
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
	if whole = sign + count(n); point {
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

func fixed(v float64, digits int) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return noValue
	}
	if a := math.Abs(v); a >= 1000 {
		return number(v)
	}
	return minus(strconv.FormatFloat(v, 'f', digits, 64))
}

// interval writes [low, high], or nothing where there is none.
func interval(i stat.Interval, digits int) string {
	if math.IsNaN(i.Low) || math.IsNaN(i.High) {
		return ""
	}
	return "[" + fixed(i.Low, digits) + ", " + fixed(i.High, digits) + "]"
}

// figure is a value with its interval, as they are shown.
type figure struct{ Value, Interval string }

func (f figure) String() string { return strings.TrimSpace(f.Value + " " + f.Interval) }

// share writes a share and its interval in percent.
func share(v stat.Number, i stat.Interval) figure {
	if !v.Valid() {
		return figure{Value: noValue}
	}
	i = stat.Interval{Low: 100 * i.Low, High: 100 * i.High}
	digits := decimals(i, 1, 2)
	if math.IsNaN(i.Low) || i.High == i.Low {
		digits = 1
	}
	return figure{fixed(100*float64(v), digits) + " %", interval(i, digits)}
}

// points writes a difference of shares in percentage points, with its sign.
func points(v stat.Number, i stat.Interval) figure {
	f := share(v, i)
	f.Value = strings.TrimSuffix(f.Value, " %")
	if v.Valid() && v > 0 {
		f.Value = "+" + f.Value
	}
	return f
}

// estimate writes an estimate of the named metric.
func estimate(metric string, e stat.Estimate) figure {
	if !e.Valid() {
		return figure{Value: noValue}
	}
	if isRate(metric) {
		return share(stat.Number(e.Value), e.Interval)
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
	return figure{fixed(e.Value, digits), interval(e.Interval, digits)}
}

// difference writes a difference of two values of the named metric.
func difference(metric string, e stat.Estimate) figure {
	if isRate(metric) {
		f := points(stat.Number(e.Value), e.Interval)
		f.Value += " points"
		return f
	}
	f := estimate(metric, e)
	if e.Valid() && e.Value > 0 {
		f.Value = "+" + f.Value
	}
	return f
}

// brief writes the value of a metric without its interval, for sentences.
func brief(metric string, e stat.Estimate) string {
	if isRate(metric) {
		return percent(e.Value)
	}
	if math.Abs(e.Value) < 10 {
		return fixed(e.Value, 2)
	}
	return number(e.Value)
}

// pValue writes a p-value.
func pValue(p stat.Number) string {
	switch {
	case !p.Valid():
		return noValue
	case p < 0.001:
		return "< 0.001"
	}
	return fixed(float64(p), 3)
}

func optional(v stat.Number, digits int) string { return fixed(float64(v), digits) }

func shareOnly(v stat.Number) string { return percent(float64(v)) }

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
