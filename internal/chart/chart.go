// Package chart draws statistical charts as SVG from plain structs. Each chart is a struct with
// the data and an SVG method, and the same picture serves a page, a printed report and a file of
// its own.
//
// What every picture keeps:
//
//   - It is well-formed XML with no script, no style attribute and no reference to anything
//     outside, so that it shows under a Content-Security-Policy that allows nothing inline.
//   - Colours are classes, which [Stylesheet] binds to custom properties for light, dark and
//     print; presentation attributes carry the light ones for a viewer without the stylesheet.
//   - It has role img, a title and a description in words, and never tells a status by colour
//     alone: each [Mark] has a shape of its own.
//   - Text that comes from data is escaped, and where it is cut its whole length is in a title.
//   - Values that are NaN or infinite are left out. A chart that has nothing left says "no data".
package chart

import (
	_ "embed"
	"html/template"
	"math"
)

//go:embed chart.css
var stylesheet string

// Stylesheet returns the CSS of the tokens, for light and dark screens and for paper, and of the
// classes of charts. A page includes it once; its rules say nothing about elements outside a chart.
func Stylesheet() template.CSS {
	return tokenSheet() + template.CSS(stylesheet) //nolint:gosec // a file of this package
}

// Header is what every chart says of itself to people who cannot see it.
type Header struct {
	Title string
	// Description sums up the data in words. Empty: the chart writes one.
	Description string
	// Width in pixels of the user space; 0 is the chart's own default. A page scales the picture
	// to its column.
	Width float64
}

func (h Header) width(standard float64) float64 {
	if h.Width <= 0 {
		return standard
	}
	return max(h.Width, 120)
}

// Mark is the status of one datum.
type Mark uint8

// The marks with their shapes. Unclear stands for a status that could not be settled.
const (
	Plain   Mark = iota // dot
	Good                // dot
	Caution             // triangle
	Bad                 // diamond
	Unclear             // ring
)

// Limit is a line at a value that matters, such as a threshold.
type Limit struct {
	Value float64
	Name  string
}

// Format says how values are written.
type Format uint8

// The formats. Percent writes the value 0.05 as "5 %".
const (
	Number Format = iota
	Percent
)

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// span returns the least and greatest finite value, or ok false if there is none.
func span(values ...float64) (lo, hi float64, ok bool) {
	lo, hi = math.Inf(1), math.Inf(-1)
	for _, v := range values {
		if finite(v) {
			lo, hi, ok = min(lo, v), max(hi, v), true
		}
	}
	return lo, hi, ok
}
