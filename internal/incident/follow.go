package incident

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/alert"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
	"github.com/tallystick/tallystick/internal/wording"
)

// followed is how long an alert that has resolved meanwhile still opens an incident: somebody was paged.
const followed = 24 * time.Hour

// Run opens an incident for each alert of the severity page that fired, or makes it part of the one that is open about the same
// model, version and environment. While an alert is suppressed it opens none; if it still fires then, it does. What is open
// follows from the tables alone, so that a restart loses nothing and does nothing twice. It says how many it opened.
func (o *Office) Run(ctx context.Context) (outcome string, err error) {
	all, err := alert.Current(ctx, o.config.Alerts, alert.Filter{Severity: alert.Page}, o.config.Now().Add(-followed))
	if err != nil {
		return "", err
	}
	slices.SortFunc(all, func(a, b alert.Alert) int { return cmp.Compare(a.Event, b.Event) }) // the oldest first
	var faults []error
	opened, joined := 0, 0
	for _, a := range all {
		if a.SuppressedBy != "" || a.State != alert.Firing && o.config.Now().Sub(a.Fired) > followed {
			continue
		}
		did, err := o.follow(ctx, a)
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		switch {
		case err != nil:
			faults = append(faults, fmt.Errorf("alert %s: %w", a.ID, err))
		case did == trail.IncidentOpened:
			opened++
		case did == trail.IncidentAlerted:
			joined++
		}
	}
	if opened+joined > 0 {
		outcome = fmt.Sprintf("opened %d incidents; %d alerts joined one", opened, joined)
	}
	return outcome, errors.Join(faults...)
}

// follow returns what became of an alert: the type of the event, empty if it is part of an incident already.
func (o *Office) follow(ctx context.Context, a alert.Alert) (did trail.Type, err error) {
	in := NewIncident{Model: a.Model, Version: a.Version, Environment: a.Environment, Title: titleOf(a)}
	if in.Severity, err = o.severityOf(ctx, a); err != nil {
		return "", err
	}
	if in.Version, err = o.versionOf(ctx, in); err != nil {
		return "", err
	}
	var known bool
	var open Incident
	look := func(tx *state.Tx) error {
		if err := tx.QueryRow("SELECT EXISTS (SELECT 1 FROM incident_alerts WHERE alert = ?)", a.ID).Scan(&known); err != nil || known {
			return err
		}
		open, err = openOf(tx, in.Model, in.Version, in.Environment)
		if tallystick.CodeOf(err) == tallystick.NotFound {
			return nil
		}
		return err
	}
	if err := o.config.DB.Read(ctx, look); err != nil || known {
		return "", err
	}
	signal := signalOf(a)
	var begins *Opened
	if open.ID == "" {
		if in.Runbook, err = o.namedRunbook(ctx, a.Runbook); err != nil {
			return "", err
		}
		if begins, err = o.PrepareOpen(ctx, in, &signal, a.Fired); err != nil {
			return "", err
		}
	}
	err = o.config.DB.Write(ctx, func(tx *state.Tx) error {
		did, open = "", Incident{}
		if err := look(tx); err != nil || known {
			return err
		}
		var change trail.Change = &Alerted{Ref{open.ID, a.Model}, signal}
		switch {
		case open.ID == "" && begins == nil: // it was closed meanwhile: the next run opens another
			return nil
		case open.ID == "":
			change = begins
		}
		_, err := o.config.Recorder.Commit(tx, trail.Act{Actor: o.config.Actor}, change)
		did, _ = change.Subject()
		return err
	})
	return did, err
}

// severityOf returns how severe an incident is that an alert opens: as its policy says, or else by the risk tier of the model.
func (o *Office) severityOf(ctx context.Context, a alert.Alert) (catalog.Severity, error) {
	for _, label := range a.Labels {
		if stated, is := strings.CutPrefix(label, alert.IncidentSeverity+"="); is {
			return catalog.Severity(stated), nil
		}
	}
	m, err := o.config.Catalog.Model(ctx, a.Model)
	return severityOfTier(m.Tier), err
}

func severityOfTier(tier tallystick.Tier) catalog.Severity {
	switch tier {
	case tallystick.TierHigh:
		return catalog.SeverityCritical
	case tallystick.TierLow:
		return catalog.SeverityMedium
	}
	return catalog.SeverityHigh // limited, or not known: rather too much
}

// namedRunbook returns the name if there is such a runbook: what an alert says may lead elsewhere.
func (o *Office) namedRunbook(ctx context.Context, name string) (string, error) {
	all, err := o.Runbooks(ctx)
	for _, r := range all {
		if r.Name == name && !r.Removed {
			return name, err
		}
	}
	return "", err
}

// titleOf is the title of an incident that an alert opens.
func titleOf(a alert.Alert) string {
	title := wording.Capital(a.Summary())
	if len(title) > maxTitle {
		title = strings.ToValidUTF8(title[:maxTitle], "")
	}
	return title
}

func signalOf(a alert.Alert) Signal {
	return Signal{
		Alert: a.ID, Rule: a.Rule, Subject: a.Subject, Segment: a.Segment, AlertEvent: a.LastEvent, WindowFrom: a.From.UnixMilli(), WindowTo: a.To.UnixMilli(),
		Judgement: a.Evidence, Words: a.Words,
	}
}
