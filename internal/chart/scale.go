package chart

import (
	"math"
	"strconv"
	"strings"
)

// scale maps values from [lo, hi] to pixels from one end to the other.
type scale struct {
	lo, hi   float64
	from, to float64
	ticks    []float64
	decimals int
	format   Format
}

// newScale widens [lo, hi] to round ticks, about count of them.
func newScale(lo, hi float64, count int, format Format) scale {
	if lo == hi {
		pad := max(math.Abs(lo)*0.1, 0.5)
		lo, hi = lo-pad, hi+pad
	}
	step := niceStep(lo, hi, count)
	first, last := math.Floor(lo/step+1e-9), math.Ceil(hi/step-1e-9)
	if !finite(first*step) || !finite(last*step) || last-first > 50 {
		// The values are too far apart, or too close together at their size, for round steps.
		return scale{lo: lo, hi: hi, ticks: []float64{lo, hi}, decimals: -1, format: format}
	}
	s := scale{lo: first * step, hi: last * step, format: format}
	for i := first; i <= last; i++ {
		s.ticks = append(s.ticks, i*step)
	}
	unit := step
	if format == Percent {
		unit *= 100
	}
	s.decimals = max(0, int(-math.Floor(math.Log10(unit)+1e-9)))
	return s
}

// fixedScale keeps [lo, hi] and puts ticks at equal distances.
func fixedScale(lo, hi float64, count int, format Format) scale {
	s := newScale(lo, hi, count, format)
	s.lo, s.hi = lo, hi
	return s
}

// niceStep returns 1, 2 or 5 times a power of ten.
func niceStep(lo, hi float64, count int) float64 {
	raw := (hi/2 - lo/2) / float64(max(1, count)) * 2
	if !finite(raw) || raw <= 0 {
		return math.NaN()
	}
	power := math.Pow(10, math.Floor(math.Log10(raw)))
	switch f := raw / power; {
	case f <= 1.0000001:
		return power
	case f <= 2.0000001:
		return 2 * power
	case f <= 5.0000001:
		return 5 * power
	}
	return 10 * power
}

// between sets the pixels of lo and hi.
func (s scale) between(from, to float64) scale {
	s.from, s.to = from, to
	return s
}

// at returns the pixel of v, kept inside the scale.
func (s scale) at(v float64) float64 {
	share := (v/2 - s.lo/2) / (s.hi/2 - s.lo/2)
	return s.from + min(1, max(0, share))*(s.to-s.from)
}

// tick writes the label of a tick.
func (s scale) tick(v float64) string {
	if s.decimals < 0 || s.decimals > 6 || math.Abs(v) >= 1e9 {
		return Value(v, s.format)
	}
	if s.format == Percent {
		return grouped(strconv.FormatFloat(100*v, 'f', s.decimals, 64)) + " %"
	}
	return grouped(strconv.FormatFloat(v, 'f', s.decimals, 64))
}

// Value writes v for people: about three significant digits, thousands grouped.
func Value(v float64, format Format) string {
	switch {
	case !finite(v):
		return "–"
	case format == Percent:
		return grouped(significant(100*v, 1)) + " %"
	case v != 0 && (math.Abs(v) < 1e-4 || math.Abs(v) >= 1e9):
		return strconv.FormatFloat(v, 'g', 3, 64)
	}
	return grouped(significant(v, 3))
}

// significant writes v with at most decimals digits after the point, fewer for large numbers.
func significant(v float64, decimals int) string {
	switch a := math.Abs(v); {
	case a >= 100:
		decimals = 0
	case a >= 10:
		decimals = min(decimals, 1)
	case a != 0 && a < 0.01 && decimals >= 3:
		decimals = 4
	}
	if s := strconv.FormatFloat(v, 'f', decimals, 64); strings.Trim(s, "-0.") != "" {
		return s
	}
	return "0"
}

// Count writes n with its thousands grouped.
func Count(n int64) string { return grouped(strconv.FormatInt(n, 10)) }

// grouped puts a comma between the thousands of a decimal number.
func grouped(s string) string {
	sign := ""
	if strings.HasPrefix(s, "-") {
		sign, s = "−", s[1:]
	}
	whole, fraction, point := strings.Cut(s, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if point {
		whole += "." + fraction
	}
	if strings.Trim(whole, "0.") == "" {
		sign = ""
	}
	return sign + whole
}

// clear leaves out ticks whose label would be nearer than gap pixels to the one before.
func (s scale) clear(gap float64) []float64 {
	var kept []float64
	last := math.Inf(-1)
	for _, t := range s.ticks {
		if t < s.lo-1e-9*math.Abs(s.lo) || t > s.hi+1e-9*math.Abs(s.hi) {
			continue
		}
		half := textWidth(s.tick(t), fontSize) / 2
		if x := s.at(t); x-half >= last+gap {
			kept, last = append(kept, t), x+half
		}
	}
	return kept
}

// frame is the rectangle of a plot inside its picture.
type frame struct{ left, top, right, bottom float64 }

func (f frame) width() float64  { return f.right - f.left }
func (f frame) height() float64 { return f.bottom - f.top }

// yAxis draws horizontal grid lines with their values at the left.
func (d *drawing) yAxis(f frame, s scale) {
	for _, t := range s.ticks {
		y := s.at(t)
		d.line(f.left, y, f.right, y, lineGrid)
		d.text(f.left-7, y+4, s.tick(t), end, textMuted)
	}
}

// xAxis draws the bottom line with values below it.
func (d *drawing) xAxis(f frame, s scale) {
	d.line(f.left, f.bottom, f.right, f.bottom, lineAxis)
	for _, t := range s.clear(8) {
		x := s.at(t)
		d.line(x, f.bottom, x, f.bottom+4, lineAxis)
		d.text(x, f.bottom+16, s.tick(t), middle, textMuted)
	}
}

// widest returns the width of the widest tick label.
func (s scale) widest() float64 {
	w := 0.0
	for _, t := range s.ticks {
		w = max(w, textWidth(s.tick(t), fontSize))
	}
	return w
}
