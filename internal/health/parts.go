package health

import (
	"context"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/figure"
	"github.com/tallystick/tallystick/internal/monitor"
	"github.com/tallystick/tallystick/internal/objective"
	"github.com/tallystick/tallystick/internal/query"
)

func (o *Office) objectives(ctx context.Context, model string, now time.Time) (Part, error) {
	p := Part{Name: "objectives", Weight: 35, Critical: true}
	all, err := o.config.Objectives.Objectives(ctx, model)
	if err != nil {
		return p, err
	}
	standing, err := o.config.Objectives.Standing(ctx, model)
	if err != nil {
		return p, err
	}
	var t tallied
	n := 0
	for _, is := range all {
		if is.Removed {
			continue
		}
		n++
		last, judged := standing[is.Name]
		if !judged || now.Sub(last.At) > objective.Stale {
			last.Verdict = tallystick.Insufficient
		}
		t.add(is.Name, last.Verdict)
	}
	if n == 0 {
		return p.unknown("No objective says how well it is to behave."), nil
	}
	return t.of(p, "objectives"), nil
}

func (o *Office) monitors(ctx context.Context, model string, now time.Time) (Part, error) {
	p := Part{Name: "monitors", Weight: 25, Critical: true}
	all, err := o.config.Monitors.Monitors(ctx, model)
	if err != nil {
		return p, err
	}
	var t tallied
	n := 0
	for _, m := range all {
		if m.Removed {
			continue
		}
		n++
		last, err := o.newest(ctx, m.Name)
		if err != nil {
			return p, err
		}
		verdict := tallystick.Insufficient
		if last != nil && now.Sub(last.To) <= 3*last.To.Sub(last.From)+objective.Stale {
			verdict = last.Verdict
		}
		t.add(m.Name, verdict)
	}
	if n == 0 {
		return p.unknown("No monitor watches it."), nil
	}
	return t.of(p, "monitors"), nil
}

// newest returns the judgement of the latest of the windows that a monitor judged last, nil if there is none.
func (o *Office) newest(ctx context.Context, name string) (*monitor.JudgedWindow, error) {
	found, err := o.config.Monitors.Judged(ctx, monitor.JudgedFilter{Monitor: name, Limit: 10})
	if err != nil || len(found) == 0 {
		return nil, err
	}
	last := &found[0]
	for i := range found {
		if found[i].To.After(last.To) {
			last = &found[i]
		}
	}
	return last, nil
}

func (o *Office) evidence(ctx context.Context, model string, _ time.Time) (Part, error) {
	p := Part{Name: "evidence", Weight: 20, Critical: true}
	s, err := o.config.Releases.Status(ctx, model, "")
	if err != nil {
		return p, err
	}
	if len(s.Items) == 0 {
		return p.unknown("It owes nothing at its tier."), nil
	}
	present := 0
	for _, item := range s.Items {
		if item.State == catalog.Present {
			present++
		}
		if item.State == catalog.Present && item.Evidence != nil && item.Evidence.Verdict == tallystick.Fail {
			return p.known(0, tallystick.Fail, "%s failed.", item.Title), nil
		}
	}
	value := float64(present) / float64(len(s.Items))
	if present == len(s.Items) {
		return p.known(value, tallystick.Pass, "All that it owes is there."), nil
	}
	return p.known(value, tallystick.Warn, "%d of %d things that it owes count: %s.", present, len(s.Items), s.Words), nil
}

func (o *Office) findings(ctx context.Context, model string, now time.Time) (Part, error) {
	p := Part{Name: "findings", Weight: 10, Critical: true}
	open, err := o.config.Catalog.Findings(ctx, catalog.FindingFilter{Model: model, Open: true, Limit: 1000})
	if err != nil {
		return p, err
	}
	grave, late := 0, 0
	for _, f := range open {
		switch {
		case f.Severity == catalog.SeverityCritical:
			grave++
		case f.Due.Before(now):
			late++
		}
	}
	switch {
	case grave > 0:
		return p.known(0, tallystick.Fail, "%d of %d open findings are critical.", grave, len(open)), nil
	case late > 0:
		return p.known(0.25, tallystick.Warn, "%d of %d open findings are overdue.", late, len(open)), nil
	case len(open) > 0:
		return p.known(0.75, tallystick.Warn, "%d findings are open, none of them critical or overdue.", len(open)), nil
	}
	return p.known(1, tallystick.Pass, "No finding is open."), nil
}

// Labels are looked at of the month that ended a month ago, if that is not too much to read for one figure.
const (
	labelAge   = 30 * 24 * time.Hour
	maxLabeled = 200_000
)

func (o *Office) labels(ctx context.Context, model string, now time.Time) (Part, error) {
	p := Part{Name: "labels", Weight: 10}
	s := query.Selection{Model: model, From: now.Add(-2 * labelAge), To: now.Add(-labelAge)}
	files, err := o.config.Asker.Kept(ctx, model, s.From, s.To)
	if err != nil {
		return p, err
	}
	rows := int64(0)
	for _, f := range files {
		rows += f.Predictions
	}
	switch {
	case rows == 0:
		return p.unknown("No prediction of 30 to 60 days ago is on record."), nil
	case rows > maxLabeled:
		return p.unknown("%d predictions of 30 to 60 days ago are too many to look at for this; `tallystick label coverage %s` does.", rows, model), nil
	}
	c, err := o.config.Asker.Coverage(ctx, s, 0)
	if err != nil {
		return p, err
	}
	if c.All.Predictions == 0 {
		return p.unknown("No prediction of 30 to 60 days ago is on record."), nil
	}
	value := float64(c.All.Labelled) / float64(c.All.Predictions)
	verdict := tallystick.Warn
	if value >= 0.5 {
		verdict = tallystick.Pass
	}
	return p.known(value, verdict, "%s of %d predictions of 30 to 60 days ago have a label.", figure.Percent(value), c.All.Predictions), nil
}
