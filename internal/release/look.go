package release

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/policy"
	"github.com/tallystick/tallystick/internal/state"
)

// Look tells what the gate would decide of a request now. It leaves nothing behind: whoever opens a page has
// not asked the gate, and what it said then is nobody's decision.
func (o *Office) Look(ctx context.Context, id string) (Judgement, error) {
	return o.weigh(ctx, func(tx *state.Tx) (Request, error) {
		r, err := request(tx, id)
		if err != nil {
			return r, err
		}
		return r, r.live(tx.Now())
	}, func(*policy.Pack, []byte) {})
}

// Rules returns the rules by which the gate judges the models of a tier.
func (o *Office) Rules(tier tallystick.Tier) ([]policy.Definition, error) {
	pack, err := o.config.Pack(tier)
	if err != nil {
		return nil, err
	}
	return pack.Rules(), nil
}

// Waiting is an open request, with what was said and decided of it so far.
type Waiting struct {
	Request
	Tier     tallystick.Tier
	Reviews  []Review      // the oldest first
	Decision *GateDecision // the last one; nil if the gate was not asked about it yet
}

// Waiting returns the open requests that f chooses, the newest first, in as many questions for one as for
// many.
func (o *Office) Waiting(ctx context.Context, f Filter) (list []Waiting, err error) {
	f.Open = true
	condition, args := f.where("model", "version", "environment")
	err = o.config.DB.Read(ctx, func(tx *state.Tx) error {
		requests, err := state.Collect(tx, scanRequest, "SELECT "+requestColumns+" FROM release_requests WHERE state = 'open' AND "+condition+
			" ORDER BY event DESC "+state.Limit, append(args, f.limit())...)
		if err != nil || len(requests) == 0 {
			return err
		}
		place, ids, models := map[string]int{}, []any{}, []any{}
		for i, r := range requests {
			list = append(list, Waiting{Request: r})
			place[r.ID], ids, models = i, append(ids, r.ID), append(models, r.Model)
		}
		marks := strings.TrimSuffix(strings.Repeat("?, ", len(ids)), ", ")
		reviews, errReviews := state.Collect(tx, scanReview, "SELECT "+reviewColumns+" FROM release_reviews WHERE request IN ("+marks+") ORDER BY event "+state.Limit, append(ids, maxReviews)...)
		decisions, errDecisions := state.Collect(tx, scanDecision, "SELECT "+decisionColumns+` FROM gate_decisions WHERE event IN (
			SELECT max(event) FROM gate_decisions WHERE request <> '' AND request IN (`+marks+") GROUP BY request)", ids...)
		tiers, errTiers := state.Collect(tx, func(row state.Scanner) (t [2]string, err error) {
			return t, row.Scan(&t[0], &t[1])
		}, "SELECT name, tier FROM models WHERE name IN ("+marks+")", models...)
		if err := errors.Join(errReviews, errDecisions, errTiers); err != nil {
			return err
		}
		for _, r := range reviews {
			w := &list[place[r.Request]]
			w.Reviews = append(w.Reviews, r)
		}
		for _, d := range decisions {
			list[place[d.Request]].Decision = &d
		}
		for _, t := range tiers {
			for i := range list {
				if list[i].Model == t[0] {
					list[i].Tier = tallystick.Tier(t[1])
				}
			}
		}
		return nil
	})
	return list, err
}

// countsTo is how far CountWaiting counts: nobody needs to know which large number it is.
const countsTo = 100

// CountWaiting returns how many requests and waivers wait for a review, up to 100.
func (o *Office) CountWaiting(ctx context.Context) (n int, err error) {
	err = o.config.DB.Read(ctx, func(tx *state.Tx) error {
		now := tx.Now().UnixMilli()
		return tx.QueryRow(`SELECT (SELECT count(*) FROM (SELECT 1 FROM release_requests WHERE state = 'open' AND expires_ms > ? `+state.Limit+`) AS requests)
			+ (SELECT count(*) FROM (SELECT 1 FROM waivers WHERE state = 'requested' AND expires_ms > ? `+state.Limit+`) AS exceptions)`,
			now, countsTo, now, countsTo).Scan(&n)
	})
	return min(n, countsTo), err
}

// Live reports whether something can still come of the request.
func (r Request) Live(now time.Time) bool { return r.live(now) == nil }
