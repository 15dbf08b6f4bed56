package web

import (
	"html/template"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/chart"
	"github.com/tallystick/tallystick/internal/figure"
	"github.com/tallystick/tallystick/internal/monitor"
	"github.com/tallystick/tallystick/internal/registry"
)

// The bounds of the page of one judgement.
const (
	shownRows       = 200
	shownHistograms = 12
)

// judgementPage is what a monitor said of one window, row by row.
type judgementPage struct {
	monitor.WindowJudgement
	Address string // of the monitor
	Digest  tallystick.Digest
	Record  monitor.JudgedWindow
	Instead string // address of the judgement that counts now; empty: this one does
	Worst   []judgedRow
	Left    int // rows that are not shown
	Moved   []histogram
}

// judgedRow is a row with its numbers as people write them.
type judgedRow struct {
	monitor.Row
	Is, Between, Limit string
}

// histogram is what was compared of one row.
type histogram struct {
	monitor.Row
	Picture template.HTML
}

// judgement shows a judgement, which names values: it takes the right to read predictions.
func (s *server) judgement(v *visit, model string, digest tallystick.Digest) error {
	if err := s.Registry.May(v.ctx(), registry.Command{Principal: v.who, Action: access.PredictionRead, Resource: whole, Model: model}); err != nil {
		return err
	}
	if err := digest.Validate(); err != nil {
		return err
	}
	p := &judgementPage{Digest: digest}
	var err error
	if p.WindowJudgement, err = s.Monitors.Judgement(v.ctx(), digest); err != nil {
		return err
	}
	if p.Model != model {
		return tallystick.Errorf(tallystick.NotFound, "the judgement %s is not about %s", digest.Short(), model)
	}
	p.Address = modelAddress(model) + "/behaviour?monitor=" + template.URLQueryEscaper(p.Monitor)
	all, err := s.Monitors.Judged(v.ctx(), monitor.JudgedFilter{Monitor: p.Monitor, Model: model, From: p.From, To: p.To, All: true, Limit: 1000})
	if err != nil {
		return err
	}
	for i, is := range all {
		if is.Judgement == digest {
			p.Record = is
			if i > 0 {
				p.Instead = judgementAddress(model, all[0].Judgement)
			}
			break
		}
	}
	for _, r := range p.WindowJudgement.Worst() {
		if len(p.Worst) == shownRows {
			p.Left++
			continue
		}
		p.Worst = append(p.Worst, written(r))
		bad := r.Verdict == tallystick.Fail || r.Verdict == tallystick.Warn
		if r.Feature != nil && len(r.Feature.Bins) > 0 && len(p.Moved) < shownHistograms && (bad || len(p.Moved) < 2) {
			p.Moved = append(p.Moved, histogram{r, binsOf(r)})
		}
	}
	return s.show(v, "behaviour-window", "Judgement of "+model+" by "+p.Monitor, p)
}

// written writes the numbers of a row.
func written(r monitor.Row) judgedRow {
	write := figure.Number
	if formatOf(r.Measure) == chart.Percent {
		write = figure.Percent
	}
	is := judgedRow{Row: r, Is: "–"}
	if finite(float64(r.Value)) {
		is.Is = write(float64(r.Value))
	}
	if r.Low != nil && r.High != nil {
		is.Between = write(*r.Low) + " to " + write(*r.High)
	}
	if r.Threshold != nil {
		is.Limit = write(*r.Threshold)
	}
	return is
}

// Chance writes the p-value that decides.
func (r judgedRow) Chance() string {
	p := r.Adjusted
	if p == nil {
		p = r.P
	}
	switch {
	case p == nil:
		return ""
	case *p < 1e-4:
		return "< 0.0001"
	}
	return figure.Number(*p)
}

func binsOf(r monitor.Row) template.HTML {
	h := chart.Histogram{Header: chart.Header{Title: "Shares of the values of " + r.Subject, Width: 450}, CurrentName: "window", Height: 160}
	for _, b := range r.Feature.Bins {
		h.Bins = append(h.Bins, chart.Bin{Label: b.Label, Reference: b.Reference, Current: b.Current})
	}
	return h.SVG()
}
