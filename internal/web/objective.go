package web

import (
	"cmp"
	"context"
	"html/template"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/alert"
	"github.com/tallystick/tallystick/internal/chart"
	"github.com/tallystick/tallystick/internal/figure"
	"github.com/tallystick/tallystick/internal/objective"
)

// The bounds of the pages of objectives.
const (
	shownObjectives = 200
	shownBudgets    = 200 // judgements of which is drawn what was left of the budget
	shownBurns      = 48  // judgements that are read for how fast it burned
	lowBudget       = 0.1 // from which on people are warned
)

func objectiveAddress(name string) string { return "/objectives/" + url.PathEscape(name) }

// objectiveLine is an objective with how it stands.
type objectiveLine struct {
	objective.Objective
	Standing *objective.BudgetStanding // nil: it was never judged
}

// Href is the address of its page.
func (l objectiveLine) Href() string { return objectiveAddress(l.Name) }

// objectivesPage lists objectives, those with least left of their budget first.
type objectivesPage struct {
	Model string
	Lines []objectiveLine
	More  int // that are not shown
}

func (s *server) listObjectives(v *visit) error {
	p := &objectivesPage{Model: strings.TrimSpace(v.query("model"))}
	var err error
	if p.Lines, err = s.objectivesOf(v.ctx(), p.Model); err != nil {
		return err
	}
	if len(p.Lines) > shownObjectives {
		p.More, p.Lines = len(p.Lines)-shownObjectives, p.Lines[:shownObjectives]
	}
	return s.show(v, "objectives", "Objectives", p)
}

// objectivesOf returns the objectives that are judged, of a model or of all, those with least left of their budget first.
func (s *server) objectivesOf(ctx context.Context, model string) (lines []objectiveLine, err error) {
	all, err := s.Objectives.Objectives(ctx, model)
	if err != nil {
		return nil, err
	}
	standing, err := s.Objectives.Standing(ctx, model)
	if err != nil {
		return nil, err
	}
	for _, o := range all {
		if o.Removed {
			continue
		}
		line := objectiveLine{Objective: o}
		if is, judged := standing[o.Name]; judged {
			line.Standing = &is
		}
		lines = append(lines, line)
	}
	left := func(l objectiveLine) float64 {
		if l.Standing == nil || l.Standing.Valid == 0 {
			return math.Inf(1)
		}
		return l.Standing.Left
	}
	slices.SortStableFunc(lines, func(a, b objectiveLine) int {
		return cmp.Or(cmp.Compare(left(a), left(b)), cmp.Compare(a.Name, b.Name))
	})
	return lines, nil
}

// objectivePage is one objective: what it promises, what is left of the budget, how fast it burns, and who is told.
type objectivePage struct {
	objective.Objective
	Document  *objective.Document // nil: it was removed
	Indicator objective.Indicator
	Judgement *objective.BudgetJudgement // the newest; nil: there is none
	Standing  objective.BudgetStanding   // of that judgement
	Rules     []burnRow
	Left      template.HTML // of the budget, over time
	Burns     []pictured
	Told      []toldOf
}

// Target and Period write the promise.
func (p *objectivePage) Target() string { // with all of its nines
	return strconv.FormatFloat(math.Round(p.Document.Promise.Target*1e8)/1e6, 'f', -1, 64) + " %"
}

// Period is the period of the promise.
func (p *objectivePage) Period() string {
	if p.Document.Months != nil {
		return "a month of the calendar, " + p.Document.Months.String()
	}
	return objective.Span(p.Document.Promise.Period)
}

// burnRow is a rule with what it said last.
type burnRow struct {
	objective.Burn
	Asks, Window, Short string
}

// Rate writes a burn rate.
func (burnRow) Rate(w objective.BurnWindow) string {
	if w.Rate == nil {
		return "nothing was counted"
	}
	return figure.Fixed(*w.Rate, 1) + " ×"
}

// Limit writes the burn rate from which the rule fails.
func (r burnRow) Limit() string { return figure.Plain(r.Threshold) + " ×" }

// toldOf says who is told of an action.
type toldOf struct {
	Action    objective.Action
	Receivers []string // nil: nobody knows here
}

func (s *server) objective(v *visit) error {
	is, doc, err := s.Objectives.Objective(v.ctx(), v.r.PathValue("objective"))
	if err != nil {
		return err
	}
	p := &objectivePage{Objective: is, Document: doc}
	judged, err := s.Objectives.Judged(v.ctx(), objective.JudgedFilter{Objective: is.Name, Limit: shownBudgets})
	if err != nil {
		return err
	}
	if len(judged) > 0 {
		p.Standing = judged[0]
		if err := s.burns(v.ctx(), p, judged); err != nil {
			return err
		}
		p.Left = leftOver(judged)
	}
	if doc != nil {
		p.Indicator, _ = objective.FindIndicator(doc.Promise.Indicator)
		if p.Told, err = s.toldOf(v.ctx(), doc); err != nil {
			return err
		}
	}
	return s.show(v, "objective", "Objective "+is.Name, p)
}

// burns reads the newest judgements, and draws how fast the budget burned by each rule.
func (s *server) burns(ctx context.Context, p *objectivePage, judged []objective.BudgetStanding) error {
	read := judged[:min(len(judged), shownBurns)]
	rates := map[string]*chart.Line{}
	for i, is := range slices.Backward(read) {
		j, err := s.Objectives.Judgement(ctx, is.Judgement)
		if err != nil {
			return err
		}
		for _, b := range j.Rules {
			name := b.Rule.Name()
			line := rates[name]
			if line == nil {
				title := "Burn rate over " + objective.Span(b.Rule.Window)
				line = &chart.Line{Header: chart.Header{Title: title, Width: pictureWidth}, Height: pictureHeight, FromZero: true, Limits: []chart.Limit{{Name: string(b.Rule.Action), Value: b.Threshold}}}
				rates[name] = line
			}
			pt := chart.LinePoint{Label: is.At.UTC().Format("01-02 15:04"), Value: math.NaN(), Low: math.NaN(), High: math.NaN(), Mark: markOf(b.Verdict)}
			if b.Long.Rate != nil {
				pt.Value = *b.Long.Rate
			}
			line.Points = append(line.Points, pt)
		}
		if i == 0 {
			p.Judgement = &j
		}
	}
	for _, b := range p.Judgement.Rules {
		row := burnRow{Burn: b, Asks: asksFor(b.Rule.Action), Window: objective.Span(b.Rule.Window), Short: objective.Span(b.Rule.Short)}
		p.Rules = append(p.Rules, row)
		line := rates[b.Rule.Name()]
		p.Burns = append(p.Burns, pictured{Title: line.Title + ": " + row.Asks, Verdict: b.Verdict, Words: row.Rate(b.Long) + " as planned; " + row.Limit() + " is the limit.", Picture: line.SVG()})
	}
	return nil
}

// asksFor says what a rule asks for.
func asksFor(a objective.Action) string {
	return map[objective.Action]string{objective.Page: "a person now", objective.Ticket: "a person in working hours", objective.Pause: "no experiments"}[a]
}

// leftOver draws what was left of the budget.
func leftOver(judged []objective.BudgetStanding) template.HTML {
	line := chart.Line{Header: chart.Header{Title: "What is left of the error budget"}, Format: chart.Percent, FromZero: true, Limits: []chart.Limit{{Name: "warn", Value: lowBudget}}}
	for _, is := range slices.Backward(judged) {
		pt := chart.LinePoint{Label: is.At.UTC().Format("01-02 15:04"), Value: math.NaN(), Low: math.NaN(), High: math.NaN(), Mark: markOf(is.Verdict)}
		if is.Valid > 0 {
			pt.Value = is.Left
		}
		line.Points = append(line.Points, pt)
	}
	return line.SVG()
}

// toldOf asks the routes whom they tell of the alerts of an objective.
func (s *server) toldOf(ctx context.Context, doc *objective.Document) (all []toldOf, err error) {
	for _, r := range doc.Rules {
		if slices.ContainsFunc(all, func(t toldOf) bool { return t.Action == r.Action }) {
			continue
		}
		t := toldOf{Action: r.Action}
		if severity := map[objective.Action]alert.Severity{objective.Page: alert.Page, objective.Ticket: alert.Ticket}[r.Action]; severity != "" && s.Receivers != nil {
			t.Receivers, err = s.receivers(ctx, alert.Alert{Rule: "objective/" + doc.Name + "/" + string(r.Action), Model: doc.Model, Version: doc.Version, Environment: doc.Environment, Severity: severity})
			if err != nil {
				return nil, err
			}
		}
		all = append(all, t)
	}
	return all, nil
}

// receivers names those whom routes tell of an alert, nil where nobody knows.
func (s *server) receivers(ctx context.Context, a alert.Alert) ([]string, error) {
	if s.Receivers == nil {
		return nil, nil
	}
	names, err := s.Receivers(ctx, a)
	if tallystick.CodeOf(err) == tallystick.NotFound { // the model is no more
		return nil, nil
	}
	return names, err
}
