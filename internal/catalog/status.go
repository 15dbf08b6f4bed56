package catalog

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
)

// ItemState says how far something that is owed is there.
type ItemState string

// The states of what is owed. What is stale was there and counts no longer; what is of another digest is
// about other files than the version's.
const (
	Present     ItemState = "present"
	Missing     ItemState = "missing"
	Stale       ItemState = "stale"
	OtherDigest ItemState = "other_digest"
)

// Item is one thing that a model owes.
type Item struct {
	Owed
	State    ItemState `json:"state" enum:"present,missing,stale,other_digest"`
	Words    string    `json:"words" doc:"the state in words"`
	Lacks    []string  `json:"lacks,omitempty" doc:"fields that are missing"`
	Until    time.Time `json:"until,omitzero" doc:"until when it counts; since when it is stale"`
	Evidence *Evidence `json:"evidence,omitempty" doc:"the newest that there is"`
	Command  string    `json:"command" doc:"the command that produces it"`
}

// Status is what a model owes and what of it is there.
type Status struct {
	Model   Model     `json:"model"`
	Version string    `json:"version,omitempty" doc:"the version asked for, or the latest; absent if there is none"`
	At      time.Time `json:"at"`
	Items   []Item    `json:"items"`
	Missing int       `json:"missing" doc:"how many are missing"`
	Stale   int       `json:"stale" doc:"how many are stale or of another digest"`
	Words   string    `json:"words" doc:"all of it in a sentence"`
}

// Complete reports whether all that is owed is there.
func (s Status) Complete() bool { return s.Missing+s.Stale == 0 }

// Status says what the model owes at its tier and what of it is there for the version: the latest one
// if version is empty. Whether the evidence is good is for the gate to say; an item that is present can
// have a verdict that fails.
func (c *Catalog) Status(ctx context.Context, name, version string) (s Status, err error) {
	err = c.db.Read(ctx, func(tx *state.Tx) error {
		s, err = status(tx, name, version)
		return err
	})
	if err != nil {
		return Status{}, fmt.Errorf("status: %w", err)
	}
	return s, nil
}

// Statuses returns the status of the latest version of each model, for a page of the inventory: at most 100.
func (c *Catalog) Statuses(ctx context.Context, names []string) (all []Status, err error) {
	if len(names) > maxStatuses {
		return nil, tallystick.Errorf(tallystick.Invalid, "the status of %d models is asked for, the limit is %d", len(names), maxStatuses)
	}
	err = c.db.Read(ctx, func(tx *state.Tx) error {
		for _, name := range names {
			s, err := status(tx, name, "")
			if err != nil {
				return err
			}
			all = append(all, s)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("status: %w", err)
	}
	return all, nil
}

const maxStatuses = 100

func status(tx *state.Tx, name, version string) (Status, error) {
	m, err := model(tx, name)
	if err != nil {
		return Status{}, err
	}
	if version == "" {
		version = m.LatestVersion
	}
	var v Version
	if version != "" {
		if v, err = findVersion(tx, name, version); err != nil {
			return Status{}, err
		}
	}
	on, err := shelves(tx, []Model{m}, []string{version})
	if err != nil {
		return Status{}, fmt.Errorf("evidence of %s: %w", nameOf(name, version), err)
	}
	return statusOf(m, v, on[name], tx.Now()), nil
}

// statusOf says what m owes and what of it is there for its version v, which is the zero Version if there
// is none.
func statusOf(m Model, v Version, on shelf, now time.Time) Status {
	s := Status{Model: m, Version: v.Version, At: now}
	for _, o := range OwedEvidence() {
		if !o.by(m) {
			continue
		}
		item := Item{Owed: o, Command: o.commandFor(m, v.Version)}
		switch {
		case o.Kind == "":
			item.said(m, v)
		default:
			item.find(on, m, v, now)
		}
		switch item.State {
		case Missing:
			s.Missing++
		case Stale, OtherDigest:
			s.Stale++
		}
		s.Items = append(s.Items, item)
	}
	s.Words = s.sentence()
	return s
}

func (s Status) sentence() string {
	name := nameOf(s.Model.Name, s.Version)
	switch {
	case s.Model.State == Retired:
		return fmt.Sprintf("%s is retired and owes nothing", s.Model.Name)
	case s.Model.State == Experimental:
		return fmt.Sprintf("%s is an experiment and owes nothing; it may serve nowhere that is gated", s.Model.Name)
	case s.Complete():
		return fmt.Sprintf("%s (tier %s) has all %d things that it owes", name, s.Model.Tier, len(s.Items))
	}
	return fmt.Sprintf("%s (tier %s) owes %d things: %d are there, %d missing, %d stale or of another digest",
		name, s.Model.Tier, len(s.Items), len(s.Items)-s.Missing-s.Stale, s.Missing, s.Stale)
}

// said settles an item that is owed by what is said of model and version.
func (i *Item) said(m Model, v Version) {
	var flags []string
	need := func(given bool, field, flag string) {
		if !given {
			i.Lacks, flags = append(i.Lacks, field), append(flags, flag)
		}
	}
	switch i.ID {
	case owedPurpose:
		need(m.Purpose != "", "intended_purpose", "--purpose TEXT")
		need(m.AcceptableUse != "", "acceptable_use", "--acceptable-use TEXT")
		if len(flags) > 0 {
			i.Command = "tallystick model update " + m.Name + " " + strings.Join(flags, " ")
		}
	case owedAnswers:
		for _, id := range m.Answers.Missing() {
			need(false, id, "--answer "+id+"="+strings.Join(optionsOf(id), "|"))
		}
		i.Command += " " + strings.Join(flags, " ")
	case owedSRE:
		need(m.SREOwner != "", "sre_owner", "--sre-owner NAME")
	case owedMetadata:
		for _, r := range MissingMetadata(m, v.VersionDetails) {
			need(false, r.Field, r.Flag)
		}
		i.Command += " " + strings.Join(flags, " ")
	}
	i.Command = strings.TrimSpace(i.Command)
	i.State, i.Words = Present, "it is on record"
	if len(i.Lacks) > 0 {
		i.State, i.Words = Missing, strings.Join(i.Lacks, ", ")+" is missing"
		if len(i.Lacks) > 1 {
			i.Words = strings.Join(i.Lacks, ", ") + " are missing"
		}
	}
}

func optionsOf(question string) (ids []string) {
	for _, q := range Questions() {
		for _, o := range q.Options {
			if q.ID == question {
				ids = append(ids, o.ID)
			}
		}
	}
	return ids
}

// find settles an item that is owed by evidence.
func (i *Item) find(on shelf, m Model, v Version, now time.Time) {
	found, other := i.newest(on, v)
	switch {
	case found == nil && other == nil:
		i.State, i.Words = Missing, "there is none"
		return
	case found == nil:
		i.State, i.Evidence = OtherDigest, other
		i.Words = fmt.Sprintf("there is one of %s, which is about %s and not about this version's files", moment(other.ProducedMS).Format(time.DateOnly), other.Subject.Short())
		return
	}
	i.State, i.Evidence = Present, found
	i.Words = "of " + moment(found.ProducedMS).Format(time.DateOnly)
	if found.Verdict != "" {
		i.Words += ", verdict " + string(found.Verdict)
	}
	if term, _ := i.Term(m.Tier); term > 0 {
		i.Until = moment(found.ProducedMS).Add(term)
	}
	if until := moment(found.UntilMS); !until.IsZero() && (i.Until.IsZero() || until.Before(i.Until)) {
		i.Until = until
	}
	switch {
	case i.Until.IsZero():
	case !now.Before(i.Until):
		i.State = Stale
		i.Words += ", stale since " + i.Until.Format(time.DateOnly)
	default:
		i.Words += ", counts until " + i.Until.Format(time.DateOnly)
	}
}

// newest returns the newest evidence for the item that is about the version, or names no subject, and the newest
// that is about something else. Either can be nil.
func (i *Item) newest(on shelf, v Version) (found, other *Evidence) {
	versions := []string{v.Version}
	if i.scope == ofModel && v.Version != "" {
		versions = append(versions, "")
	}
	for _, version := range versions {
		last := on.newest(func(e *Evidence) bool { return e.Version == version && i.counts(e) })
		if last == nil {
			continue
		}
		about := last
		if v.Digest != "" && !about.isAbout(v) {
			about = on.newest(func(e *Evidence) bool { return e.Version == version && i.counts(e) && e.isAbout(v) })
		}
		if about != nil && (found == nil || about.ProducedMS > found.ProducedMS) {
			found = about
		}
		if about == nil && other == nil {
			other = last
		}
	}
	return found, other
}

// counts reports whether the evidence is of the kind that is owed.
func (i *Item) counts(e *Evidence) bool {
	return e.Kind == i.Kind && (i.Name == "" || e.Name == i.Name)
}

func (e *Evidence) isAbout(v Version) bool {
	return e.Subject == "" || e.Subject == v.Digest || e.Subject == v.Root
}
