package web

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/trail"
)

const eventsPerPage = 50

// trailPage is a part of the trail.
type trailPage struct {
	Filter   trailFilter
	Types    []trail.Definition
	Outcomes []string
	Events   []eventLine
	Open     bool   // the reader sees who acted
	Older    string // address of the page after; empty if there is none
	Newer    string // address of the newest events, unless this is them
	Filtered bool
}

// trailFilter is what the address asks for, as it was written.
type trailFilter struct{ Type, Model, Actor, Resource, Outcome, Since, Until string }

// eventLine is an event in a list.
type eventLine struct {
	Sequence uint64
	Time     time.Time
	Title    string
	Type     string
	Resource string
	Model    string
	Actor    string // id, where the reader may see it
	Name     string // of the actor, if it is a user
	Kind     string // of the actor
	Outcome  string
	Level    trail.Level
}

func (s *server) trail(v *visit) error {
	f, asked, err := s.readTrailFilter(v)
	if err != nil {
		return err
	}
	if f.Actor != "" && !v.discloses() {
		return tallystick.Errorf(tallystick.Forbidden, "who acted is sealed, so you may not ask what one of them did").WithHint("an auditor may")
	}
	f.Newest, f.Limit = true, eventsPerPage+1
	events, err := s.Trail.Events(v.ctx(), f)
	if err != nil {
		return err
	}
	page := trailPage{Filter: asked, Types: trail.Definitions(), Outcomes: outcomes(), Open: v.discloses(), Filtered: asked != trailFilter{}}
	if f.Before > 0 {
		page.Newer = asked.address(0)
	}
	if len(events) > eventsPerPage {
		events = events[:eventsPerPage]
		page.Older = asked.address(events[len(events)-1].Sequence)
	}
	titles := titlesOf(page.Types)
	for _, e := range events {
		page.Events = append(page.Events, newLine(e, titles, page.Open))
	}
	if err := s.name(v, page.Events); err != nil {
		return err
	}
	if err := s.noteRead(v, f, asked, len(events)); err != nil {
		return err
	}
	return s.show(v, "trail", "Trail", page)
}

func (s *server) readTrailFilter(v *visit) (f trail.Filter, asked trailFilter, err error) {
	q := func(name string) string { return strings.TrimSpace(v.query(name)) }
	asked = trailFilter{
		Type: q("type"), Model: q("model"), Actor: q("actor"), Resource: q("resource"), Outcome: q("outcome"), Since: q("since"), Until: q("until"),
	}
	f = trail.Filter{Model: asked.Model, Outcome: tallystick.Outcome(asked.Outcome)}
	f.Resource.Type, f.Resource.ID, _ = strings.Cut(asked.Resource, "/")
	if asked.Type != "" {
		if f.Type, err = trail.ParseType(asked.Type); err != nil {
			return f, asked, err
		}
	}
	if f.Actor, err = s.People.ActorID(v.ctx(), asked.Actor); err != nil {
		return f, asked, err
	}
	if f.Since, err = readDay("since", asked.Since); err != nil {
		return f, asked, err
	}
	if f.Until, err = readDay("until", asked.Until); err != nil {
		return f, asked, err
	}
	if len(asked.Until) == len(time.DateOnly) {
		f.Until = f.Until.AddDate(0, 0, 1) // the day is part of what is asked for
	}
	if before := q("before"); before != "" {
		if f.Before, err = strconv.ParseUint(before, 10, 63); err != nil {
			return f, asked, tallystick.Errorf(tallystick.Invalid, "before is no number of an event")
		}
	}
	return f, asked, nil
}

// readDay reads a day or a moment; a day is its beginning in UTC.
func readDay(name, text string) (t time.Time, err error) {
	if text == "" {
		return t, nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339, "2006-01-02T15:04"} {
		if t, err = time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return t, tallystick.Errorf(tallystick.Invalid, "%s is %.40q, which is no day", name, text).WithHint("write it as 2026-03-03")
}

// address returns that of the events that f chooses, before a sequence if it is not 0.
func (f trailFilter) address(before uint64) string {
	q := url.Values{}
	for name, value := range map[string]string{
		"type": f.Type, "model": f.Model, "actor": f.Actor, "resource": f.Resource, "outcome": f.Outcome, "since": f.Since, "until": f.Until,
	} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if before > 0 {
		q.Set("before", strconv.FormatUint(before, 10))
	}
	if len(q) == 0 {
		return "/trail"
	}
	return "/trail?" + q.Encode()
}

// outcomes are what an act can end in.
func outcomes() []string {
	return []string{string(tallystick.Success), string(tallystick.Denied), string(tallystick.Failed)}
}

func titlesOf(definitions []trail.Definition) map[trail.Type]string {
	titles := make(map[trail.Type]string, len(definitions))
	for _, d := range definitions {
		titles[d.Type] = d.Title
	}
	return titles
}

// newLine returns e for a list; open shows who acted.
func newLine(e trail.Event, titles map[trail.Type]string, open bool) eventLine {
	line := eventLine{
		Sequence: e.Sequence, Time: e.Time, Title: titles[e.Type], Type: e.Type.Short(), Model: e.Model,
		Resource: strings.Trim(e.Resource.Type+"/"+e.Resource.ID, "/"), Outcome: string(e.Outcome), Level: levelOf(e), Kind: e.ActorKind,
	}
	if open {
		line.Actor = e.Actor
	}
	return line
}

// name gives those who acted their names.
func (s *server) name(v *visit, lines []eventLine) error {
	var ids []string
	for _, l := range lines {
		ids = append(ids, l.Actor)
	}
	names, err := s.People.Names(v.ctx(), ids)
	for i := range lines {
		lines[i].Name = names[lines[i].Actor]
	}
	return err
}

func levelOf(e trail.Event) trail.Level {
	if e.Index != nil {
		return trail.Sealed
	}
	return trail.Recorded
}

// noteRead puts on the trail that the visitor has read it.
func (s *server) noteRead(v *visit, f trail.Filter, asked trailFilter, events int) error {
	filter := map[string]any{}
	for name, value := range map[string]string{"type": asked.Type, "actor": asked.Actor, "resource": asked.Resource, "outcome": asked.Outcome, "since": asked.Since, "until": asked.Until} {
		if value != "" {
			filter[name] = value
		}
	}
	return s.Registry.Note(v.ctx(), registry.Command{Principal: v.who, Action: access.TrailRead, Resource: whole}, trail.Entry{
		Type: trail.TrailRead, Data: map[string]any{"model": f.Model, "filter": filter, "events": events},
	})
}
