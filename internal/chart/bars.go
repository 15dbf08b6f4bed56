package chart

import (
	"fmt"
	"html/template"
	"math"
)

// Bars draws one horizontal bar for each row, such as PSI for each feature, with limits.
type Bars struct {
	Header
	Rows   []Bar
	Limits []Limit
	Format Format
}

// Bar is one row. A value that is not finite draws no bar and says so.
type Bar struct {
	Label   string
	Value   float64
	Mark    Mark
	Tooltip string
}

const (
	maxRows   = 200
	rowHeight = 20.0
)

// SVG draws the chart: of more than 200 rows the first 200, with a note.
func (c Bars) SVG() template.HTML {
	w := c.width(720)
	rows := c.Rows[:min(len(c.Rows), maxRows)]
	values := []float64{0}
	labelWidth := 0.0
	finites := 0
	for _, r := range rows {
		if finite(r.Value) {
			finites++
		}
		values = append(values, r.Value)
		labelWidth = max(labelWidth, textWidth(r.Label, fontSize))
	}
	if finites == 0 {
		return nothing(c.Header, w, 80)
	}
	for _, l := range c.Limits {
		values = append(values, l.Value)
	}
	labelWidth = min(labelWidth, w*0.3)
	lo, hi, _ := span(values...)
	f := frame{left: labelWidth + 12, top: 8, right: w - 84}
	if len(c.Limits) > 0 {
		f.top = 24
	}
	f.bottom = f.top + rowHeight*float64(len(rows))
	x := newScale(lo, hi, 6, c.Format).between(f.left, f.right)
	d := newDrawing(w, f.bottom+26)
	for _, t := range x.ticks {
		d.line(x.at(t), f.top, x.at(t), f.bottom, lineGrid)
	}
	for i, r := range rows {
		y := f.top + rowHeight*float64(i)
		d.label(f.left-8, y+14, labelWidth, r.Label, end, textInk)
		if !finite(r.Value) {
			d.text(f.left+6, y+14, "no value", start, textMuted)
			continue
		}
		from, to := x.at(0), x.at(r.Value)
		tooltip := r.Tooltip
		if tooltip == "" {
			tooltip = r.Label + ": " + Value(r.Value, c.Format)
		}
		d.rect(min(from, to), y+4, max(1, math.Abs(to-from)), rowHeight-8, r.Mark.look().shade, tooltip)
		text := max(from, to) + 8
		if r.Mark != Plain && r.Mark != Good {
			d.mark(r.Mark, text+3, y+10, 4, "")
			text += 13
		}
		d.text(text, y+14, Value(r.Value, c.Format), start, textInk)
	}
	d.topLimits(c.Limits, f, x, c.Format)
	d.xAxis(f, x)
	if len(c.Rows) > maxRows {
		d.text(w-4, f.bottom+16, fmt.Sprintf("and %s more", Count(int64(len(c.Rows)-maxRows))), end, textMuted)
	}
	return d.svg(c.Header, c.describe(rows))
}

func (c Bars) describe(rows []Bar) string {
	s := fmt.Sprintf("%d rows.", len(rows))
	top := -1
	for i, r := range rows {
		if finite(r.Value) && (top < 0 || r.Value > rows[top].Value) {
			top = i
		}
	}
	return s + fmt.Sprintf(" The greatest is %s with %s.", rows[top].Label, Value(rows[top].Value, c.Format))
}

// topLimits draws upright lines with their names above: over the line, else to its right, and
// left out where both overlap the name before.
func (d *drawing) topLimits(limits []Limit, f frame, x scale, format Format) {
	last := math.Inf(-1)
	for _, l := range limits {
		if !finite(l.Value) {
			continue
		}
		at := x.at(l.Value)
		d.line(at, f.top-6, at, f.bottom, lineLimit)
		name := l.text(format)
		width := textWidth(name, fontSize)
		from := min(max(at-width/2, 0), d.width-width)
		if from < last+8 {
			from = min(at-3, d.width-width)
		}
		if from >= last+8 {
			d.text(from, f.top-10, name, start, textMuted)
			last = from + width
		}
	}
}
