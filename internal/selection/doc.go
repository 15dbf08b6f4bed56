// Package selection chooses records of a model: by conditions, by chance, and so that no stratum goes without.
//
// Chance is a number that follows from the rule and from bytes that nobody outside could choose, so that no
// sender can steer it and everybody who has the record can compute it again.
package selection

import (
	"slices"
	"strconv"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/query"
)

// What terms may say.
const (
	maxWhere        = 16
	maxStrata       = 4
	maxText         = 4096 // bytes of a condition
	maxMost         = 100_000
	maxStratumValue = 128 // bytes

	// Tier is the field that has the risk tier of the model, which is in no record.
	Tier = "tier"
)

// Terms say which records of a model a rule chooses.
type Terms struct {
	Where   []string `json:"where,omitempty" maxItems:"16" doc:"what must hold for the record, all of it, in the words of a query: f_income >= 30000, flags = edge; tier is the risk tier of the model"`
	Margin  *float64 `json:"margin,omitempty" minimum:"0" doc:"the score must be no farther than this from the threshold: the model was not sure"`
	Share   float64  `json:"share" minimum:"0" maximum:"1" doc:"share of these records that is chosen, 0 to 1; which ones follows from random bytes of ours in them, so nobody can choose and everybody can check"`
	Strata  []string `json:"strata,omitempty" maxItems:"4" doc:"fields by which records are told apart: environment, version, route, status, decided_by, tier, or features as f_NAME"`
	AtLeast int64    `json:"at_least,omitempty" minimum:"0" doc:"of each stratum and day so many are chosen, however rare it is"`
	Most    int64    `json:"most,omitempty" minimum:"0" doc:"of all so many a day are chosen at most; 0: 1,000"`
}

// Holding tells in a line which records t is about.
func (t *Terms) Holding() string {
	all := slices.Clone(t.Where)
	if t.Margin != nil {
		all = append(all, "score within "+strconv.FormatFloat(*t.Margin, 'g', -1, 64)+" of the threshold")
	}
	if len(all) == 0 {
		return "all"
	}
	return strings.Join(all, " and ")
}

// Validate returns an Invalid error unless t can choose something. It names the rule that has the terms.
func (t *Terms) Validate(rule string) error {
	if err := tallystick.ValidateName("rule", rule); err != nil {
		return err
	}
	wrong := func(format string, args ...any) *tallystick.Error {
		return tallystick.Errorf(tallystick.Invalid, format, args...)
	}
	switch {
	case !(t.Share >= 0 && t.Share <= 1):
		return wrong("share %v of rule %s is not from 0 to 1", t.Share, rule)
	case t.Share == 0 && t.AtLeast == 0:
		return wrong("rule %s chooses nothing", rule).WithHint("give it a share above 0, such as 0.01, or --at-least N of each stratum")
	case t.Margin != nil && !(*t.Margin >= 0):
		return wrong("margin %v of rule %s is not 0 or more", *t.Margin, rule)
	case t.AtLeast < 0 || t.AtLeast > maxMost:
		return wrong("rule %s is to choose at least %d of each stratum: it can be 0 to %d", rule, t.AtLeast, maxMost)
	case t.Most < 1 || t.Most > maxMost:
		return wrong("rule %s is to choose %d a day at most: it can be 1 to %d", rule, t.Most, maxMost)
	case t.AtLeast > t.Most:
		return wrong("rule %s is to choose at least %d of each stratum, and %d a day at most", rule, t.AtLeast, t.Most).WithHint("raise --most")
	case len(t.Strata) > maxStrata:
		return wrong("rule %s has %d strata, the limit is %d", rule, len(t.Strata), maxStrata)
	case len(t.Where) > maxWhere:
		return wrong("rule %s has %d conditions, the limit is %d", rule, len(t.Where), maxWhere)
	}
	for _, field := range t.Strata {
		if field == Tier {
			continue
		}
		if err := query.OfRecord(field); err != nil {
			return err
		}
	}
	for _, condition := range t.Where {
		if len(condition) > maxText {
			return wrong("a condition of rule %s has %d bytes, the limit is %d", rule, len(condition), maxText)
		}
		c, err := query.ParseCondition(condition, Tier)
		if err == nil && c.Column != Tier {
			err = query.OfRecord(c.Column)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Equal reports whether t and u say the same.
func (t *Terms) Equal(u *Terms) bool {
	return slices.Equal(t.Where, u.Where) && (t.Margin == nil) == (u.Margin == nil) && (t.Margin == nil || *t.Margin == *u.Margin) && t.Share == u.Share &&
		slices.Equal(t.Strata, u.Strata) && t.AtLeast == u.AtLeast && t.Most == u.Most
}
