package incident

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
)

// Timeline is what happened around an incident, told from the trail alone.
type Timeline struct {
	Incident string          `json:"incident"`
	From     time.Time       `json:"from"`
	To       time.Time       `json:"to,omitzero" doc:"absent: the incident is not closed"`
	Lines    []TimelineEntry `json:"lines" doc:"the oldest first"`
	More     bool            `json:"more,omitempty" doc:"there is more than is told"`
	Times    Times           `json:"times"`
}

// TimelineEntry is one event of it.
type TimelineEntry struct {
	catalog.Line
	Kind string `json:"kind" enum:"incident,judgement,alert,change" doc:"what it is to the incident"`
}

const (
	maxTimeline = 1000 // lines
	maxReads    = 40   // pages of the history
	lookBehind  = 24 * time.Hour
	mostBehind  = 7 * 24 * time.Hour
)

// Timeline returns what is on the trail about the model from a day before the first bad window until the incident was closed:
// its own events, judgements that did not pass, alerts, and changes that can be a reason. personal opens names and notes, for
// who may see them.
func (o *Office) Timeline(ctx context.Context, i Incident, personal bool, people catalog.People) (t Timeline, err error) {
	begins := i.Detected
	if !i.FirstFrom.IsZero() && i.FirstFrom.Before(begins) {
		begins = i.FirstFrom
	}
	if early := i.Detected.Add(-mostBehind); begins.Before(early) { // of windows that were judged much later
		begins = early
	}
	t = Timeline{Incident: i.ID, From: begins.Add(-lookBehind), Times: i.Times()}
	f := catalog.HistoryFilter{Since: t.From, Limit: 250, Personal: personal, People: people}
	if !i.Closed.IsZero() {
		t.To = i.Closed
		f.Until = i.Closed.Add(time.Millisecond)
	}
	for range maxReads {
		h, err := o.config.Catalog.History(ctx, i.Model, f)
		if err != nil {
			return t, err
		}
		for _, line := range h.Lines {
			kind := i.kindOf(line)
			if kind == "" {
				continue
			}
			if len(t.Lines) == maxTimeline {
				t.More = true
				return t, nil
			}
			t.Lines = append(t.Lines, TimelineEntry{line, kind})
		}
		if h.Next == 0 {
			return t, nil
		}
		f.After = h.Next
	}
	t.More = true
	return t, nil
}

// kindOf says what an event of the model is to an incident, empty if it is nothing.
func (i Incident) kindOf(line catalog.Line) string {
	switch {
	case line.Sequence == i.Event, line.Resource == "incident/"+i.ID:
		return "incident"
	case strings.HasPrefix(line.Type, "incident."): // of another one
		return ""
	case strings.HasPrefix(line.Type, "hold."):
		return "incident"
	case line.Type == "window.judged", line.Type == "objective.judged", line.Type == "comparison.judged":
		if strings.Contains(line.Words, ": "+string(tallystick.Pass)) {
			return ""
		}
		return "judgement"
	case strings.HasPrefix(line.Type, "alert."), strings.HasPrefix(line.Type, "silence."):
		return "alert"
	case line.Outcome == tallystick.Success && IsChange(line.Type):
		return "change"
	}
	return ""
}

// Times are how long an incident took, in seconds. One that no event tells is absent.
type Times struct {
	Detect      *float64 `json:"detect_s,omitempty" doc:"TTD: from the end of the first bad window until it was noticed"`
	Acknowledge *float64 `json:"acknowledge_s,omitempty" doc:"TTA: from then until somebody acknowledged"`
	Mitigate    *float64 `json:"mitigate_s,omitempty" doc:"from when it was noticed until the harm stopped"`
	Resolve     *float64 `json:"resolve_s,omitempty" doc:"TTR: from when it was noticed until the cause was removed"`
}

// Times returns how long the incident took. The end of the first bad window is that of its judgement; it was noticed when the
// first alert fired, or when a person opened it; the rest is said by events of the incident.
func (i Incident) Times() Times {
	between := func(from, to time.Time) *float64 {
		if from.IsZero() || to.IsZero() || to.Before(from) {
			return nil
		}
		s := to.Sub(from).Seconds()
		return &s
	}
	return Times{between(i.FirstTo, i.Detected), between(i.Detected, i.Acknowledged), between(i.Detected, i.Mitigated), between(i.Detected, i.Resolved)}
}

// Statistics say how incidents of a period went.
type Statistics struct {
	Model       string           `json:"model,omitempty"`
	From        time.Time        `json:"from"`
	To          time.Time        `json:"to"`
	Opened      int64            `json:"opened" doc:"incidents that were opened in the period; all figures are about those"`
	ByAlert     int64            `json:"by_alert" doc:"of them by an alert"`
	Open        int64            `json:"open" doc:"of them not closed"`
	Reopened    int64            `json:"reopened" doc:"of them said to be resolved when they were not"`
	Severities  map[string]int64 `json:"severities"`
	Causes      map[string]int64 `json:"causes" doc:"of those that are resolved"`
	Detect      Spread           `json:"detect" doc:"TTD"`
	Acknowledge Spread           `json:"acknowledge" doc:"TTA"`
	Mitigate    Spread           `json:"mitigate"`
	Resolve     Spread           `json:"resolve" doc:"TTR"`
	Cut         bool             `json:"cut,omitempty" doc:"there were more than are counted: take a shorter period"`
}

// Spread is how long something took over several incidents, in seconds.
type Spread struct {
	N      int     `json:"n" doc:"incidents of which it is known"`
	Median float64 `json:"median_s,omitempty"`
	P90    float64 `json:"p90_s,omitempty" doc:"nine in ten took at most so long; the longest, of fewer than ten"`
	Most   float64 `json:"most_s,omitempty"`
}

// spread returns the order statistics: the median is the middle value, or half the sum of the two in the middle, and the
// others are values that occurred.
func spread(all []float64) (s Spread) {
	slices.Sort(all)
	n := len(all)
	if s.N = n; n == 0 {
		return s
	}
	s.Median = (all[(n-1)/2] + all[n/2]) / 2
	s.P90, s.Most = all[(9*n+9)/10-1], all[n-1]
	return s
}

// Figures says how the incidents that were opened in a period went, of one model or all.
func (o *Office) Figures(ctx context.Context, model string, from, to time.Time) (f Statistics, err error) {
	if !from.Before(to) {
		return f, tallystick.Errorf(tallystick.Invalid, "the time from %s until %s is none", from.Format(time.RFC3339), to.Format(time.RFC3339))
	}
	f = Statistics{Model: model, From: from, To: to, Severities: map[string]int64{}, Causes: map[string]int64{}}
	var detect, acknowledge, mitigate, resolve []float64
	add := func(to *[]float64, s *float64) {
		if s != nil {
			*to = append(*to, *s)
		}
	}
	for before := uint64(0); ; {
		all, err := o.Incidents(ctx, Filter{Model: model, From: from, To: to, Before: before, Limit: maxListed})
		if err != nil {
			return f, err
		}
		for _, i := range all {
			t := i.Times()
			add(&detect, t.Detect)
			add(&acknowledge, t.Acknowledge)
			add(&mitigate, t.Mitigate)
			add(&resolve, t.Resolve)
			f.count(i)
			before = i.Event
		}
		if f.Cut = f.Opened >= 100*maxListed; f.Cut || len(all) < maxListed {
			break
		}
	}
	f.Detect, f.Acknowledge, f.Mitigate, f.Resolve = spread(detect), spread(acknowledge), spread(mitigate), spread(resolve)
	return f, nil
}

func (f *Statistics) count(i Incident) {
	f.Opened++
	f.Severities[string(i.Severity)]++
	if i.Source == FromAlert {
		f.ByAlert++
	}
	if i.IsOpen() {
		f.Open++
	}
	if i.Reopened > 0 {
		f.Reopened++
	}
	if i.Cause != "" {
		f.Causes[string(i.Cause)]++
	}
}
