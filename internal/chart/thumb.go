package chart

import (
	"fmt"
	"html/template"
)

// Thumb is a Histogram the size of a word, without axes, for a cell of a table.
type Thumb struct {
	Header
	Bins []Bin
}

// SVG draws the chart: the first 60 bins.
func (c Thumb) SVG() template.HTML {
	w, h := c.width(120), 24.0
	bins := c.Bins[:min(len(c.Bins), maxBins)]
	values := []float64{0}
	for _, b := range bins {
		values = append(values, b.Reference, b.Current)
	}
	_, hi, _ := span(values...)
	if hi <= 0 {
		return nothing(c.Header, w, h)
	}
	y := scale{lo: 0, hi: hi}.between(h-1, 1)
	column := w / float64(len(bins))
	d := newDrawing(w, h)
	for i, b := range bins {
		x := column * float64(i)
		if finite(b.Reference) {
			d.rect(x+0.5, y.at(b.Reference), column-1, h-1-y.at(b.Reference), fillReference, "")
		}
		if finite(b.Current) {
			inset := 0.5
			if finite(b.Reference) {
				inset = column * 0.28
			}
			d.rect(x+inset, y.at(b.Current), column-2*inset, h-1-y.at(b.Current), fillCurrent, "")
		}
	}
	d.line(0, h-0.5, w, h-0.5, lineAxis)
	return d.svg(c.Header, fmt.Sprintf("%d bins.", len(bins)))
}
