// Package casework has people look at predictions. Rules choose records as they come, by what they are and
// by chance; each becomes a case in a queue. Reviewers claim it, give their opinion with the reason for
// it, some cases a second one, and what is decided is the label of the prediction. Every step is an
// event.
//
// A second opinion is given blind: nobody sees the first before he has given his own. Where the two
// differ a third person decides, who sees both.
package casework

import (
	"context"
	"iter"

	"github.com/tallystick/tallystick/internal/archive"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/label"
	"github.com/tallystick/tallystick/internal/segment"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// Config says on what a desk works. All fields are required.
type Config struct {
	DB       *state.DB
	Recorder *trail.Recorder
	Actor    trail.Actor // in whose name rules open cases
	Segments Segments
	Labels   *label.Store
	Models   Models
}

// Models tell what is on record of a model; see catalog.Catalog.
type Models interface {
	Model(ctx context.Context, name string) (catalog.Model, error)
}

// Segments are the predictions on record, in the order in which they came there; see archive.Archive.
type Segments interface {
	Sealed(ctx context.Context, after uint64, limit int) ([]archive.Sealed, error)
	Entries(ctx context.Context, segment string) iter.Seq2[segment.Entry, error]
}

// Desk is where the cases of one installation are worked on. Its methods may be called by many goroutines.
type Desk struct{ config Config }

// New returns the desk of an installation.
func New(config Config) *Desk { return &Desk{config: config} }

// Changes returns an empty change for each type of event that alters the tables of cases.
func Changes() map[trail.Type]func() trail.Change {
	return map[trail.Type]func() trail.Change{
		trail.CaseRuleDefined: func() trail.Change { return new(RuleDefined) },
		trail.CaseRuleRemoved: func() trail.Change { return new(RuleRemoved) },
		trail.CaseOpened:      func() trail.Change { return new(Opened) },
		trail.CaseClaimed:     func() trail.Change { return new(Claimed) },
		trail.CaseReleased:    func() trail.Change { return new(Released) },
		trail.CaseJudged:      func() trail.Change { return new(Judged) },
	}
}

// Tables returns the tables of which every row follows from changes.
func Tables() []trail.Table {
	return []trail.Table{
		{Name: "case_rules", Key: []string{"model", "name"}, Columns: []string{"conditions", "margin", "share", "strata", "at_least", "most", "second", "within_ms", "queue", "removed", "event"}},
		{Name: "cases", Key: []string{"id"}, Columns: []string{
			"prediction", "model", "version", "environment", "rule", "queue", "stratum", "reason", "output", "second", "state", "claimed_by", "claimed_ms", "opened_ms", "due_ms", "decided_ms",
			"outcome", "agrees", "event", "last_event",
		}},
		{Name: "case_opinions", Key: []string{"case_id", "number"}, Columns: []string{"reviewer", "outcome", "rationale", "given_ms", "event"}},
	}
}
