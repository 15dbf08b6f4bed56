package chart

import (
	"fmt"
	"html/template"
	"math"
)

// Histogram lays the shares of bins over those of a reference: wide pale bars for the reference,
// narrow dark ones before them.
type Histogram struct {
	Header
	Bins []Bin
	// ReferenceName and CurrentName are for the legend; empty: "reference" and "audited".
	ReferenceName, CurrentName string
	Height                     float64 // 0 is 150
}

// Bin is one bin with its shares of the rows. A Reference of NaN draws no bar.
type Bin struct {
	Label     string
	Reference float64
	Current   float64
	Missing   bool // the bin of missing values, set a little apart
}

const maxBins = 60

// SVG draws the chart: of more than 60 bins the first 60, with a note.
func (c Histogram) SVG() template.HTML {
	w, h := c.width(352), c.Height
	if h <= 0 {
		h = 150
	}
	bins := c.Bins[:min(len(c.Bins), maxBins)]
	var values []float64
	hasReference := false
	for _, b := range bins {
		values = append(values, b.Reference, b.Current)
		hasReference = hasReference || finite(b.Reference)
	}
	_, hi, ok := span(values...)
	if !ok {
		return nothing(c.Header, w, h)
	}
	y := newScale(0, max(hi, 1e-9), 3, Percent)
	f := frame{left: y.widest() + 14, top: 24, right: w - 6, bottom: h - 24}
	y = y.between(f.bottom, f.top)

	d := newDrawing(w, h)
	d.yAxis(f, y)
	column := f.width() / float64(len(bins))
	var labels []columnLabel
	most, change := 0, -1.0
	for i, b := range bins {
		x := f.left + column*float64(i)
		gap := max(0.5, column*0.06)
		tooltip := b.Label + ": " + c.name(c.CurrentName, "audited") + " " + Value(b.Current, Percent)
		if finite(b.Reference) {
			tooltip += ", " + c.name(c.ReferenceName, "reference") + " " + Value(b.Reference, Percent)
			d.rect(x+gap, y.at(b.Reference), column-2*gap, f.bottom-y.at(b.Reference), fillReference, tooltip)
		}
		inset := gap
		if hasReference {
			inset = column * 0.28
		}
		if finite(b.Current) {
			d.rect(x+inset, y.at(b.Current), column-2*inset, f.bottom-y.at(b.Current), fillCurrent, tooltip)
		}
		if delta := math.Abs(b.Current - b.Reference); delta > change {
			most, change = i, delta
		}
		labels = append(labels, columnLabel{x: x + column/2, text: b.Label})
	}
	if change > 0 {
		labels[most].priority = 2
	}
	d.line(f.left, f.bottom, f.right, f.bottom, lineAxis)
	d.columnLabels(labels, f, max(34, min(110, f.width()/3)))
	x := f.right
	if len(c.Bins) > maxBins {
		note := fmt.Sprintf("first %d of %s bins", maxBins, Count(int64(len(c.Bins))))
		d.text(x, 13, note, end, textMuted)
		x -= textWidth(note, fontSize) + 14
	}
	x = d.swatch(x, 13, c.name(c.CurrentName, "audited"), fillCurrent, 5)
	if hasReference {
		d.swatch(x, 13, c.name(c.ReferenceName, "reference"), fillReference, 10)
	}
	return d.svg(c.Header, c.describe(bins, most, change))
}

func (c Histogram) name(name, standard string) string {
	if name == "" {
		return standard
	}
	return cut(name, 110, fontSize)
}

func (c Histogram) describe(bins []Bin, most int, change float64) string {
	s := fmt.Sprintf("%d bins.", len(bins))
	if change > 0 {
		b := bins[most]
		s += fmt.Sprintf(" The largest change is in %s, from %s to %s.", b.Label, Value(b.Reference, Percent), Value(b.Current, Percent))
	}
	return s
}

// swatch draws a legend entry that ends at x, and returns where the next one may end.
func (d *drawing) swatch(x, y float64, name string, p paint, width float64) float64 {
	d.text(x, y, name, end, textMuted)
	x -= textWidth(name, fontSize) + 5
	d.rect(x-width, y-9, width, 10, p, "")
	return x - width - 14
}
