package chart

import (
	"fmt"
	"html/template"
	"math"
)

// Dots draws groups as rows and rates as panels, each dot with its interval (a forest plot). In
// each panel the reference group's rate is a line and the accepted distance from it a pale strip.
type Dots struct {
	Header
	Rows   []DotRow
	Panels []Panel
	// Reference is the index of the reference row, or -1.
	Reference int
}

// DotRow is one group.
type DotRow struct {
	Label string
	Note  string // right of the label, for example the number of rows
}

// Panel is one rate.
type Panel struct {
	Title  string
	Dots   []Dot // one for each row
	Format Format
	// Gap is the accepted distance from the reference row's value; 0 draws no strip.
	Gap float64
	// Limits are upright lines at fixed values.
	Limits []Limit
}

// Dot is the value of one row in one panel. A value that is not finite is left out.
type Dot struct {
	Value, Low, High float64
	Mark             Mark
	Tooltip          string
	// Bounds are where the value of this row would begin to matter, drawn as short upright lines.
	Bounds []float64
}

// SVG draws the chart: of more than 200 rows the first 200, with a note.
func (c Dots) SVG() template.HTML {
	w := c.width(720)
	rows := c.Rows[:min(len(c.Rows), maxRows)]
	if len(rows) == 0 || !c.any(len(rows)) {
		return nothing(c.Header, w, 80)
	}
	labelWidth, noteWidth := 0.0, 0.0
	for _, r := range rows {
		labelWidth = max(labelWidth, textWidth(r.Label, fontSize)+2)
		noteWidth = max(noteWidth, textWidth(r.Note, fontSize))
	}
	labelWidth = min(labelWidth, w*0.3)
	noteWidth = min(noteWidth, w*0.12)
	left := labelWidth + noteWidth + 24
	top, pitch := 28.0, rowHeight+2
	bottom := top + pitch*float64(len(rows))
	d := newDrawing(w, bottom+42)
	for i, r := range rows {
		y := top + pitch*float64(i) + pitch/2
		if i%2 == 1 {
			d.rect(0, y-pitch/2, w, pitch, fillGrid+` fill-opacity="0.35"`, "")
		}
		ink := textInk
		if i == c.Reference {
			ink = textStrong
		}
		d.label(2, y+4, labelWidth, r.Label, start, ink)
		d.label(left-12, y+4, noteWidth, r.Note, end, textMuted)
	}
	var marks []Mark
	slot := (w - left) / float64(len(c.Panels))
	for i, p := range c.Panels {
		f := frame{left: left + slot*float64(i) + 16, right: left + slot*float64(i+1) - 22, top: top, bottom: bottom}
		d.label(f.left, 14, slot-8, p.Title, start, textStrong)
		marks = append(marks, d.panel(p, f, pitch, c.Reference, len(rows))...)
	}
	d.key(w-2, d.height-6, marks)
	if c.Reference >= 0 && c.Reference < len(rows) {
		d.line(3, d.height-10, 19, d.height-10, lineBaseline)
		d.label(25, d.height-6, w*0.6, "reference: "+rows[c.Reference].Label, start, textMuted)
	}
	if len(c.Rows) > maxRows {
		d.text(w/2, d.height-6, fmt.Sprintf("first %d of %s groups", maxRows, Count(int64(len(c.Rows)))), middle, textMuted)
	}
	return d.svg(c.Header, c.describe(rows))
}

// any reports whether there is anything to draw.
func (c Dots) any(rows int) bool {
	for _, p := range c.Panels {
		for _, dot := range p.Dots[:min(len(p.Dots), rows)] {
			if finite(dot.Value) {
				return true
			}
		}
	}
	return false
}

// panel draws one column of dots and returns their marks.
func (d *drawing) panel(p Panel, f frame, pitch float64, reference, rows int) []Mark {
	dots := p.Dots[:min(len(p.Dots), rows)]
	var values []float64
	for _, dot := range dots {
		if finite(dot.Value) {
			values = append(append(values, dot.Value, dot.Low, dot.High), dot.Bounds...)
		}
	}
	for _, l := range p.Limits {
		values = append(values, l.Value)
	}
	base := math.NaN()
	if reference >= 0 && reference < len(dots) {
		base = dots[reference].Value
	}
	lo, hi, ok := span(values...)
	if !ok {
		d.text((f.left+f.right)/2, (f.top+f.bottom)/2+4, "no data", middle, textMuted)
		return nil
	}
	x := newScale(lo, hi, 3, p.Format).between(f.left, f.right)
	if finite(base) && p.Gap > 0 {
		d.rect(x.at(base-p.Gap), f.top, x.at(base+p.Gap)-x.at(base-p.Gap), f.bottom-f.top, fillReference+` fill-opacity="0.28"`,
			"within "+Value(p.Gap, p.Format)+" of the reference")
	}
	for _, t := range x.ticks {
		d.line(x.at(t), f.top, x.at(t), f.bottom, lineGrid)
	}
	if finite(base) {
		d.line(x.at(base), f.top, x.at(base), f.bottom, lineBaseline)
	}
	d.topLimits(p.Limits, f, x, p.Format)
	d.xAxis(f, x)
	var marks []Mark
	for i, dot := range dots {
		if !finite(dot.Value) {
			continue
		}
		y := f.top + pitch*float64(i) + pitch/2
		for _, b := range dot.Bounds {
			if finite(b) {
				d.line(x.at(b), y-pitch/2+2, x.at(b), y+pitch/2-2, lineBound)
			}
		}
		if finite(dot.Low) && finite(dot.High) {
			d.line(x.at(dot.Low), y, x.at(dot.High), y, dot.Mark.look().line)
		}
		tooltip := dot.Tooltip
		if tooltip == "" {
			tooltip = fmt.Sprintf("%s [%s, %s]", Value(dot.Value, p.Format), Value(dot.Low, p.Format), Value(dot.High, p.Format))
		}
		d.mark(dot.Mark, x.at(dot.Value), y, 4, tooltip)
		marks = append(marks, dot.Mark)
	}
	return marks
}

func (c Dots) describe(rows []DotRow) string {
	s := fmt.Sprintf("%d groups.", len(rows))
	for _, p := range c.Panels {
		least, greatest := -1, -1
		for i, dot := range p.Dots[:min(len(p.Dots), len(rows))] {
			if !finite(dot.Value) {
				continue
			}
			if least < 0 || dot.Value < p.Dots[least].Value {
				least = i
			}
			if greatest < 0 || dot.Value > p.Dots[greatest].Value {
				greatest = i
			}
		}
		if least >= 0 {
			s += fmt.Sprintf(" %s: from %s (%s) to %s (%s).", p.Title,
				Value(p.Dots[least].Value, p.Format), rows[least].Label, Value(p.Dots[greatest].Value, p.Format), rows[greatest].Label)
		}
	}
	return s
}
