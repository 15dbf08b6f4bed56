package contract

import (
	"strconv"
	"strings"
	"time"
)

// formatNumber writes v as briefly as it can be read back.
func formatNumber(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// quoted joins values for a message, at most ten of them.
func quoted(values []string) string {
	shown := make([]string, 0, 10)
	for _, v := range values[:min(10, len(values))] {
		shown = append(shown, strconv.Quote(v))
	}
	words := strings.Join(shown, ", ")
	if more := len(values) - len(shown); more > 0 {
		words += " and " + strconv.Itoa(more) + " more"
	}
	return words
}

// commas writes n with thousands separators.
func commas(n int64) string {
	s := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

// percent writes a share with three significant digits; what is not quite nothing or everything
// does not look as if it were.
func percent(share float64) string {
	p := strconv.FormatFloat(100*share, 'g', 3, 64)
	if share > 0.9995 && share < 1 {
		p = strconv.FormatFloat(100*share, 'f', -1, 64)
	}
	if v, err := strconv.ParseFloat(p, 64); err == nil {
		p = strconv.FormatFloat(v, 'f', -1, 64)
	}
	return p + " %"
}

// holds reports whether x lies within the bounds. NaN does not.
func (r Range) holds(x float64) bool {
	return x == x && (r.Min == nil || x >= *r.Min) && (r.Max == nil || x <= *r.Max)
}

func rangeWords(r Range) string { return boundsWords(r, formatNumber) }

func shareWords(r Range) string { return boundsWords(r, percent) }

func boundsWords(r Range, format func(float64) string) string {
	switch {
	case r.Min == nil:
		return "at most " + format(*r.Max)
	case r.Max == nil:
		return "at least " + format(*r.Min)
	}
	return format(*r.Min) + " to " + format(*r.Max)
}

// durationWords writes d in the largest unit that divides it.
func durationWords(d time.Duration) string {
	const day = 24 * time.Hour
	for _, unit := range []struct {
		size time.Duration
		name string
	}{{day, "d"}, {time.Hour, "h"}, {time.Minute, "m"}} {
		if d%unit.size == 0 {
			return strconv.FormatInt(int64(d/unit.size), 10) + unit.name
		}
	}
	return d.String()
}

// lower begins a title in the middle of a sentence.
func lower(title string) string { return strings.ToLower(title[:1]) + title[1:] }
