package casework

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/selection"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// What a rule may say, and what it says if it says nothing.
const (
	maxRules      = 100  // of a model
	maxText       = 4096 // bytes of a reason or a rationale
	defaultMost   = 1000
	defaultWithin = 7 * 24 * time.Hour
)

// CaseRule chooses predictions of a model that people are to look at.
type CaseRule struct {
	Model string `json:"model" doc:"name of the model"`
	Name  string `json:"name" doc:"name of the rule, unique in the model"`
	selection.Terms
	Second  float64 `json:"second" doc:"share of the cases that need a second opinion, 0 to 1"`
	Within  Hours   `json:"within_hours,omitempty" doc:"a case is to be decided in this time"`
	Queue   string  `json:"queue,omitempty" doc:"name of the queue, such as that of the specialists"`
	Removed bool    `json:"removed,omitempty" doc:"it chooses no more"`
	Event   uint64  `json:"event,omitempty" doc:"sequence of the event that defined it last"`
}

// DefineRule returns the change by which a rule is defined or changed, nil if it is so already.
func (d *Desk) DefineRule(tx *state.Tx, r CaseRule) (trail.Change, error) {
	r.Most = cmp.Or(r.Most, defaultMost)
	r.Within = cmp.Or(r.Within, hours(defaultWithin))
	if err := r.validate(); err != nil {
		return nil, err
	}
	known, err := rules(tx, r.Model)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(known, func(k CaseRule) bool { return k.Name == r.Name })
	if i < 0 && len(known) >= maxRules {
		return nil, tallystick.Errorf(tallystick.Invalid, "model %s has %d rules for cases, which is the most", r.Model, maxRules)
	}
	change := &RuleDefined{
		Model: r.Model, Rule: r.Name, Where: r.Where, Margin: r.Margin, Share: r.Share, Strata: r.Strata, AtLeast: r.AtLeast,
		Most: r.Most, Second: r.Second, Within: r.Within.duration().Milliseconds(), Queue: r.Queue,
	}
	if i >= 0 && !known[i].Removed && change.same(known[i]) {
		return nil, nil
	}
	return change, nil
}

func (r CaseRule) validate() error {
	if err := r.Terms.Validate(r.Name); err != nil {
		return err
	}
	if r.Queue != "" {
		if err := tallystick.ValidateName("queue", r.Queue); err != nil {
			return err
		}
	}
	if !(r.Second >= 0 && r.Second <= 1) {
		return tallystick.Errorf(tallystick.Invalid, "share %v of second opinions of rule %s is not from 0 to 1", r.Second, r.Name)
	}
	if !r.Within.valid() {
		return tallystick.Errorf(tallystick.Invalid, "cases of rule %s are due within %v: it can be a minute to a year", r.Name, r.Within.duration())
	}
	return nil
}

// RuleDefined is the change by which a rule is defined or changed.
type RuleDefined struct {
	Model   string   `json:"model"`
	Rule    string   `json:"rule"`
	Where   []string `json:"where,omitempty"`
	Margin  *float64 `json:"margin,omitempty"`
	Share   float64  `json:"share"`
	Strata  []string `json:"strata,omitempty"`
	AtLeast int64    `json:"at_least"`
	Most    int64    `json:"most"`
	Second  float64  `json:"second"`
	Within  int64    `json:"within_ms"`
	Queue   string   `json:"queue,omitempty"`
}

func (c *RuleDefined) same(r CaseRule) bool {
	is := selection.Terms{Where: c.Where, Margin: c.Margin, Share: c.Share, Strata: c.Strata, AtLeast: c.AtLeast, Most: c.Most}
	return is.Equal(&r.Terms) && c.Second == r.Second && c.Within == r.Within.duration().Milliseconds() && c.Queue == r.Queue
}

// Subject implements trail.Change.
func (c *RuleDefined) Subject() (trail.Type, trail.Resource) {
	return trail.CaseRuleDefined, trail.Resource{Type: "model", ID: c.Model}
}

// Apply implements trail.Change.
func (c *RuleDefined) Apply(tx *state.Tx, at trail.Mark) error {
	where, err := json.Marshal(slices.Concat([]string{}, c.Where))
	if err != nil {
		return err
	}
	strata, err := json.Marshal(slices.Concat([]string{}, c.Strata))
	if err != nil {
		return err
	}
	var margin any
	if c.Margin != nil {
		margin = *c.Margin
	}
	_, err = tx.Exec(`INSERT INTO case_rules (model, name, conditions, margin, share, strata, at_least, most, second, within_ms, queue, removed, event)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?)
		ON CONFLICT (model, name) DO UPDATE SET conditions = excluded.conditions, margin = excluded.margin, share = excluded.share, strata = excluded.strata,
		at_least = excluded.at_least, most = excluded.most, second = excluded.second, within_ms = excluded.within_ms, queue = excluded.queue, removed = 0, event = excluded.event`,
		c.Model, c.Rule, string(where), margin, c.Share, string(strata), c.AtLeast, c.Most, c.Second, c.Within, c.Queue, at.Sequence)
	return err
}

// RemoveRule returns the change by which a rule chooses no more, nil if it does not now.
func (d *Desk) RemoveRule(tx *state.Tx, model, name string) (trail.Change, error) {
	known, err := rules(tx, model)
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
	no := tallystick.Errorf(tallystick.NotFound, "model %s has no rule %.80q for cases", model, name)
	if near := tallystick.Nearest(name, names); near != "" {
		return nil, no.WithHint("did you mean %s?", near)
	}
	return nil, no.WithHint("`tallystick case rule list --model %s` lists them", model)
}

// RuleRemoved is the change by which a rule chooses no more.
type RuleRemoved struct {
	Model string `json:"model"`
	Rule  string `json:"rule"`
}

// Subject implements trail.Change.
func (c *RuleRemoved) Subject() (trail.Type, trail.Resource) {
	return trail.CaseRuleRemoved, trail.Resource{Type: "model", ID: c.Model}
}

// Apply implements trail.Change.
func (c *RuleRemoved) Apply(tx *state.Tx, at trail.Mark) error {
	return state.ExecOne(tx, "UPDATE case_rules SET removed = 1, event = ? WHERE model = ? AND name = ?", at.Sequence, c.Model, c.Rule)
}

// Rules returns the rules of a model, or of all models, those that were removed too.
func (d *Desk) Rules(ctx context.Context, model string) (all []CaseRule, err error) {
	err = d.config.DB.Read(ctx, func(tx *state.Tx) error {
		all, err = rules(tx, model)
		return err
	})
	return all, err
}

const maxAllRules = 10_000

// rules returns the rules of a model, or of all models.
func rules(tx *state.Tx, model string) ([]CaseRule, error) {
	found, err := state.Collect(tx, func(row state.Scanner) (r CaseRule, err error) {
		var where, strata string
		var within int64
		err = row.Scan(&r.Model, &r.Name, &where, &r.Margin, &r.Share, &strata, &r.AtLeast, &r.Most, &r.Second, &within, &r.Queue, &r.Removed, &r.Event)
		if err == nil {
			err = errors.Join(json.Unmarshal([]byte(where), &r.Where), json.Unmarshal([]byte(strata), &r.Strata))
		}
		r.Within = hours(time.Duration(within) * time.Millisecond)
		return r, err
	}, `SELECT model, name, conditions, margin, share, strata, at_least, most, second, within_ms, queue, removed = 1, event FROM case_rules
		WHERE model = ? OR ? = '' ORDER BY model, name `+state.Limit, model, model, maxAllRules)
	if err != nil {
		return nil, fmt.Errorf("read the rules for cases: %w", err)
	}
	return found, nil
}
