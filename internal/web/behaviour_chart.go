package web

import (
	"cmp"
	"html/template"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/chart"
	"github.com/tallystick/tallystick/internal/monitor"
	"github.com/tallystick/tallystick/internal/window"
)

// How many pictures of a kind a page has.
const (
	shownDrifting    = 3
	shownPerformance = 6
	shownTroubled    = 4 // of other checks

	pictureWidth, pictureHeight = 460, 180
)

// pictured is a chart with what it says in words.
type pictured struct {
	Title   string
	Verdict tallystick.Verdict // of the newest window that has the row
	Words   string
	Worst   string // what the worst window said, if that is another
	At      time.Time
	Picture template.HTML
}

// series are the rows of one thing over the windows.
type series struct {
	check, subject, slice string
	rows                  []*monitor.Row // of each window, nil without
	worst, last           int            // which of them
}

// charts draws what the judgements of a monitor say over time: how many predictions, what drifted, errors, performance, and
// what else was bad.
func charts(windows []monitor.JudgedWindow, read map[tallystick.Digest]*summary) (all []pictured) {
	all = append(all, predictionsOver(windows, read))
	found := seriesOf(windows, read)
	take := func(most int, is func(s *series) bool) {
		n := 0
		for _, s := range found {
			if n < most && is(s) {
				n++
				all = append(all, s.picture(windows))
			}
		}
	}
	feature := func(s *series) bool { return s.rows[s.last].Role == window.RoleFeature }
	take(2, func(s *series) bool { return s.check == "drift" && !feature(s) })
	take(shownDrifting, func(s *series) bool { return s.check == "drift" && feature(s) })
	take(shownPerformance, func(s *series) bool { return s.check == "errors" || s.check == "latency" })
	take(shownPerformance, func(s *series) bool { return s.check == "performance" || s.check == "estimate" })
	take(shownTroubled, func(s *series) bool {
		v := s.rows[s.worst].Verdict
		return !slices.Contains([]string{"drift", "errors", "latency", "performance", "estimate", "telemetry", "volume"}, s.check) && (v == tallystick.Fail || v == tallystick.Warn)
	})
	return all
}

// badness orders verdicts for pictures, in which a warning says more than that nobody could tell.
func badness(v tallystick.Verdict) int {
	return map[tallystick.Verdict]int{tallystick.Fail: 3, tallystick.Warn: 2, tallystick.Inconclusive: 1}[v]
}

// seriesOf returns what has a value in any window, the worst first.
func seriesOf(windows []monitor.JudgedWindow, read map[tallystick.Digest]*summary) (all []*series) {
	known := map[[3]string]*series{}
	for i, is := range windows {
		if read[is.Judgement] == nil {
			continue
		}
		rows := read[is.Judgement].rows
		for k := range rows {
			r := &rows[k]
			if !finite(float64(r.Value)) {
				continue
			}
			key := [3]string{r.Check, r.Subject, r.Slice}
			s := known[key]
			if s == nil {
				s = &series{check: r.Check, subject: r.Subject, slice: r.Slice, rows: make([]*monitor.Row, len(windows)), worst: i}
				known[key], all = s, append(all, s)
			}
			s.rows[i], s.last = r, i
			if was := s.rows[s.worst]; badness(r.Verdict) > badness(was.Verdict) || badness(r.Verdict) == badness(was.Verdict) && r.Value > was.Value {
				s.worst = i
			}
		}
	}
	slices.SortStableFunc(all, func(a, b *series) int {
		x, y := a.rows[a.worst], b.rows[b.worst]
		return cmp.Or(badness(y.Verdict)-badness(x.Verdict), cmp.Compare(float64(y.Value), float64(x.Value)), cmp.Compare(a.check+a.subject+a.slice, b.check+b.subject+b.slice))
	})
	return all
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// picture draws a series with its limits.
func (s *series) picture(windows []monitor.JudgedWindow) pictured {
	last, worst := s.rows[s.last], s.rows[s.worst]
	p := pictured{Title: s.title(), Verdict: last.Verdict, Words: last.Words}
	if s.worst != s.last && badness(worst.Verdict) > 1 && badness(worst.Verdict) > badness(last.Verdict) {
		p.Worst, p.At = worst.Words, windows[s.worst].From
	}
	line := chart.Line{Header: chart.Header{Title: p.Title, Width: pictureWidth}, Format: formatOf(last.Measure), Height: pictureHeight}
	for _, l := range []struct {
		at   *float64
		name string
	}{{last.Warn, "warn"}, {last.Threshold, "fail"}} {
		if l.at != nil {
			line.Limits = append(line.Limits, chart.Limit{Value: *l.at, Name: l.name})
		}
	}
	for i, r := range s.rows {
		pt := chart.LinePoint{Label: columnName(windows, i), Value: math.NaN(), Low: math.NaN(), High: math.NaN()}
		if r != nil {
			pt.Value, pt.Mark = float64(r.Value), markOf(r.Verdict)
			if r.Low != nil && r.High != nil {
				pt.Low, pt.High = *r.Low, *r.High
			}
		}
		line.Points = append(line.Points, pt)
	}
	p.Picture = line.SVG()
	return p
}

// title says what is drawn, with the words of the row.
func (s *series) title() string {
	what := readable(s.rows[s.last].Measure)
	switch {
	case what == "psi":
		what = "PSI"
	case what == "roc auc":
		what = "ROC AUC"
	}
	name := readable(s.check) + ": " + what
	if s.check == "drift" {
		name = what
	}
	if s.subject != "" && readable(s.subject) != what {
		name += " of " + s.subject
	}
	if s.slice != "" {
		name += " where " + s.slice
	}
	return strings.ToUpper(name[:1]) + name[1:]
}

// formatOf returns how values of a measure are written.
func formatOf(measure string) chart.Format {
	for _, share := range []string{"share", "rise of", "change of", "difference of"} {
		if strings.HasPrefix(measure, share) {
			return chart.Percent
		}
	}
	return chart.Number
}

func markOf(v tallystick.Verdict) chart.Mark {
	return map[tallystick.Verdict]chart.Mark{
		tallystick.Pass: chart.Good, tallystick.Warn: chart.Caution, tallystick.Fail: chart.Bad, tallystick.Inconclusive: chart.Unclear, tallystick.Insufficient: chart.Unclear,
	}[v]
}

// columnName is short: days and hours if the windows are narrower than a day.
func columnName(windows []monitor.JudgedWindow, i int) string {
	is := windows[i]
	if is.To.Sub(is.From) >= 24*time.Hour {
		return is.From.UTC().Format("01-02")
	}
	return is.From.UTC().Format("01-02 15:04")
}

// predictionsOver draws how many predictions came in.
func predictionsOver(windows []monitor.JudgedWindow, read map[tallystick.Digest]*summary) pictured {
	newest := windows[len(windows)-1]
	p := pictured{Title: "Predictions of a window", Words: plural(newest.Predictions, "prediction") + " in the newest window."}
	line := chart.Line{Header: chart.Header{Title: p.Title, Width: pictureWidth}, Height: pictureHeight, FromZero: true}
	for i, is := range windows {
		pt := chart.LinePoint{Label: columnName(windows, i), Value: float64(is.Predictions), Low: math.NaN(), High: math.NaN()}
		if known := read[is.Judgement]; known != nil {
			verdict := known.verdicts["telemetry"].Worse(known.verdicts["volume"])
			pt.Mark = markOf(verdict)
			if is.Judgement == newest.Judgement {
				p.Verdict = verdict
			}
		}
		line.Points = append(line.Points, pt)
	}
	p.Picture = line.SVG()
	return p
}
