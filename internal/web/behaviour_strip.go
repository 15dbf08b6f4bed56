package web

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/monitor"
)

// strip is one monitor over time: a row for each check, a column for each window.
type strip struct {
	watched
	Spans  []columnSpan
	Rows   []stripRow
	Unread int // windows of which only the verdict is shown
	Older  string
	Newer  string
}

// columnSpan names a run of columns.
type columnSpan struct {
	Name    string
	Columns int
}

type stripRow struct {
	Check string
	Cells []stripCell
}

// stripCell is what a check says of a window.
type stripCell struct {
	Verdict tallystick.Verdict // empty: nothing
	Title   string
	Link    string
	Gap     bool // windows before it were not judged
}

// summary is what a strip and its charts need of a judgement; the rest is not kept, since it can be large.
type summary struct {
	verdicts map[string]tallystick.Verdict // the worst of each check
	said     map[string]string             // the words of that row
	words    string                        // of the row that decides
	failing  []string                      // the checks that have the verdict of the window
	rows     []monitor.Row                 // without what was compared
}

// summarise keeps the worst row of each check, and the values of all.
func summarise(j *monitor.WindowJudgement) *summary {
	is := &summary{verdicts: map[string]tallystick.Verdict{}, said: map[string]string{}}
	for _, r := range j.Worst() {
		if _, seen := is.verdicts[r.Check]; !seen {
			is.verdicts[r.Check], is.said[r.Check] = r.Verdict, r.Words
		}
		if r.Verdict == j.Verdict && r.Awaits.IsZero() {
			if is.words == "" {
				is.words = r.Words
			}
			if name := readable(r.Check); r.Verdict != tallystick.Pass && !slices.Contains(is.failing, name) {
				is.failing = append(is.failing, name)
			}
		}
		r.Feature = nil
		is.rows = append(is.rows, r)
	}
	if is.words == "" {
		is.words = j.Words
	}
	return is
}

// strips reads the judgements of the page: of one monitor, or some windows of each of the worst.
func (s *server) strips(v *visit, p *behaviourPage, before time.Time) error {
	shown := p.Monitors
	if i := slices.IndexFunc(shown, func(w watched) bool { return w.Name == p.Chosen }); i >= 0 {
		shown = shown[i : i+1]
	}
	shown = shown[:min(len(shown), shownStrips)]
	read, rows := map[tallystick.Digest]*summary{}, 0
	for _, w := range p.Monitors[:min(len(p.Monitors), shownStrips)] { // the head speaks of now, whatever is chosen
		if w.Newest() != nil {
			if err := s.summarised(v, *w.Newest(), read, &rows); err != nil {
				return err
			}
		}
	}
	for i, w := range shown {
		most := shownWindows / max(1, len(shown))
		windows := w.Windows
		if !before.IsZero() {
			var err error
			if windows, err = s.Monitors.Judged(v.ctx(), monitor.JudgedFilter{Monitor: w.Name, Model: p.Model, To: before, ByWindow: true, Limit: most + 1}); err != nil {
				return err
			}
		}
		older := len(windows) > most
		windows = slices.Clone(windows[:min(len(windows), most)])
		for _, is := range windows { // the newest first, so that it is the oldest that are left out
			if err := s.summarised(v, is, read, &rows); err != nil {
				return err
			}
		}
		slices.Reverse(windows)
		p.Strips = append(p.Strips, p.strip(w, windows, read))
		made := &p.Strips[i]
		if older {
			made.Older = w.Address + "&" + url.Values{"before": {windows[0].From.Format(time.RFC3339)}}.Encode()
		}
		if !before.IsZero() {
			made.Newer = w.Address
		}
		if i == 0 && p.Reads && len(windows) > 0 {
			p.Of, p.Charts = w.Name, charts(windows, read)
		}
	}
	p.head(read)
	return nil
}

// summarised reads a judgement, unless enough was read.
func (s *server) summarised(v *visit, is monitor.JudgedWindow, read map[tallystick.Digest]*summary, rows *int) error {
	if read[is.Judgement] != nil || *rows >= behaviourRows {
		return nil
	}
	j, err := s.Monitors.Judgement(v.ctx(), is.Judgement)
	if err != nil {
		return err
	}
	*rows += len(j.Rows)
	read[is.Judgement] = summarise(&j)
	return nil
}

// strip lays out the windows of a monitor, the oldest first.
func (p *behaviourPage) strip(w watched, windows []monitor.JudgedWindow, read map[tallystick.Digest]*summary) strip {
	made := strip{watched: w, Spans: spansOf(windows)}
	line := func(check string, say func(is monitor.JudgedWindow) (tallystick.Verdict, string)) {
		row, any := stripRow{Check: check}, false
		for i, is := range windows {
			verdict, said := say(is)
			c := stripCell{Verdict: verdict, Gap: i > 0 && is.From.After(windows[i-1].To)}
			if verdict != "" {
				any = true
				c.Title = readableTime(is.From) + " to " + readableTime(is.To) + ": " + string(verdict)
				if said != "" && p.Reads {
					c.Title += ". " + said
				}
				// Of what passes, the row of the window has the link: nobody wants to step through thousands by keyboard.
				if p.Reads && (check == "" || verdict != tallystick.Pass) {
					c.Link = judgementAddress(p.Model, is.Judgement)
				}
			}
			row.Cells = append(row.Cells, c)
		}
		if any {
			made.Rows = append(made.Rows, row)
		}
	}
	line("", func(is monitor.JudgedWindow) (tallystick.Verdict, string) {
		return is.Verdict, strings.TrimSpace(plural(is.Predictions, "prediction") + ".")
	})
	for _, a := range monitor.AllChecks() {
		line(a.Key, func(is monitor.JudgedWindow) (tallystick.Verdict, string) {
			if known := read[is.Judgement]; known != nil {
				return known.verdicts[a.Key], known.said[a.Key]
			}
			return "", ""
		})
	}
	for _, is := range windows {
		if read[is.Judgement] == nil {
			made.Unread++
		}
	}
	return made
}

func judgementAddress(model string, d tallystick.Digest) string {
	return modelAddress(model) + "/behaviour?" + url.Values{"judgement": {string(d)}}.Encode()
}

// spansOf names the columns: by hour, by day or by month, as the windows are wide.
func spansOf(windows []monitor.JudgedWindow) (all []columnSpan) {
	for _, is := range windows {
		layout := "2006-01"
		switch width := is.To.Sub(is.From); {
		case width < time.Hour:
			layout = "01-02 15 h"
		case width < 24*time.Hour:
			layout = time.DateOnly
		}
		name := is.From.UTC().Format(layout)
		if n := len(all); n > 0 && all[n-1].Name == name {
			all[n-1].Columns++
		} else {
			all = append(all, columnSpan{name, 1})
		}
	}
	return all
}
