package web

import (
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/release"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// freezesPage lists freezes, and declares and lifts them.
type freezesPage struct {
	Forms        forms
	All          bool // those that are over too
	Freezes      []freezeLine
	Names        names
	Environments []string
	Asking       release.Freezing
	Until        string
	Lifting      string // id of the freeze that could not be lifted
	Reason       string // why it was to be
	Why, Hint    string // the visitor may not
	Trouble      *trouble
	Done         *done
}

// freezeLine is a freeze with whether it holds now.
type freezeLine struct {
	release.Freeze
	Holds bool
}

func (s *server) freezes(v *visit) error {
	p, err := s.freezesPage(v)
	if err != nil {
		return err
	}
	p.Asking.Environment, p.Asking.Model = v.query("environment"), v.query("model")
	if p.Done, err = s.justDone(v); err != nil {
		return err
	}
	return s.show(v, "release-freezes", "Freezes", p)
}

func (s *server) freezesPage(v *visit) (*freezesPage, error) {
	p := &freezesPage{Forms: s.forms(v), All: v.query("state") == "all"}
	all, err := s.Releases.Freezes(v.ctx(), release.Filter{Open: !p.All, Limit: shownFreezes})
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, f := range all {
		p.Freezes = append(p.Freezes, freezeLine{f, f.Lifted.IsZero() && (f.Until.IsZero() || f.Until.After(s.Now()))})
		ids = append(ids, f.By, f.LiftedBy)
	}
	if p.Names, err = s.names(v, ids); err != nil {
		return nil, err
	}
	if err := v.who.Allows(access.FreezeManage, whole); err != nil {
		p.Why, p.Hint = words(err)
		return p, nil
	}
	environments, err := s.Catalog.Environments(v.ctx())
	for _, e := range environments {
		p.Environments = append(p.Environments, e.Name)
	}
	return p, err
}

// declareFreeze keeps everything as it is.
func (s *server) declareFreeze(v *visit) error {
	f, until := release.Freezing{Environment: v.value("environment"), Model: v.value("model"), Reason: v.value("reason")}, v.value("until")
	var err error
	if until != "" {
		if f.Until, err = time.Parse("2006-01-02T15:04", until); err != nil {
			err = tallystick.Errorf(tallystick.Invalid, "%.40q is no moment until which the freeze holds", until).WithHint("write it as 2026-03-03T18:00, in UTC, or leave it empty")
		}
	}
	on := whole
	if f.Environment != "" {
		on = trail.Resource{Type: "environment", ID: f.Environment}
	}
	var done registry.Done
	if err == nil {
		done, err = s.act(v, registry.Command{
			Action: access.FreezeManage, Resource: on, Model: f.Model,
			Propose: single(func(tx *state.Tx) (trail.Change, error) { return s.Releases.Freeze(tx, f) }),
		})
	}
	return s.freezeDone(v, done, err, func(p *freezesPage) { p.Asking, p.Until = f, until })
}

// liftFreeze ends a freeze.
func (s *server) liftFreeze(v *visit) error {
	id, reason := v.r.PathValue("freeze"), v.value("reason")
	done, err := s.act(v, registry.Command{
		Action: access.FreezeManage, Resource: trail.Resource{Type: "freeze", ID: id},
		Propose: single(func(tx *state.Tx) (trail.Change, error) { return s.Releases.Lift(tx, id, reason) }),
	})
	return s.freezeDone(v, done, err, func(p *freezesPage) { p.Lifting, p.Reason = id, reason })
}

func (s *server) freezeDone(v *visit, done registry.Done, err error, keep func(*freezesPage)) error {
	if err == nil {
		return s.done(v, "/freezes", done.Receipt)
	}
	if !refused(err) && tallystick.CodeOf(err) != tallystick.NotFound {
		return err
	}
	p, errPage := s.freezesPage(v)
	if errPage != nil {
		return errPage
	}
	keep(p)
	p.Trouble = troubleOf(err)
	return s.render(v, "release-freezes", "Freezes", p.Trouble.Status, p)
}
