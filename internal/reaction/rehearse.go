package reaction

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/alert"
	"github.com/tallystick/tallystick/internal/comparison"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// Rehearsal says what a reaction would have tried of what is on record. Nothing is done. What the gate would have decided, and to
// which version a rollback would have gone, it does not say.
type Rehearsal struct {
	Reaction string      `json:"reaction"`
	Model    string      `json:"model"`
	From     time.Time   `json:"from"`
	To       time.Time   `json:"to" doc:"exclusive"`
	Looked   int         `json:"looked" doc:"alerts that fired in that time, or judgements of comparisons"`
	Matched  int         `json:"matched" doc:"of them, what made the condition true"`
	Steps    []Rehearsed `json:"steps" doc:"the oldest first"`
	More     bool        `json:"more,omitempty" doc:"there were more than are looked at: take a shorter time"`
}

// Rehearsed is one deed for one cause.
type Rehearsed struct {
	At       time.Time `json:"at" doc:"when it would have been due"`
	Deed     Kind      `json:"deed" enum:"retrain,rollback,pause"`
	Would    string    `json:"would" enum:"act,propose,skip"`
	Cause    string    `json:"cause" doc:"alert/ID or comparison/NAME@VERSION"`
	About    string    `json:"about"`
	Incident string    `json:"incident,omitempty"`
	Reason   string    `json:"reason,omitempty" doc:"why it would have been skipped"`
}

// maxPages bounds the alerts of a rehearsal, in thousands.
const maxPages = 10

// occasion is a cause with when it became due.
type occasion struct {
	Cause
	due      time.Time
	incident string
}

// Rehearse says what a document would have tried from one time until another.
func (o *Office) Rehearse(ctx context.Context, source []byte, from, to time.Time) (r Rehearsal, err error) {
	doc, err := Parse(source, "reaction")
	if err != nil {
		return r, err
	}
	if _, err := o.config.Catalog.Model(ctx, doc.Model); err != nil {
		return r, err
	}
	if to.IsZero() {
		to = o.config.Now()
	}
	if !from.Before(to) {
		return r, tallystick.Errorf(tallystick.Invalid, "the time from %s until %s is none", stamp(from), stamp(to))
	}
	r = Rehearsal{Reaction: doc.Name, Model: doc.Model, From: from.UTC(), To: to.UTC(), Steps: []Rehearsed{}}
	find := o.pastAlerts
	if doc.When.Comparison != nil {
		find = o.pastComparisons
	}
	all, err := find(ctx, doc, &r)
	if err != nil {
		return r, err
	}
	slices.SortStableFunc(all, func(a, b occasion) int { return a.due.Compare(b.due) })
	r.Matched = len(all)
	var tried []Rehearsed
	for _, c := range all {
		for _, deed := range doc.Do {
			step := Rehearsed{At: c.due, Deed: deed.Kind, Would: string(doc.Mode), Cause: c.Name, About: c.About, Incident: c.incident}
			var b before
			for _, t := range tried {
				if c.due.Sub(t.At) < 24*time.Hour {
					b.daily++
				}
				if t.Deed == deed.Kind {
					b.last = t.At
					if t.Incident == c.incident {
						b.ofIncident++
					}
				}
			}
			if step.Reason = doc.withheld(b, c.incident, c.due); step.Reason != "" {
				step.Would = "skip"
			} else {
				tried = append(tried, step)
			}
			r.Steps = append(r.Steps, step)
		}
	}
	if len(r.Steps) > maxListed {
		r.Steps, r.More = r.Steps[:maxListed], true
	}
	return r, nil
}

func (o *Office) pastAlerts(ctx context.Context, doc *Document, r *Rehearsal) (all []occasion, err error) {
	next := uint64(0)
	for page := 0; ; page++ {
		found, err := o.config.Alerts.Alerts(ctx, alert.Filter{Model: doc.Model, Before: next, Limit: maxAlerts})
		if err != nil {
			return nil, err
		}
		for i := range found {
			a := &found[i]
			next = a.Event
			if a.Fired.Before(r.From) || !a.Fired.Before(r.To) {
				continue
			}
			if r.Looked++; !doc.When.Alert.matches(a) {
				continue
			}
			due, err := o.dueOf(ctx, a, doc.When.Alert.For)
			if err != nil {
				return nil, err
			}
			if due.IsZero() || !due.Before(r.To) {
				continue
			}
			c := occasion{Cause: causeOf(a), due: due}
			err = o.config.DB.Read(ctx, func(tx *state.Tx) error {
				i, err := o.config.Incidents.OfAlert(tx, a.ID)
				if tallystick.CodeOf(err) == tallystick.NotFound {
					return nil
				}
				c.incident = i.ID
				return err
			})
			if err != nil {
				return nil, err
			}
			all = append(all, c)
		}
		if len(found) < maxAlerts {
			return all, nil
		}
		if page+1 == maxPages {
			r.More = true
			return all, nil
		}
	}
}

// dueOf returns when an alert had fired for so long, and nothing kept it back; the zero time if that never was.
func (o *Office) dueOf(ctx context.Context, a *alert.Alert, after time.Duration) (time.Time, error) {
	end := a.Resolved
	if end.IsZero() {
		end = o.config.Now()
	}
	due := a.Fired.Add(after)
	events, err := o.config.Trail.Events(ctx, trail.Filter{Resource: trail.Resource{Type: "alert", ID: string(a.Fingerprint)}, Since: a.Fired, Until: end, Limit: maxListed})
	if err != nil {
		return time.Time{}, fmt.Errorf("history of the alert %s: %w", a.ID, err)
	}
	kept := false // back, at due
	for _, e := range events {
		data := e.Sealed()
		by, _ := data["suppressed_by"].(string)
		switch {
		case e.Type == trail.AlertFired, e.Type == trail.AlertSuppressed:
			if !e.Time.After(due) || kept {
				kept = by != ""
			}
		case e.Type == trail.AlertUnsuppressed && kept:
			kept = false
			if e.Time.After(due) {
				due = e.Time
			}
		}
	}
	if kept || due.After(end) || !a.Resolved.IsZero() && !due.Before(end) {
		return time.Time{}, nil
	}
	return due, nil
}

func (o *Office) pastComparisons(ctx context.Context, doc *Document, r *Rehearsal) (all []occasion, err error) {
	found, err := o.config.Comparisons.Judged(ctx, comparison.Filter{Model: doc.Model, Limit: maxListed})
	if err != nil {
		return nil, err
	}
	r.More = len(found) == maxListed
	seen := map[string]bool{}
	for i := range found { // the oldest first
		v := &found[len(found)-1-i]
		if v.Judged.Before(r.From) || !v.Judged.Before(r.To) {
			continue
		}
		r.Looked++
		c := occasion{Cause: causeOfComparison(v), due: v.Judged}
		if doc.When.Comparison.matches(v) && !seen[c.Name] {
			seen[c.Name] = true
			all = append(all, c)
		}
	}
	return all, nil
}
