package chart

import (
	"fmt"
	"html/template"
)

// Curve draws a curve in the unit square, such as ROC or precision over recall.
type Curve struct {
	Header
	XName, YName string
	Points       []XY
	Diagonal     bool     // the line of a score that knows nothing, for ROC
	Level        *Limit   // a horizontal line, for example the base rate
	Operating    *NamedXY // the point at which decisions are made
}

// XY is one point of a curve.
type XY struct{ X, Y float64 }

// NamedXY is a point with its name.
type NamedXY struct {
	XY
	Name string
}

// SVG draws the chart.
func (c Curve) SVG() template.HTML {
	w := c.width(340)
	f := frame{left: 48, top: 12, right: w - 14}
	f.bottom = f.top + f.width()
	x := fixedScale(0, 1, 5, Number).between(f.left, f.right)
	y := fixedScale(0, 1, 5, Number).between(f.bottom, f.top)
	var points []point
	for _, p := range c.Points {
		if finite(p.X) && finite(p.Y) {
			points = append(points, point{x.at(p.X), y.at(p.Y)})
		}
	}
	d := newDrawing(w, f.bottom+40)
	if len(points) == 0 {
		return nothing(c.Header, d.width, d.height)
	}
	d.yAxis(f, y)
	d.xAxis(f, x)
	d.axisNames(f, c.XName, c.YName)
	if c.Diagonal {
		d.line(f.left, f.bottom, f.right, f.top, lineBaseline)
	}
	if c.Level != nil && finite(c.Level.Value) {
		at := y.at(c.Level.Value)
		d.line(f.left, at, f.right, at, lineBaseline)
		// Above the line, unless there is no room there.
		text := at - 5
		if text < f.top+12 {
			text = at + 14
		}
		d.text(f.left+6, text, c.Level.text(Number), start, textMuted)
	}
	d.path(points, false, lineCurrent)
	if o := c.Operating; o != nil && finite(o.X) && finite(o.Y) {
		px, py := x.at(o.X), y.at(o.Y)
		d.mark(Plain, px, py, 4.5, fmt.Sprintf("%s: %s %s, %s %s", o.Name, c.XName, Value(o.X, Number), c.YName, Value(o.Y, Number)))
		a, tx := start, px+9
		if px > f.left+f.width()*0.6 {
			a, tx = end, px-9
		}
		d.label(tx, min(f.bottom-6, py+15), f.width()/2, o.Name, a, textInk)
	}
	return d.svg(c.Header, c.describe())
}

func (c Curve) describe() string {
	s := fmt.Sprintf("%s over %s in %d points.", c.YName, c.XName, len(c.Points))
	if o := c.Operating; o != nil {
		s += fmt.Sprintf(" %s: %s %s, %s %s.", o.Name, c.XName, Value(o.X, Number), c.YName, Value(o.Y, Number))
	}
	return s
}

// axisNames writes the name of the x axis below it and that of the y axis upright at the left.
func (d *drawing) axisNames(f frame, xName, yName string) {
	d.label((f.left+f.right)/2, f.bottom+33, f.width(), xName, middle, textMuted)
	cx, cy := 11.0, (f.top+f.bottom)/2
	d.label(cx, cy, f.height(), yName, middle, textMuted+paint(fmt.Sprintf(` transform="rotate(-90 %s %s)"`, coord(cx), coord(cy))))
}
