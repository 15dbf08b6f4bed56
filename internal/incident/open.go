package incident

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// NewIncident is why an incident is opened.
type NewIncident struct {
	Model       string           `json:"model" maxLength:"128" doc:"name of the model"`
	Version     string           `json:"version,omitempty" maxLength:"128" doc:"version that it is about; absent: the champion of the environment, if one is named"`
	Environment string           `json:"environment,omitempty" maxLength:"128" doc:"where"`
	Title       string           `json:"title" maxLength:"256" doc:"what happens, in a line"`
	Severity    catalog.Severity `json:"severity,omitempty" enum:"low,medium,high,critical" doc:"how soon somebody must act; high, if absent"`
	Runbook     string           `json:"runbook,omitempty" maxLength:"128" doc:"runbook by which it is worked; absent: the one that says most about it"`
	At          time.Time        `json:"at,omitzero" doc:"when it happened: predictions and judgements are gathered until then; now, if absent"`
	Hours       int64            `json:"hours,omitempty" minimum:"0" maximum:"720" doc:"how far back the evidence reaches; 72, if absent"`
}

const defaultHours = 72

// PrepareOpen gathers the evidence of an incident and keeps it, and returns the change that opens it. signal is the alert
// that is the reason, nil if a person has none; fired is when that was.
func (o *Office) PrepareOpen(ctx context.Context, in NewIncident, signal *Signal, fired time.Time) (*Opened, error) {
	in.Severity = cmp.Or(in.Severity, catalog.SeverityHigh)
	if err := cmp.Or(checkSeverity(in.Severity), tallystick.ValidateText("title", in.Title, maxTitle)); err != nil {
		return nil, err
	}
	if in.Title == "" {
		return nil, tallystick.Errorf(tallystick.Invalid, "what happens is not said").WithHint("add --title TEXT")
	}
	if in.Hours < 0 || in.Hours > 720 {
		return nil, tallystick.Errorf(tallystick.Invalid, "evidence reaches back 1 to 720 hours, not %d", in.Hours)
	}
	m, err := o.config.Catalog.Model(ctx, in.Model)
	if err != nil {
		return nil, err
	}
	if in.Version, err = o.versionOf(ctx, in); err != nil {
		return nil, err
	}
	now := o.config.Now().UTC().Truncate(time.Millisecond)
	if in.At.After(now) {
		return nil, tallystick.Errorf(tallystick.Invalid, "the incident would have happened on %s, which is not over", in.At.Format(time.RFC3339))
	}
	b, err := o.gather(ctx, in, m.Tier, now, signal)
	if err != nil {
		return nil, fmt.Errorf("gather the evidence about %s: %w", in.Model, err)
	}
	change := &Opened{Model: in.Model, Version: in.Version, Environment: in.Environment, Severity: in.Severity, Source: FromPerson, Title: in.Title, Detected: now.UnixMilli()}
	if signal != nil {
		change.Signal, change.Source, change.Detected = *signal, FromAlert, fired.UnixMilli()
	}
	if b.First != nil {
		change.FirstFrom, change.FirstTo = b.First.From.UnixMilli(), b.First.To.UnixMilli()
	}
	if err := o.giveRunbook(ctx, in, b, change, m.Tier, signal); err != nil {
		return nil, err
	}
	change.Brief, err = o.keep(ctx, b)
	return change, err
}

// versionOf returns the version that an incident is about: the one that is named, or the champion where it happens.
func (o *Office) versionOf(ctx context.Context, in NewIncident) (string, error) {
	if in.Version != "" {
		_, err := o.config.Catalog.Version(ctx, in.Model, in.Version)
		return in.Version, err
	}
	if in.Environment == "" {
		return "", nil
	}
	if _, err := o.config.Catalog.Environment(ctx, in.Environment); err != nil {
		return "", err
	}
	all, err := o.config.Catalog.Assignments(ctx, catalog.AssignmentFilter{Environment: in.Environment, Model: in.Model, Serving: true, Limit: maxListed})
	for _, a := range all {
		if a.Role == catalog.Champion {
			return a.Version, err
		}
	}
	return "", err
}

// giveRunbook pins the runbook by which an incident is worked.
func (o *Office) giveRunbook(ctx context.Context, in NewIncident, b *Brief, change *Opened, tier tallystick.Tier, signal *Signal) error {
	if in.Runbook != "" {
		r, source, err := o.Runbook(ctx, in.Runbook, "")
		if err != nil {
			return err
		}
		if r.Removed {
			return tallystick.Errorf(tallystick.Conflict, "the runbook %s was removed", r.Name)
		}
		change.Runbook = r.Name
		change.RunbookAs, err = o.config.Evidence.Put(ctx, source)
		b.Runbook, b.RunbookAs = change.Runbook, change.RunbookAs
		return err
	}
	r, digest, err := o.choose(ctx, in.Model, tier, b.checks(signal))
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil: // an incident is opened all the same
		message, _ := tallystick.Words(err)
		b.Missing = append(b.Missing, "the runbook: "+message)
	case r != nil:
		change.Runbook, change.RunbookAs = r.Name, digest
		b.Runbook, b.RunbookAs = r.Name, digest
	}
	return nil
}

// checks returns what an incident is about: the check of the alert, or else those that failed in the newest bad judgement.
func (b *Brief) checks(signal *Signal) (all []string) {
	if signal != nil {
		family, _, _ := strings.Cut(signal.Rule, "/")
		last := signal.Rule[strings.LastIndexByte(signal.Rule, '/')+1:]
		if family == "objective" {
			return []string{"objective"}
		}
		return []string{last}
	}
	for _, j := range b.Judgements {
		if j.Verdict != tallystick.Fail {
			continue
		}
		for _, r := range j.Rows {
			if r.Verdict == tallystick.Fail && !slices.Contains(all, r.Check) {
				all = append(all, r.Check)
			}
		}
		break
	}
	return all
}

// Open returns the change that opens an incident. It is a Conflict if one about the same model, version and environment is
// open: what is new about it belongs to that.
func (o *Office) Open(tx *state.Tx, change *Opened) (trail.Change, error) {
	switch is, err := openOf(tx, change.Model, change.Version, change.Environment); {
	case err == nil:
		return nil, tallystick.Errorf(tallystick.Conflict, "incident %s about the same model, version and environment is %s", is.ID, is.State).
			WithHint("add to it: `tallystick incident note %s --note TEXT`", is.ID)
	case tallystick.CodeOf(err) != tallystick.NotFound:
		return nil, err
	}
	return change, nil
}
