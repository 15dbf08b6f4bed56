package release

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/policy"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

const (
	reviewLasts  = 365 * 24 * time.Hour
	mostObserved = 100_000 // decisions, the newest, that tell which policy judged
	mostCompared = 6       // changes, the newest, that are told by rule: each compiles two policies
)

// PolicyHistory is which policies judged when.
type PolicyHistory struct {
	Stretches []PolicyStretch `json:"stretches" doc:"in the order in which they began"`
	Cut       bool            `json:"cut,omitempty" doc:"there are more decisions than are read, so that it does not reach back to the first"`
}

// PolicyStretch is a time in which one policy was in force for the models of a tier, as the trail tells it.
type PolicyStretch struct {
	Tier      string            `json:"tier" doc:"risk tier"`
	Policy    tallystick.Digest `json:"policy_digest" doc:"digest of the policy"`
	From      time.Time         `json:"from" doc:"time of the first event that says so"`
	Until     time.Time         `json:"until,omitzero" doc:"time of the event that names another; absent: it is in force"`
	Said      uint64            `json:"said_by" doc:"sequence of the last event that says so: of all, or up to the moment that was asked about"`
	SaidAt    time.Time         `json:"said_at" doc:"when that was"`
	Next      uint64            `json:"said_again_by,omitempty" doc:"sequence of the next one after the moment that was asked about"`
	Event     uint64            `json:"event" doc:"sequence of the first event"`
	Times     int               `json:"times" doc:"events that say so: decisions, changes, confirmations"`
	Note      string            `json:"note,omitempty" doc:"why; only for those who may open sealed fields"`
	Reviewed  time.Time         `json:"reviewed" doc:"when it was last changed or confirmed"`
	ReviewDue bool              `json:"review_due,omitempty" doc:"it is in force, and was neither changed nor confirmed in 365 days"`

	Changes *policy.Difference `json:"changes,omitempty" doc:"what it asks for and the one before does not; of the newest changes whose text is held"`
}

// observation is an event that names the policy of a tier.
type observation struct {
	event  uint64
	at     time.Time
	tier   string
	policy tallystick.Digest
	review bool // it is a change or a confirmation, not only a decision
	note   string
}

// PolicyHistory tells which policies judged when. With a moment, from at up to until, it tells which were in force then.
func (o *Office) PolicyHistory(ctx context.Context, at, until time.Time) (h PolicyHistory, err error) {
	seen, cut, err := o.observations(ctx)
	if err != nil {
		return h, fmt.Errorf("history of policies: %w", err)
	}
	var line policy.Timeline
	for _, s := range seen {
		line.Add(s.tier, s.policy, s.at, s.event)
	}
	uses := line.Stretches()
	h = PolicyHistory{Stretches: []PolicyStretch{}, Cut: cut}
	all, before := make([]PolicyStretch, len(uses)), make([]int, len(uses)) // the stretch before, of its tier
	last := map[string]int{}
	for i, u := range uses {
		all[i] = PolicyStretch{Tier: u.Tier, Policy: u.Digest, From: u.First, Event: u.FirstEvent, Times: u.Times, Reviewed: u.First}
		before[i] = -1
		if was, there := last[u.Tier]; there {
			all[was].Until, before[i] = u.First, was
		}
		last[u.Tier] = i
	}
	place := map[uint64]int{} // of the stretch that begins with an event
	for i, u := range uses {
		place[u.FirstEvent] = i
	}
	now := map[string]int{}
	for _, is := range seen {
		if begins, ok := place[is.event]; ok {
			now[is.tier] = begins
		}
		s := &all[now[is.tier]]
		switch {
		case until.IsZero() || is.at.Before(until):
			s.Said, s.SaidAt = is.event, is.at
		case s.Next == 0:
			s.Next = is.event
		}
		if is.review {
			s.Reviewed, s.Note = is.at, cmp.Or(is.note, s.Note)
		}
	}
	compared := 0
	for i := len(all) - 1; i >= 0 && len(h.Stretches) < maxPage; i-- {
		s := all[i]
		if !until.IsZero() && (!s.From.Before(until) || !s.Until.IsZero() && !s.Until.After(at)) {
			continue
		}
		s.ReviewDue = s.Until.IsZero() && o.config.Now().Sub(s.Reviewed) > reviewLasts
		if was := before[i]; was >= 0 && until.IsZero() && compared < mostCompared {
			compared++
			if s.Changes, err = o.difference(ctx, tallystick.Tier(s.Tier), all[was].Policy, s.Policy); err != nil {
				return h, err
			}
		}
		h.Stretches = append(h.Stretches, s)
	}
	slices.Reverse(h.Stretches)
	return h, nil
}

// observations returns what tells of policies, in the order of the trail.
func (o *Office) observations(ctx context.Context) (all []observation, cut bool, err error) {
	err = o.config.DB.Read(ctx, func(tx *state.Tx) (err error) {
		all, err = state.Collect(tx, func(row state.Scanner) (s observation, err error) {
			var at int64
			err = row.Scan(&s.event, &s.tier, &s.policy, &at)
			s.at = moment(at)
			return s, err
		}, "SELECT event, tier, policy, time_ms FROM gate_decisions ORDER BY event DESC "+state.Limit, mostObserved+1)
		return err
	})
	if cut = len(all) > mostObserved; cut {
		all = all[:mostObserved]
	}
	for _, kind := range []trail.Type{trail.PolicyChanged, trail.PolicyConfirmed} {
		events, errEvents := o.config.Trail.Events(ctx, trail.Filter{Type: kind, Newest: true, Limit: maxPage})
		if err = cmp.Or(err, errEvents); err != nil {
			return nil, false, err
		}
		for _, e := range events {
			data, err := e.Data()
			if err != nil {
				return nil, false, err
			}
			s := observation{event: e.Sequence, at: e.Time, review: true}
			s.tier, _ = data["tier"].(string)
			digest, _ := data["policy_digest"].(string)
			s.policy = tallystick.Digest(digest)
			s.note, _ = data["note"].(string)
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(a, b observation) int { return cmp.Compare(a.event, b.event) })
	return all, cut, nil
}

// difference compares two policies, if the text of both is held.
func (o *Office) difference(ctx context.Context, tier tallystick.Tier, from, to tallystick.Digest) (*policy.Difference, error) {
	var packs [2]*policy.Pack
	for i, d := range []tallystick.Digest{from, to} {
		pack, err := o.config.Pack(tier)
		if err != nil {
			return nil, err
		}
		if pack.Digest() != d {
			files, err := policy.Kept(ctx, o.config.Evidence, d)
			if code := tallystick.CodeOf(err); code == tallystick.NotFound || code == tallystick.Invalid {
				return nil, nil
			}
			if err != nil {
				return nil, err
			}
			if pack, err = policy.Restore(files, "policy "+d.Short()); err != nil {
				return nil, err
			}
		}
		packs[i] = pack
	}
	d := policy.Diff(packs[0], packs[1])
	return &d, nil
}

// PolicyChanged is the change by which a server begins to judge by another policy. What is in force is told by the
// trail alone: no table holds it.
type PolicyChanged struct {
	Tier     tallystick.Tier   `json:"tier"`
	Policy   tallystick.Digest `json:"policy_digest"`
	Replaces tallystick.Digest `json:"replaces,omitempty"`
	Note     string            `json:"note,omitempty"`
}

// Subject implements trail.Change.
func (c *PolicyChanged) Subject() (trail.Type, trail.Resource) {
	return trail.PolicyChanged, trail.Resource{Type: "policy", ID: string(c.Tier)}
}

// Apply implements trail.Change.
func (*PolicyChanged) Apply(*state.Tx, trail.Mark) error { return nil }

// PolicyConfirmed is the change by which a policy stays as it is, with a note that says why.
type PolicyConfirmed struct{ PolicyChanged }

// Subject implements trail.Change.
func (c *PolicyConfirmed) Subject() (trail.Type, trail.Resource) {
	return trail.PolicyConfirmed, trail.Resource{Type: "policy", ID: string(c.Tier)}
}

// Adopt returns the changes by which a server's policies come into force, and keeps their text: those that are others than
// the last ones, and, confirmed, those of which the note says something new.
func (o *Office) Adopt(ctx context.Context, note string) (changes []trail.Change, err error) {
	if err := checkWords("policy note", note); err != nil {
		return nil, err
	}
	seen, _, err := o.observations(ctx)
	if err != nil {
		return nil, fmt.Errorf("last policies: %w", err)
	}
	for _, tier := range []tallystick.Tier{tallystick.TierLow, tallystick.TierLimited, tallystick.TierHigh} {
		pack, err := o.config.Pack(tier)
		if err != nil {
			return nil, err
		}
		if err := pack.Keep(ctx, o.config.Evidence); err != nil {
			return nil, err
		}
		var last observation
		for _, s := range seen {
			if s.review && s.tier == string(tier) {
				last = s
			}
		}
		c := PolicyChanged{Tier: tier, Policy: pack.Digest(), Note: note}
		switch {
		case last.policy != c.Policy:
			c.Replaces = last.policy
			changes = append(changes, &c)
		case note != "" && note != last.note:
			changes = append(changes, &PolicyConfirmed{c})
		}
	}
	return changes, nil
}
