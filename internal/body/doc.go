// Package body decides which bodies of predictions are kept. A body is what was sent to a model, or what came from it,
// as it was. It is often about a person, so none is kept unless a rule of the model says so: by conditions, by
// chance, and so many of each stratum that rare classes are not missing. What no rule keeps is dropped before it
// is written anywhere; the record says that it was there, so that the share that was kept can be counted from the
// records alone.
//
// Decision 0028 says why it is so.
package body

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/selection"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

const (
	maxRules    = 100 // of a model
	maxAllRules = 10_000
	defaultMost = 1000
)

// KeepRule keeps bodies of a model.
type KeepRule struct {
	Model string `json:"model" doc:"name of the model"`
	Name  string `json:"name" doc:"name of the rule, unique in the model; records have it as body_rule"`
	selection.Terms
	Removed bool   `json:"removed,omitempty" doc:"it keeps no more"`
	Event   uint64 `json:"event,omitempty" doc:"sequence of the event that defined it last"`
}

// Define returns the change by which a rule is defined or changed, nil if it is so already.
func Define(tx *state.Tx, r KeepRule) (trail.Change, error) {
	r.Most = cmp.Or(r.Most, defaultMost)
	if r.Name == prediction.Dropped {
		return nil, tallystick.Errorf(tallystick.Invalid, "no rule can be called %s: records have that for bodies that no rule kept", r.Name)
	}
	if err := r.Validate(r.Name); err != nil {
		return nil, err
	}
	known, err := Rules(tx, r.Model)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(known, func(k KeepRule) bool { return k.Name == r.Name })
	switch {
	case i < 0 && len(known) >= maxRules:
		return nil, tallystick.Errorf(tallystick.Invalid, "model %s has %d rules for bodies, which is the most", r.Model, maxRules)
	case i >= 0 && !known[i].Removed && known[i].Equal(&r.Terms):
		return nil, nil
	}
	return &RuleDefined{
		Model: r.Model, Rule: r.Name, Where: r.Where, Margin: r.Margin, Share: r.Share, Strata: r.Strata, AtLeast: r.AtLeast, Most: r.Most,
	}, nil
}

// Remove returns the change by which a rule keeps no more, nil if it does not now. What it kept stays.
func Remove(tx *state.Tx, model, name string) (trail.Change, error) {
	known, err := Rules(tx, model)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(known))
	for i, r := range known {
		if names[i] = r.Name; r.Name != name {
			continue
		}
		if r.Removed {
			return nil, nil
		}
		return &RuleRemoved{Model: model, Rule: name}, nil
	}
	no := tallystick.Errorf(tallystick.NotFound, "model %s has no rule %.80q for bodies", model, name)
	if near := tallystick.Nearest(name, names); near != "" {
		return nil, no.WithHint("did you mean %s?", near)
	}
	return nil, no.WithHint("`tallystick body rule list --model %s` lists them", model)
}

// All returns what Rules does, in a transaction of its own.
func All(ctx context.Context, db *state.DB, model string) (found []KeepRule, err error) {
	err = db.Read(ctx, func(tx *state.Tx) error {
		found, err = Rules(tx, model)
		return err
	})
	return found, err
}

// Rules returns the rules of a model, or of all models if that is empty, those that were removed too.
func Rules(tx *state.Tx, model string) ([]KeepRule, error) {
	found, err := state.Collect(tx, func(row state.Scanner) (r KeepRule, err error) {
		var where, strata string
		err = row.Scan(&r.Model, &r.Name, &where, &r.Margin, &r.Share, &strata, &r.AtLeast, &r.Most, &r.Removed, &r.Event)
		if err == nil {
			err = errors.Join(json.Unmarshal([]byte(where), &r.Where), json.Unmarshal([]byte(strata), &r.Strata))
		}
		return r, err
	}, `SELECT model, name, conditions, margin, share, strata, at_least, most, removed = 1, event FROM body_rules
		WHERE model = ? OR ? = '' ORDER BY model, name `+state.Limit, model, model, maxAllRules)
	if err != nil {
		return nil, fmt.Errorf("read the rules for bodies: %w", err)
	}
	return found, nil
}
