package reaction

import (
	"fmt"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// before is what a reaction has tried already, skips left out.
type before struct {
	last       time.Time // when it tried this deed last; zero: never
	ofIncident int64     // how often for this incident
	daily      int64     // deeds of all reactions to the model in the 24 hours before
}

// withheld says why a deed is skipped, empty if it is not.
func (doc *Document) withheld(b before, incident string, now time.Time) string {
	switch {
	case b.daily >= maxDaily:
		return fmt.Sprintf("%d deeds were tried of %s in 24 hours, which is the most", b.daily, doc.Model)
	case incident != "" && b.ofIncident >= doc.Most:
		return fmt.Sprintf("it was tried for incident %s before, and the most is %d", incident, doc.Most)
	case !b.last.IsZero() && now.Before(b.last.Add(doc.Cooldown)):
		return fmt.Sprintf("it was tried on %s, and the cool-down lasts until %s", stamp(b.last), stamp(b.last.Add(doc.Cooldown)))
	}
	return ""
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// before reads what a reaction has tried.
func (o *Office) before(tx *state.Tx, doc *Document, deed Kind, incident string) (b before, err error) {
	var last int64
	err = tx.QueryRow("SELECT coalesce(max(tried_ms), 0) FROM reaction_tries WHERE reaction = ? AND deed = ? AND state <> 'skipped'", doc.Name, string(deed)).Scan(&last)
	if err != nil {
		return b, fmt.Errorf("tries of %s: %w", doc.Name, err)
	}
	b.last = moment(last)
	if incident != "" {
		err = tx.QueryRow("SELECT count(*) FROM reaction_tries WHERE reaction = ? AND deed = ? AND incident = ? AND state <> 'skipped'", doc.Name, string(deed), incident).Scan(&b.ofIncident)
		if err != nil {
			return b, fmt.Errorf("tries of %s: %w", doc.Name, err)
		}
	}
	err = tx.QueryRow("SELECT count(*) FROM reaction_tries WHERE model = ? AND tried_ms > ? AND state <> 'skipped'", doc.Model, o.config.Now().Add(-24*time.Hour).UnixMilli()).Scan(&b.daily)
	if err != nil {
		return b, fmt.Errorf("tries of %s: %w", doc.Name, err)
	}
	return b, nil
}

// known reports whether a deed was tried for a cause.
func known(tx *state.Tx, reaction string, deed Kind, cause string) (is bool, err error) {
	err = tx.QueryRow("SELECT EXISTS (SELECT 1 FROM reaction_tries WHERE reaction = ? AND deed = ? AND cause = ?)", reaction, string(deed), cause).Scan(&is)
	if err != nil {
		return false, fmt.Errorf("tries of %s: %w", reaction, err)
	}
	return is, nil
}

// agent is who acts in the name of a reaction.
type agent struct {
	access.Principal
	mode Mode   // as it counts now
	why  string // why it does not act, though it is written so
}

// agentOf returns who acts by a reaction: a program that may ask for releases, carry them out and freeze, for the person who
// approved the document, or else who applied it. It acts only while the approval counts and who gave it may give it. That person
// counts as an author of what it asks for: they do not review it.
func (o *Office) agentOf(tx *state.Tx, r *Reaction, doc *Document) (a agent, err error) {
	a = agent{Principal: access.Principal{
		ID: "reaction/" + r.Name, Kind: access.KindProgram, Roles: []access.Role{access.Operator}, Minter: r.AppliedBy,
		Scopes: []access.Action{access.ReleaseRequest, access.ReleasePromote, access.FreezeManage, access.IncidentWork, access.RetrainRequest},
	}, mode: Propose}
	if doc.Mode != Act {
		return a, nil
	}
	if r.Approved.IsZero() {
		a.why = "nobody has approved that it acts"
		return a, nil
	}
	who, err := o.config.People.UserIn(tx, r.ApprovedBy)
	switch {
	case tallystick.CodeOf(err) == tallystick.NotFound, err == nil && !mayApprove(who):
		a.why = "who approved that it acts may not any more"
		return a, nil
	case err != nil:
		return a, err
	}
	a.Minter, a.mode = r.ApprovedBy, Act
	return a, nil
}

func mayApprove(u access.User) bool {
	p := access.Principal{ID: u.ID, Kind: u.Kind, Roles: u.Roles}
	return u.State == access.Active && p.Allows(access.ReactionApprove, trail.Resource{}) == nil
}

// act is how the agent's acts stand on the trail.
func (a agent) act() trail.Act {
	return trail.Act{Actor: a.Actor(), Context: map[string]any{"minter": a.Minter}}
}
