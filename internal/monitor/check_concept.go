package monitor

import (
	"context"
	"fmt"
	"math"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/figure"
	"github.com/tallystick/tallystick/internal/performance"
	"github.com/tallystick/tallystick/internal/stat"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/yamldoc"
)

// conceptCheck watches the stream of windows for labels that outputs match less than before. Nothing is remembered between
// windows: the counts of earlier ones are those of their judgements.
type conceptCheck struct {
	method    string
	bound     *float64 // greatest share of wrong outputs; nil: that of the baseline
	tolerance *float64 // by how much a predicted number may be off
	since     time.Time
}

// The ways to watch.
const (
	byEProcess    = "e_process"
	byPageHinkley = "page_hinkley"
	byDDM         = "ddm"
	byADWIN       = "adwin"
)

func newConceptCheck() *conceptCheck { return &conceptCheck{method: byEProcess} }

func (*conceptCheck) about() About {
	return About{
		Key:    "concept",
		Method: "e-process over the wrong outputs of all windows of a year; or `page_hinkley`, `ddm`, `adwin`",
		Fails:  "the outputs of a year are wrong more often than the bound: anytime-valid p at most 0.05, half of the capital staked at once and the rest through the year. A detector warns, and never fails",
		Why:    "off. The bound is `max_error`, or the upper end of the 95 % Wilson interval of the baseline's error rate and 5 % of it more. A test at each window would alarm in the end",
	}
}

func (c *conceptCheck) decode(d decoder) yamldoc.Decode {
	return func(node *yaml.Node, path string) error {
		return d.Mapping(node, path,
			yamldoc.Key("method", d.Choice(func(s string) { c.method = s }, byEProcess, byPageHinkley, byDDM, byADWIN)),
			yamldoc.Key("max_error", d.Share(&c.bound)),
			yamldoc.Key("tolerance", d.Number(&c.tolerance, 0, 1e300)),
			yamldoc.Key("since", d.moment(&c.since)),
		)
	}
}

// minConceptWidth bounds the windows of a year.
const minConceptWidth = 15 * time.Minute

func (c *conceptCheck) begin(ctx context.Context, s *subject) (*look, error) {
	if s.document.Checks.Labels == nil {
		return nil, nil
	}
	t, err := s.turnedOut(ctx)
	if err != nil {
		return nil, err
	}
	if s.document.Width >= minConceptWidth && t.unready("", "") == nil {
		if err := s.earlier(ctx, t, c.begins(s.window)); err != nil {
			return nil, err
		}
	}
	return &look{judge: func(f *facts) []Row { return []Row{c.row(t, f)} }}, nil
}

// begins is when the stream of a window begins: at New Year or, if that is later, when the monitor says so.
func (c *conceptCheck) begins(w Window) time.Time {
	year := time.Date(w.From.Year(), 1, 1, 0, 0, 0, 0, time.UTC)
	if c.since.After(year) && !c.since.After(w.From) {
		return c.since
	}
	return year
}

// counted are the outputs of a window that were wrong, among those with a label.
type counted struct {
	from time.Time
	stat.Proportion
}

// earlier reads the counts of the windows before, from a moment on, as their newest judgements have them.
func (s *subject) earlier(ctx context.Context, t *Turned, from time.Time) error {
	until := bound(s.selection.Registered)
	err := s.office.config.DB.Read(ctx, func(tx *state.Tx) (err error) {
		t.Earlier = nil
		t.Earlier, err = state.Collect(tx, func(row state.Scanner) (c counted, err error) {
			var us, event int64
			err = row.Scan(&us, &event, &c.K, &c.N)
			c.from, t.judged = instant(us), max(t.judged, uint64(event))
			return c, err
		}, `SELECT from_us, event, wrong, labelled FROM window_judgements j WHERE monitor = ? AND from_us >= ? AND from_us < ? AND labelled > 0
			AND event = (SELECT max(event) FROM window_judgements n WHERE n.monitor = j.monitor AND n.from_us = j.from_us AND n.event <= ?) ORDER BY from_us`,
			s.document.Name, from.UnixMicro(), s.window.From.UnixMicro(), until)
		return err
	})
	if err != nil {
		return fmt.Errorf("labelled windows of %s before %s: %w", s.document.Name, s.window, err)
	}
	return nil
}

// wrong counts the wrong outputs of the window; nothing in a regression without a tolerance.
func (c *conceptCheck) wrong(t *Turned) stat.Proportion {
	if t.Window.Reading.Task != performance.Regression {
		return t.Window.Wrong(0)
	}
	if c.tolerance == nil {
		return stat.Proportion{}
	}
	return t.Window.Wrong(*c.tolerance)
}

func (c *conceptCheck) row(t *Turned, f *facts) Row {
	method := "concept/1: e-process, 0.05 a year"
	if c.method != byEProcess {
		method = "concept/1: " + c.method + "; the errors of a window taken as spread evenly in it"
	}
	if r := t.unready("concept", method); r != nil {
		return *r
	}
	r := Row{Check: "concept", Method: method, Measure: "share of wrong outputs", Value: stat.Number(math.NaN()), Verdict: tallystick.Insufficient}
	now := c.wrong(t)
	switch {
	case f.document.Width < minConceptWidth:
		r.Words = fmt.Sprintf("Windows of %s are too many to watch a year of them: watch windows of %s at least.", f.document.Width, minConceptWidth)
		return r
	case t.Window.Reading.Task == performance.Regression && c.tolerance == nil:
		r.Words = "Nothing says by how much a predicted number may be off: state checks.concept.tolerance in the monitor."
		return r
	case now.N == 0:
		r.Words = "No prediction has both an output and a label."
		return r
	}
	most, origin, why := c.most(t)
	if why != "" {
		r.Words = why
		return r
	}
	r.Threshold, r.Origin = number(most), origin
	stream := append(t.Earlier[:len(t.Earlier):len(t.Earlier)], counted{f.window.From, now})
	var all stat.Proportion
	for _, w := range stream {
		all.K, all.N = all.K+w.K, all.N+w.N
	}
	r.N, r.Value = all.N, stat.Number(all.Rate())
	if all.N < performance.MinRows {
		r.Words = fmt.Sprintf("%d labelled predictions since %s are too few to watch.", all.N, stream[0].from.Format(time.DateOnly))
		return r
	}
	r.Words = fmt.Sprintf("Since %s %s of %d labelled predictions were wrong, in this window %s", stream[0].from.Format(time.DateOnly), figure.Percent(all.Rate()), all.N, figure.Percent(now.Rate()))
	if c.method == byEProcess {
		c.wager(&r, stream, most, f.document.Width)
		return r
	}
	r.Threshold = nil
	c.detect(&r, stream)
	return r
}

// most is the share of wrong outputs that is held to be usual, and whose word that is; or why nobody knows.
func (c *conceptCheck) most(t *Turned) (most float64, origin, why string) {
	if c.method != byEProcess {
		return 0, "", ""
	}
	if c.bound != nil {
		if *c.bound <= 0 || *c.bound >= 1 {
			return 0, "", "A bound of nothing, or of everything, cannot be watched: state another checks.concept.max_error in the monitor."
		}
		return *c.bound, ofMonitor, ""
	}
	if t.Baseline == nil {
		return 0, "", fmt.Sprintf("Nothing says how often outputs are wrong as a rule: %s. State checks.concept.max_error in the monitor.", t.Of)
	}
	tolerance := 0.0
	if c.tolerance != nil {
		tolerance = *c.tolerance
	}
	base := t.Baseline.Wrong(tolerance)
	if base.N < performance.MinRows {
		return 0, "", fmt.Sprintf("%d labelled predictions of %s are too few to say how often outputs are wrong as a rule.", base.N, t.Of)
	}
	return min(0.99, (1+performance.Margin)*base.Wilson(stat.Confidence).High), ofReference, ""
}

// conceptAlpha is how often a stream that is as it should be raises an alarm, in a year.
const conceptAlpha = 0.05

// wager bets on the windows in their order.
func (c *conceptCheck) wager(r *Row, stream []counted, most float64, width time.Duration) {
	const year = 365 * 24 * time.Hour
	e, err := stat.NewEProcess(most, 0.5)
	if err != nil {
		r.Words = "The stream cannot be watched: " + err.Error() + "."
		return
	}
	var alarmed time.Time
	for i, w := range stream {
		if i > 0 {
			e.Stake(0.5 * float64(w.from.Sub(stream[i-1].from)) / float64(year))
		}
		if err := e.AddCount(w.K, w.N); err != nil {
			r.Words = "The stream cannot be watched: " + err.Error() + "."
			return
		}
		if alarmed.IsZero() && e.P() <= conceptAlpha {
			alarmed = w.from
		}
	}
	r.P, r.Verdict = number(e.P()), tallystick.Pass
	if r.Words += fmt.Sprintf("; %s may be.", figure.Percent(most)); !alarmed.IsZero() {
		r.Verdict = tallystick.Fail
		r.Words += fmt.Sprintf(" That is more, which is sure since the window of %s. Once it is explained, state checks.concept.since in the monitor.", alarmed.Format(time.RFC3339))
	}
}

// maxDetected bounds the labelled predictions that a detector is shown.
const maxDetected = 2_000_000

// detect shows the newest windows to a detector, their errors spread evenly.
func (c *conceptCheck) detect(r *Row, stream []counted) {
	first, rows := len(stream), int64(0)
	for first > 0 && rows+stream[first-1].N <= maxDetected {
		first--
		rows += stream[first].N
	}
	var page, adwin, ddm = stat.NewPageHinkley(), stat.NewADWIN(), stat.NewDDM()
	var at time.Time
	for _, w := range stream[first:] {
		for i := range w.N {
			wrong := (i+1)*w.K/w.N > i*w.K/w.N
			value, found := 0.0, false
			if wrong {
				value = 1
			}
			switch c.method {
			case byPageHinkley:
				found = page.Add(value)
			case byADWIN:
				before := adwin.Mean()
				found = adwin.Add(value) && adwin.Mean() > before
			default:
				found = ddm.Add(wrong) == stat.Drift
			}
			if found {
				at = w.from
			}
		}
	}
	r.Words += "."
	if r.Verdict = tallystick.Pass; !at.IsZero() && at.Equal(stream[len(stream)-1].from) {
		r.Verdict = tallystick.Warn
		r.Words += fmt.Sprintf(" %s finds a rise in this window; nobody states how often it does so for nothing.", c.method)
	} else if !at.IsZero() {
		r.Words += fmt.Sprintf(" %s found a rise last in the window of %s.", c.method, at.Format(time.RFC3339))
	}
}
