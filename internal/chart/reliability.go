package chart

import (
	"fmt"
	"html/template"
)

// Reliability draws the observed rate over the mean score of each bin, with intervals, and the
// number of rows of each bin below. On the diagonal a score can be read as a probability.
type Reliability struct {
	Header
	Bins []ReliabilityBin
}

// ReliabilityBin is one bin of scores.
type ReliabilityBin struct {
	N         int64
	MeanScore float64
	Observed  float64
	Low, High float64 // interval of Observed
}

// SVG draws the chart.
func (c Reliability) SVG() template.HTML {
	w := c.width(340)
	f := frame{left: 48, top: 12, right: w - 14}
	f.bottom = f.top + f.width()
	counts := frame{left: f.left, right: f.right, top: f.bottom + 46, bottom: f.bottom + 86}
	d := newDrawing(w, counts.bottom+22)
	x := fixedScale(0, 1, 5, Number).between(f.left, f.right)
	y := fixedScale(0, 1, 5, Number).between(f.bottom, f.top)
	var bins []ReliabilityBin
	most := int64(0)
	for _, b := range c.Bins {
		if b.N > 0 && finite(b.MeanScore) && finite(b.Observed) {
			bins = append(bins, b)
			most = max(most, b.N)
		}
	}
	if len(bins) == 0 {
		return nothing(c.Header, d.width, d.height)
	}
	d.yAxis(f, y)
	d.xAxis(f, x)
	d.axisNames(f, "mean score", "observed rate")
	d.line(f.left, f.bottom, f.right, f.top, lineBaseline)
	var run []point
	for _, b := range bins {
		px := x.at(b.MeanScore)
		run = append(run, point{px, y.at(b.Observed)})
		if finite(b.Low) && finite(b.High) {
			d.line(px, y.at(b.Low), px, y.at(b.High), Plain.look().line)
		}
	}
	d.path(run, false, lineCurrent+` stroke-opacity="0.45"`)
	width := max(3, min(18, f.width()/float64(len(bins))*0.6))
	for i, b := range bins {
		tooltip := fmt.Sprintf("mean score %s, observed %s [%s, %s], %s rows",
			Value(b.MeanScore, Number), Value(b.Observed, Number), Value(b.Low, Number), Value(b.High, Number), Count(b.N))
		d.mark(Plain, run[i].x, run[i].y, 3.5, tooltip)
		height := counts.height() * float64(b.N) / float64(most)
		d.rect(run[i].x-width/2, counts.bottom-height, width, height, fillReference, tooltip)
	}
	d.line(counts.left, counts.bottom, counts.right, counts.bottom, lineAxis)
	d.text(counts.left-7, counts.top+9, Count(most), end, textMuted)
	d.text((f.left+f.right)/2, counts.bottom+16, "rows in each bin", middle, textMuted)
	return d.svg(c.Header, c.describe(bins))
}

func (c Reliability) describe(bins []ReliabilityBin) string {
	first, last := bins[0], bins[len(bins)-1]
	return fmt.Sprintf("%d bins. Mean score %s has the observed rate %s; mean score %s has %s.", len(bins),
		Value(first.MeanScore, Number), Value(first.Observed, Number), Value(last.MeanScore, Number), Value(last.Observed, Number))
}
