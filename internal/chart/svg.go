package chart

import (
	"encoding/xml"
	"fmt"
	"html/template"
	"math"
	"strconv"
	"strings"
)

// paint is the attributes that colour an element: a class for the stylesheet, and presentation
// attributes for a viewer that has none.
type paint string

const (
	textInk    paint = `class="text-ink" fill="#1f2933"`
	textMuted  paint = `class="text-muted" fill="#5b6774"`
	textStrong paint = `class="text-ink" fill="#1f2933" font-weight="600"`

	fillGrid      paint = `class="fill-grid" fill="#e3e7ec"`
	fillReference paint = `class="fill-reference" fill="#b6bfca"`
	fillCurrent   paint = `class="fill-current" fill="#2b6399"`
	fillBand      paint = `class="fill-current" fill="#2b6399" fill-opacity="0.16"`

	lineGrid     paint = `class="line-grid" stroke="#e3e7ec"`
	lineAxis     paint = `class="line-axis" stroke="#5b6774"`
	lineLimit    paint = `class="line-limit" stroke="#b3261e" stroke-dasharray="4 3"`
	lineBound    paint = `class="line-limit" stroke="#b3261e" stroke-width="1.5"`
	lineBaseline paint = `class="line-baseline" stroke="#5b6774" stroke-dasharray="1 3" stroke-linecap="round" stroke-width="1.5"`
	lineCurrent  paint = `class="line-current" stroke="#2b6399" stroke-width="1.75" stroke-linejoin="round" fill="none"`
)

// anchor says which point of a text lies at its x.
type anchor string

const (
	start  anchor = "start"
	middle anchor = "middle"
	end    anchor = "end"
)

const fontSize = 11.0

// drawing collects the elements of one picture.
type drawing struct {
	width, height float64
	body          strings.Builder
}

func newDrawing(width, height float64) *drawing { return &drawing{width: width, height: height} }

// svg closes the picture.
func (d *drawing) svg(h Header, description string) template.HTML {
	if h.Description != "" {
		description = h.Description
	}
	w, ht := coord(d.width), coord(d.height)
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" class="chart" role="img" width="%s" height="%s" viewBox="0 0 %s %s" font-family="system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', sans-serif" font-size="%s">`, w, ht, w, ht, coord(fontSize))
	fmt.Fprintf(&b, "\n<title>%s</title>\n<desc>%s</desc>\n", escape(h.Title), escape(description))
	b.WriteString(d.body.String())
	b.WriteString("</svg>\n")
	return template.HTML(b.String()) //nolint:gosec // escape has seen every text, and the rest is ours
}

// nothing is the whole picture of a chart without data.
func nothing(h Header, width, height float64) template.HTML {
	d := newDrawing(width, height)
	d.rect(0.5, 0.5, width-1, height-1, lineGrid+` fill="none" stroke-dasharray="2 3"`, "")
	d.text(width/2, height/2+4, "no data", middle, textMuted)
	return d.svg(Header{Title: h.Title}, "No data.")
}

// element writes one element, with a tooltip if there is one.
func (d *drawing) element(name, attributes string, p paint, tooltip string) {
	if tooltip == "" {
		fmt.Fprintf(&d.body, "<%s %s %s/>\n", name, attributes, p)
		return
	}
	fmt.Fprintf(&d.body, "<%s %s %s><title>%s</title></%s>\n", name, attributes, p, escape(tooltip), name)
}

func (d *drawing) line(x1, y1, x2, y2 float64, p paint) {
	d.element("line", fmt.Sprintf(`x1="%s" y1="%s" x2="%s" y2="%s"`, coord(x1), coord(y1), coord(x2), coord(y2)), p, "")
}

func (d *drawing) rect(x, y, width, height float64, p paint, tooltip string) {
	d.element("rect", fmt.Sprintf(`x="%s" y="%s" width="%s" height="%s"`, coord(x), coord(y), coord(max(0, width)), coord(max(0, height))), p, tooltip)
}

// path draws through the points in order, and back to the first if it is closed.
func (d *drawing) path(points []point, closed bool, p paint) {
	if len(points) == 0 {
		return
	}
	var b strings.Builder
	for i, pt := range points {
		b.WriteByte("ML"[min(i, 1)])
		b.WriteString(coord(pt.x) + " " + coord(pt.y))
	}
	if closed {
		b.WriteByte('Z')
	}
	d.element("path", `d="`+b.String()+`"`, p, "")
}

type point struct{ x, y float64 }

// text writes s with its baseline at y.
func (d *drawing) text(x, y float64, s string, a anchor, p paint) {
	d.label(x, y, math.Inf(1), s, a, p)
}

// label writes s in at most width, cut if need be with the whole of it in a title.
func (d *drawing) label(x, y, width float64, s string, a anchor, p paint) {
	shown := cut(s, width, fontSize)
	title := ""
	if shown != s {
		title = "<title>" + escape(s) + "</title>"
	}
	fmt.Fprintf(&d.body, `<text x="%s" y="%s" text-anchor="%s" %s>%s%s</text>`+"\n", coord(x), coord(y), a, p, title, escape(shown))
}

// coord writes a coordinate to a hundredth. What is not finite is 0.
func coord(v float64) string {
	if !finite(v) {
		return "0"
	}
	return strconv.FormatFloat(math.Round(v*100)/100+0, 'f', -1, 64)
}

// escape returns s as XML character data that is also safe in a quoted attribute. Characters
// that XML forbids become U+FFFD.
func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a strings.Builder does not fail
	return b.String()
}
