package web

import (
	"strconv"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/alert"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

const silencesPerPage = 50

// usualSilence is how long a silence lasts unless somebody chooses otherwise.
const usualSilence = "2h"

// spell is how long a silence can be said to last.
type spell struct {
	Value, Words string
	lasts        time.Duration
}

func spells() []spell {
	const hour, day = time.Hour, 24 * time.Hour
	return []spell{
		{"1h", "1 hour", hour}, {usualSilence, "2 hours", 2 * hour}, {"4h", "4 hours", 4 * hour}, {"8h", "8 hours", 8 * hour}, {"24h", "1 day", day},
		{"72h", "3 days", 3 * day}, {"168h", "7 days", 7 * day}, {"720h", "30 days", 30 * day},
	}
}

// silenceForm is a silence as it is filled in.
type silenceForm struct{ Conditions, For, From, Reason string }

// Spells are what can be chosen.
func (silenceForm) Spells() []spell { return spells() }

func (v *visit) silenceForm() silenceForm {
	return silenceForm{Conditions: v.value("conditions"), For: v.value("for"), From: v.value("from"), Reason: v.value("reason")}
}

// read returns the silence that is asked for.
func (f silenceForm) read(now time.Time) (asked alert.Silencing, err error) {
	asked.Reason = f.Reason
	for line := range strings.Lines(f.Conditions) {
		if line = strings.TrimSpace(line); line != "" {
			asked.Matchers = append(asked.Matchers, line)
		}
	}
	begins := now
	if f.From != "" {
		if asked.From, err = time.Parse("2006-01-02T15:04", f.From); err != nil {
			return asked, tallystick.Errorf(tallystick.Invalid, "%.40q is no moment at which the silence begins", f.From).WithHint("write it as 2026-03-03T18:00, in UTC, or leave it empty")
		}
		begins = asked.From
	}
	for _, known := range spells() {
		if known.Value == f.For {
			asked.Until = begins.Add(known.lasts)
			return asked, nil
		}
	}
	return asked, tallystick.Errorf(tallystick.Invalid, "%.20q is not how long a silence lasts", f.For).WithHint("choose one of the list")
}

// silencesPage lists silences, and creates and ends them.
type silencesPage struct {
	Forms     forms
	All       bool // those too that have ended
	Silences  []silenceLine
	Names     names
	More      string
	Typed     silenceForm
	Why, Hint string // the visitor may not
	Ending    string // id of the silence that could not be ended
	Trouble   *trouble
	Done      *done
}

// silenceLine is a silence with how it stands.
type silenceLine struct {
	alert.Silence
	State string // holds, waits or over
}

func (s *server) silences(v *visit) error {
	p, err := s.silencesPage(v)
	if err != nil {
		return err
	}
	if model := v.query("model"); model != "" {
		p.Typed.Conditions = strings.Join((&alert.Alert{Model: model}).Conditions(), "\n")
	}
	if p.Done, err = s.justDone(v); err != nil {
		return err
	}
	return s.show(v, "silences", "Silences", p)
}

func (s *server) silencesPage(v *visit) (*silencesPage, error) {
	p := &silencesPage{Forms: s.forms(v), All: v.query("state") == "all", Typed: silenceForm{For: usualSilence}}
	before, err := readSequence("before", v.query("before"))
	if err != nil {
		return nil, err
	}
	found, err := s.Alerts.Silences(v.ctx(), p.All, before, silencesPerPage+1)
	if err != nil {
		return nil, err
	}
	if len(found) > silencesPerPage {
		found = found[:silencesPerPage]
		p.More = v.with("before", strconv.FormatUint(found[silencesPerPage-1].Event, 10))
	}
	var ids []string
	for _, one := range found {
		line := silenceLine{one, "holds"}
		switch now := s.Now(); {
		case !one.Ended.IsZero() || !now.Before(one.Until):
			line.State = "over"
		case now.Before(one.From):
			line.State = "waits"
		}
		p.Silences = append(p.Silences, line)
		ids = append(ids, one.By)
	}
	if p.Names, err = s.names(v, ids); err != nil {
		return nil, err
	}
	if err := v.who.Allows(access.AlertManage, whole); err != nil {
		p.Why, p.Hint = words(err)
	}
	return p, nil
}

// silencing is the command by which notifications are kept back.
func (s *server) silencing(v *visit, asked alert.Silencing) registry.Command {
	return registry.Command{
		Principal: v.who, Action: access.AlertManage, Resource: trail.Resource{Type: "silence", ID: "new"},
		Propose: func(tx *state.Tx) ([]trail.Change, error) { return s.Alerts.Silence(tx, asked) },
	}
}

func (s *server) createSilence(v *visit) error {
	typed := v.silenceForm()
	asked, err := typed.read(s.Now())
	var done registry.Done
	if err == nil {
		done, err = s.act(v, s.silencing(v, asked))
	}
	return s.silenceDone(v, done, err, func(p *silencesPage) { p.Typed = typed })
}

func (s *server) endSilence(v *visit) error {
	id := v.r.PathValue("silence")
	done, err := s.act(v, registry.Command{
		Principal: v.who, Action: access.AlertManage, Resource: trail.Resource{Type: "silence", ID: id},
		Propose: func(tx *state.Tx) ([]trail.Change, error) { return s.Alerts.EndSilence(tx, id) },
	})
	return s.silenceDone(v, done, err, func(p *silencesPage) { p.Ending = id })
}

func (s *server) silenceDone(v *visit, done registry.Done, err error, keep func(*silencesPage)) error {
	if err == nil {
		return s.done(v, "/silences", done.Receipt)
	}
	if !refused(err) {
		return err
	}
	p, errPage := s.silencesPage(v)
	if errPage != nil {
		return errPage
	}
	keep(p)
	p.Trouble = troubleOf(err)
	return s.render(v, "silences", "Silences", p.Trouble.Status, p)
}
