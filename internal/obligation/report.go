package obligation

import (
	"fmt"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
)

// Tally counts pieces of evidence, or controls, by state.
type Tally struct {
	Present       int `json:"present"`
	Stale         int `json:"stale"`
	Missing       int `json:"missing"`
	NotApplicable int `json:"not_applicable"`
}

func (t *Tally) add(s State) {
	switch s {
	case Present:
		t.Present++
	case Stale:
		t.Stale++
	case Missing:
		t.Missing++
	case NotApplicable:
		t.NotApplicable++
	}
}

// All returns how many there are.
func (t Tally) All() int { return t.Applicable() + t.NotApplicable }

// Applicable returns how many concern the model now.
func (t Tally) Applicable() int { return t.Present + t.Stale + t.Missing }

// Edition is the catalogue of controls that an answer rests on.
type Edition struct {
	Version string `json:"version" doc:"of the catalogue of controls"`
	AsOf    string `json:"as_of" doc:"day up to which it is known"`
}

// FrameworkTally is a framework with the controls of it, by state.
type FrameworkTally struct {
	ID         string `json:"id"`
	Title      string `json:"title"`
	Edition    string `json:"edition" doc:"which edition of it"`
	Status     string `json:"status,omitempty"`
	Source     string `json:"source" doc:"where what is said of it comes from"`
	Confidence string `json:"confidence" doc:"in what is said of it: high, medium or low"`
	Note       string `json:"note,omitempty"`
	Controls   Tally  `json:"controls" doc:"its controls by the state of their evidence"`
}

// Duty is a control as it stands for a model.
type Duty struct {
	Ref        string   `json:"ref"`
	Title      string   `json:"title"`
	Says       string   `json:"says,omitempty" doc:"what it asks for, in our words"`
	Role       string   `json:"role" doc:"whom the framework speaks to"`
	Applies    string   `json:"applies,omitempty" doc:"from when on, in full"`
	Parts      []string `json:"parts,omitempty"`
	Note       string   `json:"note,omitempty"`
	Level      Level    `json:"level" enum:"satisfies,supports,none" doc:"how far the evidence goes: satisfies the part that a machine can check, supports what people and process do, or none"`
	Confidence string   `json:"confidence" doc:"in this mapping: high, medium or low"`
	State      State    `json:"state" enum:"present,stale,missing,not_applicable"`
	Words      string   `json:"words" doc:"the state of all its evidence in a sentence"`
	Pieces     []Piece  `json:"evidence"`
}

// DutySection is a group of controls.
type DutySection struct {
	Title  string `json:"title,omitempty"`
	Duties []Duty `json:"controls"`
}

// Obligations say which controls ask a model for which evidence, and what of it is there.
type Obligations struct {
	Model      string            `json:"model"`
	Version    string            `json:"version,omitempty" doc:"the version asked for, or the latest; absent if there is none"`
	Digest     tallystick.Digest `json:"version_digest,omitempty"`
	Tier       tallystick.Tier   `json:"tier"`
	Reason     string            `json:"tier_reason,omitempty"`
	At         time.Time         `json:"at"`
	Catalogue  Edition           `json:"catalogue"`
	Ahead      bool              `json:"ahead,omitempty" doc:"controls that are not in force yet are judged as if they were"`
	Words      string            `json:"words" doc:"all of it in a sentence"`
	Framework  *FrameworkTally   `json:"framework,omitempty" doc:"the one that was asked for"`
	Evidence   Tally             `json:"evidence" doc:"types of evidence that it asks for, each counted once"`
	State      State             `json:"state,omitempty" doc:"only evidence of this state is listed"`
	Sections   []DutySection     `json:"sections" doc:"of the framework"`
	Frameworks []FrameworkTally  `json:"frameworks" doc:"all that there are"`
}

// Query chooses what is said of a model.
type Query struct {
	Model, Version string // the latest version, if it is empty
	Framework      string // id or alias; empty: only how many controls of each stand how
	State          State  // only evidence of that state, and the controls that ask for it
	Ahead          bool   // judge controls that are not in force yet as if they were
}

// assess says how all frameworks stand for a subject, and one of them in full.
func assess(c *Catalogue, b *bench, s *subject, q Query, asked *Framework) Obligations {
	o := Obligations{
		Model: s.model.Name, Version: s.version.Version, Digest: s.version.Digest, Tier: s.model.Tier, Reason: s.model.TierDecision.Reason,
		At: b.now, Catalogue: Edition{c.Version, c.AsOf.String()}, Ahead: q.Ahead, State: q.State, Sections: []DutySection{},
	}
	pieces := map[string]Piece{}
	for id := range b.kinds {
		pieces[id] = b.judge(id, s)
	}
	for i := range c.Frameworks {
		f := &c.Frameworks[i]
		tally, worst := tallyOf(f), map[string]State{}
		for j := range f.Controls {
			duty := b.duty(&f.Controls[j], s, pieces, q.Ahead)
			tally.Controls.add(duty.State)
			for _, p := range duty.Pieces {
				worst[p.Type] = graver(worst[p.Type], p.State)
			}
			if f == asked {
				o.list(f.Controls[j].Section, duty, q.State)
			}
		}
		if f == asked {
			for _, state := range worst {
				o.Evidence.add(state)
			}
			o.Framework = &tally
		}
		o.Frameworks = append(o.Frameworks, tally)
	}
	o.Words = o.sentence(s.model)
	return o
}

func tallyOf(f *Framework) FrameworkTally {
	return FrameworkTally{ID: f.ID, Title: f.Title, Edition: f.Version, Status: f.Status, Source: f.Source, Confidence: f.Confidence, Note: f.Note}
}

// duty says how a control stands for a subject.
func (b *bench) duty(c *Control, s *subject, pieces map[string]Piece, ahead bool) Duty {
	d := Duty{
		Ref: c.Ref, Title: c.Title, Says: c.Says, Role: c.Role, Applies: c.Applies, Parts: c.Parts, Note: c.Note, Level: c.Level, Confidence: c.Confidence,
		State: NotApplicable, Pieces: make([]Piece, 0, len(c.Evidence)),
	}
	reason := s.unconcerned(c.Needs)
	for _, id := range c.Evidence {
		p := b.under(pieces[id], c, s, ahead, reason)
		d.State = graver(d.State, p.State)
		d.Pieces = append(d.Pieces, p)
	}
	switch {
	case c.Level == Nothing:
		d.State, d.Words = NotApplicable, "nothing on record can show this: it is for people and process"
	case reason != "":
		d.State, d.Words = NotApplicable, reason
	case b.now.Before(c.From.Time) && !ahead:
		d.State, d.Words = NotApplicable, "not in force before "+c.From.String()+there(d.Pieces)
	default:
		d.Words = standing(d.Pieces)
	}
	return d
}

// there says what is on record already for a control that asks for nothing yet.
func there(pieces []Piece) string {
	n := 0
	for _, p := range pieces {
		if p.State == Present {
			n++
		}
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("; on record already: %d of %s", n, plural(len(pieces), "kind", "kinds"))
}

// standing says how the evidence for a control stands, in a sentence.
func standing(pieces []Piece) string {
	nouns := map[State][]string{}
	for _, p := range pieces {
		nouns[p.State] = append(nouns[p.State], p.Noun)
	}
	owed := len(pieces) - len(nouns[NotApplicable])
	switch {
	case owed == 0:
		return "it asks for nothing that concerns the model"
	case len(nouns[Present]) == owed && owed == 1:
		return "the evidence is there"
	case len(nouns[Present]) == owed:
		return fmt.Sprintf("all %d kinds of evidence are there", owed)
	}
	words := "the evidence is not there"
	if owed > 1 {
		words = fmt.Sprintf("%d of %d kinds of evidence are there", len(nouns[Present]), owed)
	}
	for _, state := range []State{Stale, Missing} {
		if len(nouns[state]) > 0 {
			words += "; " + string(state) + ": " + strings.Join(nouns[state], ", ")
		}
	}
	return words
}

// graver returns that of two states in which there is more to be done.
func graver(a, b State) State {
	for _, s := range []State{Missing, Stale, Present, NotApplicable} {
		if a == s || b == s {
			return s
		}
	}
	return a
}

// list adds a control to its section, if it has evidence of the state.
func (o *Obligations) list(section string, d Duty, only State) {
	if only != "" {
		var chosen []Piece
		for _, p := range d.Pieces {
			if p.State == only {
				chosen = append(chosen, p)
			}
		}
		if d.Pieces = chosen; len(chosen) == 0 {
			return
		}
	}
	for i := range o.Sections {
		if o.Sections[i].Title == section {
			o.Sections[i].Duties = append(o.Sections[i].Duties, d)
			return
		}
	}
	o.Sections = append(o.Sections, DutySection{Title: section, Duties: []Duty{d}})
}

func (o Obligations) sentence(m catalog.Model) string {
	name := o.Model
	if o.Version != "" {
		name += "@" + o.Version
	}
	if o.Framework == nil {
		return fmt.Sprintf("what %d frameworks ask of %s (tier %s)", len(o.Frameworks), name, o.Tier)
	}
	n, now := o.Framework.Controls, " now"
	if o.Ahead {
		now = ", were all of them in force"
	}
	if n.Applicable() == 0 {
		return fmt.Sprintf("none of the %d controls of %s concerns %s%s", n.All(), o.Framework.Title, name, now)
	}
	var parts []string
	for _, part := range []struct {
		n    int
		says string
	}{{n.Present, "all evidence is there"}, {n.Stale, "some is stale"}, {n.Missing, "some is missing"}} {
		if part.n > 0 {
			parts = append(parts, fmt.Sprintf("for %d %s", part.n, part.says))
		}
	}
	return fmt.Sprintf("%d of the %d controls of %s concern %s (tier %s)%s: %s", n.Applicable(), n.All(), o.Framework.Title, name, m.Tier, now, strings.Join(parts, ", "))
}
