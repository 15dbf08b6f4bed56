package objective

import (
	"context"
	"time"

	"github.com/tallystick/tallystick"
)

// windows counts what the windows of a monitor were judged to be, when they end. Of a window that was judged again the newest
// judgement counts.
type windows struct {
	office *Office
	doc    *Document
}

func (w *windows) newest(ctx context.Context, until uint64) (uint64, error) {
	return w.office.config.Monitors.NewestJudged(ctx, w.doc.Parameters.Monitor, until)
}

func (w *windows) touched(ctx context.Context, from time.Time, earlier, later mark) (all []Stretch, err error) {
	judged, err := w.office.config.Monitors.JudgedBetween(ctx, w.doc.Parameters.Monitor, from, earlier.Event, later.Event)
	for _, j := range judged {
		all = append(all, Stretch{j.To, j.To.Add(time.Millisecond)})
	}
	return all, err
}

func (w *windows) count(ctx context.Context, s Stretch, until uint64, add func(at time.Time, good bool)) error {
	for j, err := range w.office.config.Monitors.Standing(ctx, w.doc.Parameters.Monitor, s.From, s.To, until) {
		if err != nil {
			return err
		}
		drifted, drift, poor, labelled := false, false, false, false
		for _, r := range j.Rows {
			clear := r.Verdict != tallystick.Insufficient && r.Verdict != tallystick.Inconclusive
			switch {
			case !clear:
			case r.Check == "drift" && w.doc.Indicator == "stable":
				add(j.To, r.Verdict != tallystick.Fail)
			case r.Check == "drift":
				drift, drifted = true, drifted || r.Verdict == tallystick.Fail
			case r.Check == "performance":
				labelled, poor = true, poor || r.Verdict == tallystick.Fail
			}
		}
		if w.doc.Indicator == "drift_explained" && drift && labelled {
			add(j.To, drifted == poor)
		}
	}
	return nil
}

// decided counts what people decided of predictions, when they did.
type decided struct {
	office *Office
	doc    *Document
}

func (c *decided) newest(ctx context.Context, until uint64) (uint64, error) {
	return c.office.config.Cases.NewestDecided(ctx, c.doc.Model, until)
}

func (c *decided) touched(ctx context.Context, from time.Time, earlier, later mark) (all []Stretch, err error) {
	cases, err := c.office.config.Cases.Decided(ctx, c.doc.Model, from, later.Time.Add(day), earlier.Event, later.Event)
	for _, d := range cases {
		all = append(all, Stretch{d.At, d.At.Add(time.Millisecond)})
	}
	return all, err
}

func (c *decided) count(ctx context.Context, s Stretch, until uint64, add func(at time.Time, good bool)) error {
	champions, err := c.office.reigns(ctx, c.doc)
	if err != nil {
		return err
	}
	cases, err := c.office.config.Cases.Decided(ctx, c.doc.Model, s.From, s.To, 0, until)
	if err != nil {
		return err
	}
	for _, d := range cases {
		switch {
		case d.Agrees == nil, c.doc.Environment != "" && d.Environment != c.doc.Environment:
		case c.doc.Version != "" && c.doc.Version != champion && d.Version != c.doc.Version:
		case !champions.had(d.Version, d.At):
		default:
			add(d.At, *d.Agrees)
		}
	}
	return nil
}
