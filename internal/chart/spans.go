package chart

import (
	"fmt"
	"html/template"
	"strings"
	"time"
)

// Spans draws what something was over time: in each row a bar for every state, as long as that lasted.
type Spans struct {
	Header
	From, To time.Time
	Rows     []SpanRow
}

// SpanRow is one thing.
type SpanRow struct {
	Label string
	Spans []Span // oldest first
}

// Span is one state. What lies outside the chart is cut off.
type Span struct {
	From, To time.Time
	Name     string // of the state, written into the bar where it fits
	Mark     Mark
	Tooltip  string // empty: the name and the times
}

const (
	maxSpans   = 500 // of a row; the newest are drawn
	spanHeight = 20.0
	spanStep   = spanHeight + 8
)

// timeSteps are the distances between labels of a time axis.
var timeSteps = []time.Duration{
	time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour,
	day, 2 * day, 7 * day, 14 * day, 28 * day, 91 * day, 364 * day,
}

const day = 24 * time.Hour

// SVG draws the chart.
func (c Spans) SVG() template.HTML {
	w := c.width(720)
	rows := c.Rows[:min(len(c.Rows), maxRows)]
	if len(rows) == 0 || !c.To.After(c.From) {
		return nothing(c.Header, w, 60)
	}
	left := 0.0
	for _, r := range rows {
		left = max(left, textWidth(r.Label, fontSize)+12)
	}
	left = min(left, w/4)
	f := frame{left: left, top: 6, right: w - 4, bottom: 6 + spanStep*float64(len(rows))}
	d := newDrawing(w, f.bottom+26)
	x := func(t time.Time) float64 {
		share := float64(t.Sub(c.From)) / float64(c.To.Sub(c.From))
		return f.left + min(1, max(0, share))*f.width()
	}
	d.timeAxis(f, c.From, c.To, x)
	for i, r := range rows {
		y := f.top + spanStep*float64(i) + (spanStep-spanHeight)/2
		d.label(2, y+spanHeight/2+4, left-10, r.Label, start, textInk)
		for _, s := range r.Spans[max(0, len(r.Spans)-maxSpans):] {
			if s.To.After(c.From) && s.From.Before(c.To) {
				d.spanBar(s, x(s.From), x(s.To), y)
			}
		}
	}
	d.line(f.left, f.bottom, f.right, f.bottom, lineAxis)
	return d.svg(c.Header, c.describe(rows))
}

// spanBar draws one state: a bar, the shape of its mark, and its name if there is room.
func (d *drawing) spanBar(s Span, from, to, y float64) {
	tooltip := s.Tooltip
	if tooltip == "" {
		tooltip = s.Name + ", " + s.From.UTC().Format(tooltipTime) + " to " + s.To.UTC().Format(tooltipTime)
	}
	width := max(2, to-from)
	d.rect(from, y, width, spanHeight, s.Mark.look().shade+` fill-opacity="0.26"`, tooltip)
	d.rect(from, y, 2, spanHeight, s.Mark.look().shade, "")
	if width > 18 {
		d.mark(s.Mark, from+10, y+spanHeight/2, 4, tooltip)
	}
	if room := width - 24; room >= min(textWidth(s.Name, fontSize), 40) {
		d.label(from+19, y+spanHeight/2+4, room, s.Name, start, textInk)
	}
}

const tooltipTime = "2006-01-02 15:04"

// timeAxis draws upright lines at round times, with the times below. Times are UTC.
func (d *drawing) timeAxis(f frame, from, to time.Time, x func(time.Time) float64) {
	step := timeSteps[len(timeSteps)-1]
	for _, s := range timeSteps {
		if float64(to.Sub(from))/float64(s)*84 <= f.width() {
			step = s
			break
		}
	}
	for t := from.UTC().Truncate(step).Add(step); !t.After(to); t = t.Add(step) {
		layout := "01-02 15:04"
		switch {
		case step >= 91*day:
			layout = time.DateOnly
		case step >= day:
			layout = "01-02"
		}
		at := x(t)
		d.line(at, f.top, at, f.bottom+4, lineGrid)
		if label := t.Format(layout); at+textWidth(label, fontSize)/2 <= f.right+4 {
			d.text(at, f.bottom+17, label, middle, textMuted)
		}
	}
}

func (c Spans) describe(rows []SpanRow) string {
	var said []string
	for _, r := range rows {
		if n := len(r.Spans); n > 0 {
			last := r.Spans[n-1]
			said = append(said, fmt.Sprintf("%s: %s, the last %s since %s.", r.Label, plural(n, "state"), last.Name, last.From.UTC().Format(tooltipTime)))
		}
	}
	return strings.Join(said, " ")
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return Count(int64(n)) + " " + noun + "s"
}
