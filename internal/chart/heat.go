package chart

import (
	"fmt"
	"html/template"
)

// Heat draws features as rows and windows as columns. The ground of a cell tells its value, and a
// shape its status.
type Heat struct {
	Header
	Rows    []string
	Columns []string
	Cells   [][]Cell // [row][column]
	// Full is the value at which the ground is darkest; 0 takes the greatest value.
	Full   float64
	Format Format
}

// Cell is one value. A value that is not finite leaves the cell open.
type Cell struct {
	Value float64
	Mark  Mark
}

const maxColumns = 400

// SVG draws the chart: at most the first 200 rows and the last 400 columns, with a note.
func (c Heat) SVG() template.HTML {
	w := c.width(720)
	skip := max(0, len(c.Columns)-maxColumns)
	columns := c.Columns[skip:]
	rows := c.Rows[:min(len(c.Rows), len(c.Cells), maxRows)]
	full, filled := c.Full, 0
	labelWidth := 0.0
	for i, r := range rows {
		labelWidth = max(labelWidth, textWidth(r, fontSize)+2)
		for _, cell := range c.Cells[i] {
			if finite(cell.Value) {
				filled++
				if c.Full <= 0 {
					full = max(full, cell.Value)
				}
			}
		}
	}
	if len(columns) == 0 || filled == 0 {
		return nothing(c.Header, w, 80)
	}
	labelWidth = min(labelWidth, w*0.3)
	f := frame{left: labelWidth + 12, right: w - 14, top: 24}
	pitch := 17.0
	f.bottom = f.top + pitch*float64(len(rows))
	column := f.width() / float64(len(columns))
	gap := min(1, column*0.1)
	d := newDrawing(w, f.bottom+24)
	var marks []Mark
	flagged := make([]int, len(columns))
	for i, r := range rows {
		y := f.top + pitch*float64(i)
		d.label(f.left-8, y+12.5, labelWidth, r, end, textInk)
		cells := c.Cells[i][min(skip, len(c.Cells[i])):]
		for j, cell := range cells[:min(len(cells), len(columns))] {
			marks = append(marks, cell.Mark)
			if cell.Mark == Bad || cell.Mark == Caution {
				flagged[j]++
			}
			d.heatCell(f.left+column*float64(j)+gap/2, y+0.75, column-gap, pitch-1.5, cell, full,
				r+", "+columns[j]+": "+Value(cell.Value, c.Format))
		}
	}
	var labels []columnLabel
	for j, name := range columns {
		labels = append(labels, columnLabel{x: f.left + column*(float64(j)+0.5), text: name, priority: 2 * flagged[j]})
	}
	d.columnLabels(labels, f, max(60, min(140, f.width()/4)))
	d.key(f.right, 14, marks)
	if skip > 0 || len(c.Rows) > len(rows) {
		d.text(f.left, 14, fmt.Sprintf("%d of %s rows, the last %d of %s windows", len(rows), Count(int64(len(c.Rows))), len(columns), Count(int64(len(c.Columns)))), start, textMuted)
	}
	return d.svg(c.Header, c.describe(rows, columns, skip))
}

func (d *drawing) heatCell(x, y, width, height float64, cell Cell, full float64, tooltip string) {
	if !finite(cell.Value) {
		d.rect(x, y, width, height, fillGrid+` fill-opacity="0.35"`, tooltip)
		return
	}
	share := 0.0
	if full > 0 {
		share = min(1, max(0, cell.Value/full))
	}
	d.rect(x, y, width, height, cell.Mark.look().shade+paint(fmt.Sprintf(` fill-opacity="%s"`, coord(0.06+0.64*share))), tooltip)
	if cell.Mark == Caution || cell.Mark == Bad || cell.Mark == Unclear {
		d.mark(cell.Mark, x+width/2, y+height/2, min(3.5, max(1.2, width*0.3)), "")
	}
}

func (c Heat) describe(rows, columns []string, skip int) string {
	bad, top, where := 0, -1.0, ""
	for i, r := range rows {
		cells := c.Cells[i][min(skip, len(c.Cells[i])):]
		for j, cell := range cells[:min(len(cells), len(columns))] {
			if cell.Mark == Bad {
				bad++
			}
			if finite(cell.Value) && cell.Value > top {
				top, where = cell.Value, r+" in "+columns[j]
			}
		}
	}
	s := fmt.Sprintf("%d rows over %d windows, %d cells marked as failed.", len(rows), len(columns), bad)
	if where != "" {
		s += fmt.Sprintf(" The greatest value is %s, %s.", Value(top, c.Format), where)
	}
	return s
}
