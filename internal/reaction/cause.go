package reaction

import (
	"context"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/alert"
	"github.com/tallystick/tallystick/internal/comparison"
	"github.com/tallystick/tallystick/internal/incident"
	"github.com/tallystick/tallystick/internal/state"
)

// Cause is what made a condition true.
type Cause struct {
	Name        string // by which it is known: alert/ID, or comparison/NAME@VERSION
	Alert       string // id of the alert; empty: a comparison
	Rule        string // of the alert, or name of the comparison
	About       string // what everybody may read of it, in a few words
	Model       string
	Version     string
	Environment string
	Page        bool              // an incident is opened of it
	At          time.Time         // when it came to be
	From, To    time.Time         // window that was judged last
	Evidence    tallystick.Digest // judgement
}

func causeOf(a *alert.Alert) Cause {
	return Cause{
		Name: "alert/" + a.ID, Alert: a.ID, Rule: a.Rule, About: a.Summary(), Model: a.Model, Version: a.Version, Environment: a.Environment, Page: a.Severity == alert.Page,
		At: a.Fired, From: a.From, To: a.To, Evidence: a.Evidence,
	}
}

func causeOfComparison(v *comparison.JudgedVersions) Cause {
	return Cause{
		Name: "comparison/" + v.Comparison + "@" + v.New, Rule: v.Comparison, About: "comparison " + v.Comparison + ": " + v.Model + "@" + v.New + " is worse than " + v.Old,
		Model: v.Model, Version: v.New, Environment: v.Environment, At: v.Judged, From: v.From, To: v.To, Evidence: v.Judgement,
	}
}

// The bounds of what one look reads of a model. An alert policy lets fewer alerts fire at once.
const (
	maxAlerts      = 1000
	maxComparisons = 200
)

// look is what is judged bad of models at this moment, each read once.
type look struct {
	office      *Office
	alerts      map[string][]alert.Alert
	comparisons map[string][]comparison.JudgedVersions
}

func (o *Office) look() *look {
	return &look{o, map[string][]alert.Alert{}, map[string][]comparison.JudgedVersions{}}
}

// causes returns what makes the condition of a reaction true, the oldest first, as far as it came to be since the reaction is in
// force: what was bad already when somebody wrote it is theirs to decide.
func (l *look) causes(ctx context.Context, doc *Document, since time.Time) (all []Cause, err error) {
	now := l.office.config.Now()
	if c := doc.When.Comparison; c != nil {
		judged, there := l.comparisons[doc.Model]
		if !there {
			if judged, err = l.office.config.Comparisons.Judged(ctx, comparison.Filter{Model: doc.Model, Limit: maxComparisons}); err != nil {
				return nil, err
			}
			l.comparisons[doc.Model] = judged
		}
		newest := map[string]bool{}
		for i := range judged { // the newest first: what was said of two versions last counts
			v := &judged[i]
			pair := v.Comparison + " " + v.New + " " + v.Old
			if !newest[pair] && c.matches(v) && !v.Judged.Before(since) {
				all = append([]Cause{causeOfComparison(v)}, all...)
			}
			newest[pair] = true
		}
		return all, nil
	}
	fires, there := l.alerts[doc.Model]
	if !there {
		if fires, err = l.office.config.Alerts.Alerts(ctx, alert.Filter{Model: doc.Model, State: alert.Firing, Limit: maxAlerts}); err != nil {
			return nil, err
		}
		l.alerts[doc.Model] = fires
	}
	c := doc.When.Alert
	for i := range fires {
		a := &fires[len(fires)-1-i]
		if c.matches(a) && a.SuppressedBy == "" && !a.Fired.Before(since) && !now.Before(a.Fired.Add(c.For)) {
			all = append(all, causeOf(a))
		}
	}
	return all, nil
}

// incidentWait is for how long a reaction to an alert that pages waits for the incident that is opened of it.
const incidentWait = 2 * time.Minute

// incidentOf returns the incident that is open about a cause, the zero one if there is none. wait says that one is about to be
// opened.
func (o *Office) incidentOf(tx *state.Tx, c *Cause) (i incident.Incident, wait bool, err error) {
	if c.Alert != "" {
		i, err = o.config.Incidents.OfAlert(tx, c.Alert)
	} else {
		i, err = o.config.Incidents.OpenOf(tx, c.Model, c.Version, c.Environment)
	}
	switch {
	case tallystick.CodeOf(err) == tallystick.NotFound:
		return incident.Incident{}, c.Page && o.config.Now().Sub(c.At) < incidentWait, nil
	case err != nil:
		return incident.Incident{}, false, err
	case i.State == incident.Closed:
		return incident.Incident{}, false, nil
	}
	return i, false, nil
}
