package web

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/tallystick/tallystick/internal/figure"
	"github.com/tallystick/tallystick/internal/reaction"
)

// retrainingPage is a request to train a model anew, with its report.
type retrainingPage struct {
	reaction.Retraining
	Document *reaction.RetrainReport
}

// Where names the version and the environment.
func (p *retrainingPage) Where() string { return subjectOf(p.Model, p.Version) }

// CauseHref is the address of what was the reason, empty if a person asked without one.
func (p *retrainingPage) CauseHref() string {
	if p.Cause == "" {
		return ""
	}
	return tryLine{reaction.Try{Cause: p.Cause}}.CauseHref()
}

// Figure writes a figure of the report, with its interval if it has one.
func (*retrainingPage) Figure(r reaction.DriftRow) string {
	if !r.Value.Valid() {
		return "–"
	}
	words := figure.Number(float64(r.Value))
	if r.Low != nil && r.High != nil {
		words += " (" + figure.Number(*r.Low) + " to " + figure.Number(*r.High) + ")"
	}
	return words
}

// Limit writes what it may be.
func (*retrainingPage) Limit(r reaction.DriftRow) string {
	if r.Threshold == nil {
		return "–"
	}
	return figure.Number(*r.Threshold)
}

func (s *server) retraining(v *visit) error {
	is, report, err := s.Reactions.Retraining(v.ctx(), v.r.PathValue("retraining"))
	if err != nil {
		return err
	}
	p := &retrainingPage{Retraining: is, Document: &reaction.RetrainReport{}}
	if err := json.Unmarshal(report, p.Document); err != nil {
		return fmt.Errorf("report of the request %s: %w", is.ID, err)
	}
	return s.show(v, "retraining", "Training of "+strings.TrimSpace(p.Where())+" asked for", p)
}

// retrainingReport hands out the report as it was kept.
func (s *server) retrainingReport(v *visit) error {
	is, report, err := s.Reactions.Retraining(v.ctx(), v.r.PathValue("retraining"))
	if err != nil {
		return err
	}
	return v.download("retraining-"+is.ID+".json", "application/json", report)
}
