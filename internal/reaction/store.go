package reaction

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/revision"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// Reaction is one on record.
type Reaction struct {
	Name       string            `json:"name"`
	Model      string            `json:"model"`
	Document   tallystick.Digest `json:"document_digest,omitempty" doc:"of the reaction as it was written"`
	Removed    bool              `json:"removed,omitempty" doc:"it does nothing any more"`
	Applied    time.Time         `json:"applied" doc:"when it was written so, or removed"`
	AppliedBy  string            `json:"applied_by,omitempty" doc:"id of who wrote it so"`
	Approved   time.Time         `json:"approved,omitzero" doc:"when this very document was approved; absent: it is not, and proposes at most"`
	ApprovedBy string            `json:"approved_by,omitempty" doc:"id of who approved it"`
	Event      uint64            `json:"event" doc:"sequence of the event by which it was written so"`

	minter, approverMinter string
}

// kept are the reactions on record.
var kept = revision.Kind{Noun: "reaction", Table: "reaction_revisions", About: []string{"model"}}

const maxText = 4096 // bytes of a comment or reason

// PrepareApply reads and keeps a reaction, and returns the change that applies it.
func (o *Office) PrepareApply(ctx context.Context, name string, source []byte, who access.Principal) (*Applied, error) {
	doc, err := Parse(source, "reaction")
	if err != nil {
		return nil, err
	}
	if doc.Name != name {
		return nil, tallystick.Errorf(tallystick.Invalid, "the reaction is called %s, not %s", doc.Name, name)
	}
	digest, err := o.config.Evidence.Put(ctx, source)
	return &Applied{doc.Name, doc.Model, digest, doc.Mode, who.Minter}, err
}

// ProposeApply returns the change, nil if the reaction is so already.
func (o *Office) ProposeApply(tx *state.Tx, a *Applied) (trail.Change, error) {
	if _, err := o.config.Catalog.ModelIn(tx, a.Model); err != nil {
		return nil, err
	}
	if is, err := kept.Is(tx, a.Reaction, a.Document); err != nil || is {
		return nil, err
	}
	var others int64
	if err := tx.QueryRow("SELECT count(DISTINCT name) FROM reaction_revisions WHERE name <> ?", a.Reaction).Scan(&others); err != nil {
		return nil, fmt.Errorf("count reactions: %w", err)
	}
	if others >= maxApplied {
		return nil, tallystick.Errorf(tallystick.Conflict, "there are %d reactions, which is the most", maxApplied).WithHint("give one of them another document")
	}
	return a, nil
}

// Approve returns the change by which somebody lets the document in force act by itself, nil if it may. digest, if it is not
// empty, says which document was looked at.
func (o *Office) Approve(tx *state.Tx, name string, digest tallystick.Digest, comment string, who access.Principal) (trail.Change, error) {
	if err := tallystick.ValidateText("comment", comment, maxText); err != nil {
		return nil, err
	}
	r, err := o.reactionIn(tx, name)
	switch {
	case err != nil:
		return nil, err
	case r.Removed:
		return nil, tallystick.Errorf(tallystick.Conflict, "the reaction %s was removed", name)
	case digest != "" && digest != r.Document:
		return nil, tallystick.Errorf(tallystick.Conflict, "the reaction %s is %s now, not %s", name, r.Document.Short(), digest.Short()).WithHint("look at it again: `tallystick reaction show %s`", name)
	case who.Kind != access.KindPerson:
		return nil, tallystick.Errorf(tallystick.Forbidden, "a %s cannot approve a reaction: that is a person's", who.Kind)
	case oneOf(who, r.AppliedBy, r.minter):
		return nil, tallystick.Errorf(tallystick.Forbidden, "you applied the reaction %s: somebody else has to approve it", name).WithHint("ask an approver or validator: `tallystick reaction approve %s`", name)
	case !r.Approved.IsZero():
		return nil, nil
	}
	return &Approved{r.Name, r.Model, r.Document, comment, who.Minter}, nil
}

// oneOf reports whether somebody, or who acts through them, is one of two others.
func oneOf(who access.Principal, others ...string) bool {
	return slices.ContainsFunc(others, func(other string) bool { return other != "" && (other == who.ID || other == who.Minter) })
}

// ProposeRemove returns the change by which a reaction does nothing any more, nil if it does nothing now.
func (o *Office) ProposeRemove(tx *state.Tx, name string) (trail.Change, error) {
	is, err := kept.At(tx, name, 0)
	if err != nil || is.Removed {
		return nil, err
	}
	return &Removed{is.Name, is.Model}, nil
}

// reactionIn returns a reaction with whose hands it went through.
func (o *Office) reactionIn(tx *state.Tx, name string) (Reaction, error) {
	r, err := kept.At(tx, name, 0)
	if err != nil {
		return Reaction{}, err
	}
	return handed(tx, r)
}

// handed adds who applied a revision and who approved it: approvals are of the one that is in force, by hands after it.
func handed(tx *state.Tx, is revision.Revision) (Reaction, error) {
	r := Reaction{Name: is.Name, Model: is.Model, Document: is.Document, Removed: is.Removed, Applied: is.Applied, Event: is.Event}
	if r.Removed {
		return r, nil
	}
	_, err := state.Collect(tx, func(row state.Scanner) (none struct{}, err error) {
		var act, by, minter string
		var at int64
		if err := row.Scan(&act, &by, &minter, &at); err != nil {
			return none, err
		}
		switch {
		case act == applied:
			r.AppliedBy, r.minter = by, minter
		case r.Approved.IsZero():
			r.Approved, r.ApprovedBy, r.approverMinter = moment(at), by, minter
		}
		return none, nil
	}, "SELECT act, by_id, minter, at_ms FROM reaction_hands WHERE reaction = ? AND event >= ? ORDER BY event "+state.Limit, is.Name, int64(is.Event), 100)
	return r, err
}

// moment returns the time of milliseconds since 1970, the zero time for 0.
func moment(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// Reactions returns the reactions of a model, or of all, by name, those that were removed too.
func (o *Office) Reactions(ctx context.Context, model string) (all []Reaction, err error) {
	err = o.config.DB.Read(ctx, func(tx *state.Tx) error {
		all = nil
		found, err := kept.List(tx, model, maxApplied+1)
		if err != nil {
			return err
		}
		for _, is := range found {
			r, err := handed(tx, is)
			if err != nil {
				return err
			}
			all = append(all, r)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list reactions: %w", err)
	}
	return all, nil
}

// Reaction returns a reaction with its document, and that as it was written; both are nil if it was removed.
func (o *Office) Reaction(ctx context.Context, name string) (r Reaction, doc *Document, source []byte, err error) {
	err = o.config.DB.Read(ctx, func(tx *state.Tx) error {
		r, err = o.reactionIn(tx, name)
		return err
	})
	if err != nil || r.Removed {
		return r, nil, nil, err
	}
	if source, err = o.config.Evidence.Get(ctx, r.Document); err != nil {
		return r, nil, nil, fmt.Errorf("reaction %s: %w", name, err)
	}
	doc, err = Parse(source, name)
	return r, doc, source, err
}
