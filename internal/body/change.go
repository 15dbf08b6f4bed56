package body

import (
	"encoding/json"
	"slices"

	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// Changes returns an empty change for each type of event that alters the table of rules.
func Changes() map[trail.Type]func() trail.Change {
	return map[trail.Type]func() trail.Change{
		trail.BodyRuleDefined: func() trail.Change { return new(RuleDefined) },
		trail.BodyRuleRemoved: func() trail.Change { return new(RuleRemoved) },
	}
}

// Tables returns the table of which every row follows from changes.
func Tables() []trail.Table {
	return []trail.Table{{
		Name: "body_rules", Key: []string{"model", "name"}, Columns: []string{"conditions", "margin", "share", "strata", "at_least", "most", "removed", "event"},
	}}
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
}

// Subject implements trail.Change.
func (c *RuleDefined) Subject() (trail.Type, trail.Resource) {
	return trail.BodyRuleDefined, trail.Resource{Type: "model", ID: c.Model}
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
	_, err = tx.Exec(`INSERT INTO body_rules (model, name, conditions, margin, share, strata, at_least, most, removed, event) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, ?)
		ON CONFLICT (model, name) DO UPDATE SET conditions = excluded.conditions, margin = excluded.margin, share = excluded.share, strata = excluded.strata,
		at_least = excluded.at_least, most = excluded.most, removed = 0, event = excluded.event`,
		c.Model, c.Rule, string(where), margin, c.Share, string(strata), c.AtLeast, c.Most, at.Sequence)
	return err
}

// RuleRemoved is the change by which a rule keeps no more.
type RuleRemoved struct {
	Model string `json:"model"`
	Rule  string `json:"rule"`
}

// Subject implements trail.Change.
func (c *RuleRemoved) Subject() (trail.Type, trail.Resource) {
	return trail.BodyRuleRemoved, trail.Resource{Type: "model", ID: c.Model}
}

// Apply implements trail.Change.
func (c *RuleRemoved) Apply(tx *state.Tx, at trail.Mark) error {
	return state.ExecOne(tx, "UPDATE body_rules SET removed = 1, event = ? WHERE model = ? AND name = ?", at.Sequence, c.Model, c.Rule)
}
