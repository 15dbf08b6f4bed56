// Package pager takes alerts to people. It embeds Prometheus Alertmanager as a library: routes, groups, inhibition, time
// intervals, templates and receivers are those of its own configuration file. What fires is given to it from the rows of
// package alert, and what those rows say is suppressed is kept back by it; it has no silences of its own. Beside that, or
// instead, alerts go to an Alertmanager elsewhere (Push).
//
// Whoever has neither is told by the subscriptions of package notify, topic "alert".
//
// A group of alerts is told once: what was told stands in a file that is durable before the next notification of that
// group (Told), so that a restart tells nothing twice, and what fired or resolved meanwhile is told after it. A process
// that is killed between a receiver's answer and that file tells it again: at least once, as of every such system. Before a
// receiver is told, it stands in the file that it is about to be, so that whoever may have heard that something fires
// hears of its end too, and that what fires anew is not taken for what was told before.
package pager

import (
	"context"
	"time"

	"github.com/prometheus/common/model"

	"github.com/tallystick/tallystick/internal/alert"
	"github.com/tallystick/tallystick/internal/catalog"
)

// Models says who answers for a model.
type Models interface {
	Model(ctx context.Context, name string) (catalog.Model, error)
}

// Reader reads what is to be told.
type Reader struct {
	Alerts alert.Lister // the rows that notifications follow
	Models Models
	Base   string // URL at which people find this server; empty: there are no links
}

// resolvedFor is how long after its end an alert is still told as resolved by a process that has just begun.
const resolvedFor = 24 * time.Hour

// note is an alert as Alertmanager has it.
type note struct {
	alert.Alert
	labels      model.LabelSet
	annotations model.LabelSet
}

// read returns every alert that fires, and those that have fired and were resolved after a moment.
func (r Reader) read(ctx context.Context, since time.Time) (all []note, err error) {
	people := map[string]catalog.Model{}
	add := func(a alert.Alert) error {
		m, known := people[a.Model]
		if !known {
			if m, err = r.Models.Model(ctx, a.Model); err != nil {
				return err
			}
			people[a.Model] = m
		}
		all = append(all, r.note(a, m))
		return nil
	}
	found, err := alert.Current(ctx, r.Alerts, alert.Filter{}, since)
	if err != nil {
		return nil, err
	}
	for _, a := range found {
		if err := add(a); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// note gives an alert the labels by which it is routed, and words. Labels are those by which it is known, severity, those
// of its policy, and who answers for the model and how much is at risk: owner, sre, tier.
func (r Reader) note(a alert.Alert, m catalog.Model) note {
	n := note{Alert: a, labels: model.LabelSet{}, annotations: model.LabelSet{}}
	for name, value := range a.All() {
		n.labels[model.LabelName(name)] = model.LabelValue(value)
	}
	set := func(to model.LabelSet, name, value string) {
		if value != "" {
			to[model.LabelName(name)] = model.LabelValue(value)
		}
	}
	set(n.labels, "owner", m.Owner)
	set(n.labels, "sre", m.SREOwner)
	set(n.labels, "tier", string(m.Tier))
	set(n.annotations, "summary", a.Summary())
	set(n.annotations, "description", a.Words)
	set(n.annotations, "runbook_url", a.Runbook)
	set(n.annotations, "evidence", string(a.Evidence))
	set(n.annotations, "window", a.From.Format(time.RFC3339)+" to "+a.To.Format(time.RFC3339))
	return n
}

// url is where people see the alert: what it says, since when, what led to it, and what to do.
func (r Reader) url(a *alert.Alert) string {
	if r.Base == "" {
		return ""
	}
	return r.Base + "/alerts/" + a.ID
}
