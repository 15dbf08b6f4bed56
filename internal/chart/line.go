package chart

import (
	"fmt"
	"html/template"
	"math"
	"strconv"
	"strings"
)

// Line draws one value over windows, with its interval as a band, a baseline, limits and marks.
type Line struct {
	Header
	Points   []LinePoint
	Baseline *Limit // drawn dotted, with its name at the right
	Limits   []Limit
	Format   Format
	Height   float64 // 0 is 220
	FromZero bool    // the scale has 0, as counts and what is left of a whole ask: a height is then an amount
}

// LinePoint is the value of one window. A value that is not finite leaves a gap.
type LinePoint struct {
	Label     string
	Value     float64
	Low, High float64 // NaN without an interval
	Mark      Mark
	Tooltip   string
}

const maxPoints = 2000

// SVG draws the chart. Of more than 2,000 points it draws the last 2,000, and says so.
func (c Line) SVG() template.HTML {
	w, h := c.width(720), c.Height
	if h <= 0 {
		h = 220
	}
	cutOff := max(0, len(c.Points)-maxPoints)
	points := c.Points[cutOff:]
	var values []float64
	for _, p := range points {
		if finite(p.Value) {
			values = append(values, p.Value, p.Low, p.High)
		}
	}
	if _, _, ok := span(values...); !ok {
		return nothing(c.Header, w, h)
	}
	lines := c.Limits
	if c.Baseline != nil {
		lines = append([]Limit{*c.Baseline}, lines...)
	}
	right := 14.0
	for _, l := range lines {
		values = append(values, l.Value)
		right = max(right, min(textWidth(l.text(c.Format), fontSize)+14, w/4))
	}
	lo, hi, _ := span(values...)
	if c.FromZero {
		if lo, hi = min(lo, 0), max(hi, 0); lo == hi {
			hi = 1
		}
	}
	y := newScale(lo, hi, 5, c.Format)
	f := frame{left: y.widest() + 14, top: 26, right: w - right, bottom: h - 28}
	y = y.between(f.bottom, f.top)
	x := func(i int) float64 {
		return f.left + f.width()*(float64(i)+0.5)/float64(len(points))
	}

	d := newDrawing(w, h)
	d.yAxis(f, y)
	column := f.width() / float64(len(points))
	var labels []columnLabel
	var marks []Mark
	for i, p := range points {
		marks = append(marks, p.Mark)
		priority := 0
		if p.Mark == Bad || p.Mark == Caution {
			priority = 2 + int(p.Mark)
			d.rect(x(i)-column/2, f.top, column, f.height(), p.Mark.look().shade+` fill-opacity="0.09"`, "")
		}
		labels = append(labels, columnLabel{x: x(i), text: p.Label, priority: priority})
	}
	d.band(points, x, y)
	d.limits(lines, c.Baseline != nil, f, y, c.Format)
	d.run(points, x, y)
	for i, p := range points {
		if !finite(p.Value) {
			continue
		}
		r := 4.5
		if p.Mark == Plain || p.Mark == Good {
			r = min(3, max(1, column/3))
		}
		d.mark(p.Mark, x(i), y.at(p.Value), r, c.tooltip(p))
	}
	d.line(f.left, f.bottom, f.right, f.bottom, lineAxis)
	d.columnLabels(labels, f, max(60, min(140, f.width()/4)))
	d.key(f.right, 14, marks)
	if cutOff > 0 {
		d.text(f.left, 14, fmt.Sprintf("the last %s of %s windows", Count(maxPoints), Count(int64(len(c.Points)))), start, textMuted)
	}
	return d.svg(c.Header, c.describe(points))
}

func (c Line) tooltip(p LinePoint) string {
	if p.Tooltip != "" {
		return p.Tooltip
	}
	s := p.Label + ": " + Value(p.Value, c.Format)
	if finite(p.Low) && finite(p.High) {
		s += " [" + Value(p.Low, c.Format) + ", " + Value(p.High, c.Format) + "]"
	}
	if name := p.Mark.look().name; name != "" {
		s += ", " + name
	}
	return s
}

func (c Line) describe(points []LinePoint) string {
	var least, greatest LinePoint
	least.Value, greatest.Value = math.Inf(1), math.Inf(-1)
	n, bad := 0, 0
	for _, p := range points {
		if !finite(p.Value) {
			continue
		}
		n++
		if p.Value < least.Value {
			least = p
		}
		if p.Value > greatest.Value {
			greatest = p
		}
		if p.Mark == Bad {
			bad++
		}
	}
	return fmt.Sprintf("%d windows. Least %s in %s, greatest %s in %s. %d marked as failed.",
		n, Value(least.Value, c.Format), least.Label, Value(greatest.Value, c.Format), greatest.Label, bad)
}

// text is the name and value of a limit. Limits are chosen by people, so they are written with
// the digits that people wrote, as far as there are six.
func (l Limit) text(format Format) string {
	value := grouped(strconv.FormatFloat(l.Value, 'g', 6, 64))
	if format == Percent || !finite(l.Value) || math.Abs(l.Value) >= 1e6 {
		value = Value(l.Value, format)
	}
	return strings.TrimSpace(l.Name + " " + value)
}

// limits draws lines at the values, with names at the right that do not overlap.
func (d *drawing) limits(lines []Limit, firstIsBaseline bool, f frame, y scale, format Format) {
	last := math.Inf(-1)
	for i, l := range lines {
		if !finite(l.Value) {
			continue
		}
		p, t := lineLimit, textInk
		if i == 0 && firstIsBaseline {
			p, t = lineBaseline, textMuted
		}
		at := y.at(l.Value)
		d.line(f.left, at, f.right, at, p)
		text := at + 4
		if math.Abs(text-last) < 13 {
			if text = last - 13; at > last {
				text = last + 13
			}
		}
		d.label(f.right+6, text, d.width-f.right-8, l.text(format), start, t)
		last = text
	}
}

// band fills between the bounds of each run of points that have an interval.
func (d *drawing) band(points []LinePoint, x func(int) float64, y scale) {
	var upper, lower []point
	flush := func() {
		for i := len(lower) - 1; i >= 0; i-- {
			upper = append(upper, lower[i])
		}
		d.path(upper, true, fillBand)
		upper, lower = nil, nil
	}
	for i, p := range points {
		if !finite(p.Value) || !finite(p.Low) || !finite(p.High) {
			flush()
			continue
		}
		upper = append(upper, point{x(i), y.at(p.High)})
		lower = append(lower, point{x(i), y.at(p.Low)})
	}
	flush()
}

// run draws the line, broken where a value is missing.
func (d *drawing) run(points []LinePoint, x func(int) float64, y scale) {
	var run []point
	for i, p := range points {
		if !finite(p.Value) {
			d.path(run, false, lineCurrent)
			run = nil
			continue
		}
		run = append(run, point{x(i), y.at(p.Value)})
	}
	d.path(run, false, lineCurrent)
}
