package web

import (
	"cmp"
	"slices"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/body"
	"github.com/tallystick/tallystick/internal/casework"
)

// rulesPage says which predictions of a model are kept with their bodies, and which people look at.
type rulesPage struct {
	Model  string
	Reads  bool // the visitor may read what predictions say
	Bodies []body.KeepRule
	Cases  []casework.CaseRule
}

func (s *server) rules(v *visit) error {
	m, err := s.Catalog.Model(v.ctx(), v.r.PathValue("model"))
	if err != nil {
		return err
	}
	p := rulesPage{Model: m.Name, Reads: v.who.Allows(access.PredictionRead, whole) == nil}
	if p.Bodies, err = s.Bodies(v.ctx(), m.Name); err != nil {
		return err
	}
	if p.Cases, err = s.Cases.Rules(v.ctx(), m.Name); err != nil {
		return err
	}
	slices.SortStableFunc(p.Bodies, func(a, b body.KeepRule) int { return cmp.Compare(behind(a.Removed), behind(b.Removed)) })
	slices.SortStableFunc(p.Cases, func(a, b casework.CaseRule) int { return cmp.Compare(behind(a.Removed), behind(b.Removed)) })
	return s.show(v, "rules", "Rules of "+m.Name, p)
}

// behind places what was removed behind what counts.
func behind(removed bool) int {
	if removed {
		return 1
	}
	return 0
}
