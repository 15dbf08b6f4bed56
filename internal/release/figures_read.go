package release

import (
	"context"
	"fmt"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

const (
	usualPeriod  = 90 * 24 * time.Hour
	mostMeasured = 100_000 // rows of a kind that figures are worked out from
)

// FiguresQuery chooses what figures are of.
type FiguresQuery struct {
	Model, Environment string    // empty: all
	From, To           time.Time // zero: the 90 days before To, and now
}

// Figures works out how the release process went in a period, from what is on record. It is an Invalid error if that is
// more than can be read at once.
func (o *Office) Figures(ctx context.Context, q FiguresQuery) (f Figures, err error) {
	now := o.config.Now().UTC()
	f = Figures{Model: q.Model, Environment: q.Environment, From: q.From.UTC(), To: q.To.UTC()}
	if q.To.IsZero() {
		f.To = now
	}
	if q.From.IsZero() {
		f.From = f.To.Add(-usualPeriod)
	}
	if !f.From.Before(f.To) {
		return f, tallystick.Errorf(tallystick.Invalid, "the period from %s to %s is none", f.From.Format(time.DateTime), f.To.Format(time.DateTime)).
			WithHint("let --from be earlier than --to")
	}
	err = o.config.DB.Read(ctx, func(tx *state.Tx) error { return f.read(tx, now) })
	if err != nil {
		return Figures{}, fmt.Errorf("figures of releases: %w", err)
	}
	return f, nil
}

// stretch is a part of the trail, by sequence: from first to before, exclusive; 0 is no bound.
type stretch struct{ first, before uint64 }

// stretchOf returns where all events from since to until lie. Times run with the sequence but for clocks that were set
// back, so that what lies there is held against its times all the same.
func stretchOf(tx *state.Tx, since, until time.Time) (s stretch, err error) {
	if s.first, err = trail.FirstSince(tx, since); err == nil {
		s.before, err = trail.NotBefore(tx, until)
	}
	return s, err
}

// chosen returns the rows of a table in a stretch, in their order, by its primary key or by the index of the model.
func chosen[T any](tx *state.Tx, f *Figures, s stretch, scan func(state.Scanner) (T, error), columns, table string) ([]T, error) {
	condition, args := Filter{Model: f.Model, Environment: f.Environment, Before: s.before}.where("model", "environment")
	rows, err := state.Collect(tx, scan, "SELECT "+columns+" FROM "+table+" WHERE "+condition+" AND event >= ? ORDER BY event "+state.Limit, append(args, s.first, mostMeasured+1)...)
	if err == nil && len(rows) > mostMeasured {
		err = tallystick.Errorf(tallystick.Invalid, "the period holds more than %d rows of %s", mostMeasured, table).WithHint("ask for a shorter period, or for one model")
	}
	return rows, err
}

func (f *Figures) read(tx *state.Tx, now time.Time) error {
	// What ends in the period may have begun as long before as a request lasts; what was let in is watched for a while.
	whole, err := stretchOf(tx, f.From.Add(-maxWait), f.To.Add(watchedFor))
	if err != nil {
		return err
	}
	period, err := stretchOf(tx, f.From, f.To)
	if err != nil {
		return err
	}
	requests, err := chosen(tx, f, whole, scanRequest, requestColumns, "release_requests")
	if err != nil {
		return err
	}
	passages, place := make([]passage, len(requests)), make(map[string]*passage, len(requests))
	for i, r := range requests {
		passages[i].Request = r
		place[r.ID] = &passages[i]
	}
	reviews, err := f.reviews(tx, whole)
	if err != nil {
		return err
	}
	for _, r := range reviews {
		if p := place[r.Request]; p != nil {
			p.reviews = append(p.reviews, r)
		}
	}
	decisions, err := chosen(tx, f, stretch{whole.first, period.before}, scanDecision, decisionColumns, "gate_decisions")
	if err != nil {
		return err
	}
	var denying denials
	for _, d := range decisions {
		if p := place[d.Request]; p != nil {
			p.decisions = append(p.decisions, d)
		}
		if d.At.Before(f.From) || !d.At.Before(f.To) {
			continue
		}
		f.Decisions++
		if d.Verdict != tallystick.Pass {
			f.Denials++
			denying.add(d)
		}
	}
	waivers, err := chosen(tx, f, period, scanWaiver, waiverColumns, "waivers")
	if err != nil {
		return err
	}
	for _, w := range waivers {
		if !w.Created.Before(f.From) && w.Created.Before(f.To) {
			f.Waivers++
			if w.State == WaiverApproved || w.State == WaiverEnded && w.Reviewer != "" {
				f.Approved++
			}
		}
	}
	f.Denying = denying.most()
	f.measure(passages, now)
	return nil
}

// reviews returns those of the requests in a stretch, in their order. Reviews do not name the model, so
// that they are found by their requests.
func (f *Figures) reviews(tx *state.Tx, s stretch) ([]Review, error) {
	condition, args := Filter{Model: f.Model, Environment: f.Environment, Before: s.before}.where("model", "environment")
	rows, err := state.Collect(tx, scanReview, "SELECT "+reviewColumns+" FROM release_reviews WHERE request IN (SELECT id FROM release_requests WHERE "+condition+
		" AND event >= ?) ORDER BY event "+state.Limit, append(args, s.first, mostMeasured+1)...)
	if err == nil && len(rows) > mostMeasured {
		err = tallystick.Errorf(tallystick.Invalid, "the period holds more than %d reviews", mostMeasured).WithHint("ask for a shorter period, or for one model")
	}
	return rows, err
}
