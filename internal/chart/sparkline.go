package chart

import (
	"fmt"
	"html/template"
)

// Sparkline draws values the size of a word, without axes. Marked ones keep their shape.
type Sparkline struct {
	Header
	Points []LinePoint
	Format Format
	Height float64 // 0 is 22
}

// SVG draws the chart.
func (c Sparkline) SVG() template.HTML {
	w, h := c.width(120), c.Height
	if h <= 0 {
		h = 22
	}
	points := c.Points[max(0, len(c.Points)-maxPoints):]
	var values []float64
	for _, p := range points {
		values = append(values, p.Value)
	}
	lo, hi, ok := span(values...)
	if !ok {
		return nothing(c.Header, w, h)
	}
	if lo == hi {
		lo, hi = lo-1, hi+1
	}
	y := scale{lo: lo, hi: hi}.between(h-4.5, 4.5)
	x := func(i int) float64 { return 5 + (w-10)*(float64(i)+0.5)/float64(len(points)) }
	d := newDrawing(w, h)
	d.run(points, x, y)
	last := -1
	for i, p := range points {
		if !finite(p.Value) {
			continue
		}
		last = i
		if p.Mark == Bad || p.Mark == Caution {
			d.mark(p.Mark, x(i), y.at(p.Value), 3, "")
		}
	}
	d.mark(points[last].Mark, x(last), y.at(points[last].Value), 2.5, "")
	return d.svg(c.Header, fmt.Sprintf("%d values between %s and %s, the last %s.",
		len(points), Value(lo, c.Format), Value(hi, c.Format), Value(points[last].Value, c.Format)))
}
