package access

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/trail"
)

// Why somebody was not let in, as the event says it.
const (
	reasonUnknown    = "unknown"    // no user of that name
	reasonPassphrase = "passphrase" // a wrong one
	reasonLimited    = "limited"    // too many attempts before
	reasonDisabled   = "disabled"   // the right secret of a user who is shut out
	reasonToken      = "token"      // one that was revoked
	reasonSession    = "session"    // one that was closed
	reasonEnrolment  = "enrolment"  // a link that has ended
	reasonBootstrap  = "bootstrap"  // the same of the bootstrap secret
)

// refusal is somebody who was not let in. user is empty if nobody is known by what was presented: what
// was typed in place of a name may be a passphrase, and is not recorded.
type refusal struct {
	user, reason string
}

const (
	refusalsPeriod = time.Minute
	refusalsEach   = 3    // events in a period for one user and reason; what is more is counted
	maxRefusals    = 4096 // users and reasons counted; what is more is told as of nobody
)

// refusals bounds how many events an attack can make.
type refusals struct {
	mu     sync.Mutex
	counts map[refusal]*refusalCount
}

type refusalCount struct {
	since  time.Time // begin of the period
	events int       // in the period
	untold int       // refusals that no event tells of yet
}

type toldRefusal struct {
	refusal
	count int
}

func newRefusals() *refusals { return &refusals{counts: make(map[refusal]*refusalCount)} }

// count counts a refusal. It returns how many an event is to tell of now, which may be none.
func (r *refusals) count(what refusal, now time.Time) toldRefusal {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.counts[what]
	if c == nil {
		if len(r.counts) >= maxRefusals {
			what.user = ""
			c = r.counts[what]
		}
		if c == nil {
			c = &refusalCount{since: now}
			r.counts[what] = c
		}
	}
	if now.Sub(c.since) >= refusalsPeriod {
		c.since, c.events = now, 0
	}
	c.untold++
	if c.events >= refusalsEach {
		return toldRefusal{}
	}
	told := toldRefusal{what, c.untold}
	c.events++
	c.untold = 0
	return told
}

// due returns what was counted in periods that are over, and forgets them.
func (r *refusals) due(now time.Time) (all []toldRefusal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for what, c := range r.counts {
		if now.Sub(c.since) < refusalsPeriod {
			continue
		}
		if c.untold > 0 {
			all = append(all, toldRefusal{what, c.untold})
		}
		delete(r.counts, what)
	}
	return all
}

// putBack counts again what could not be told.
func (r *refusals) putBack(all []toldRefusal, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, is := range all {
		c := r.counts[is.refusal]
		if c == nil {
			c = &refusalCount{since: now}
			r.counts[is.refusal] = c
		}
		c.untold += is.count
	}
}

// refuse records the refusal, unless events have told of enough of them, and returns cause. If the
// trail cannot be written, that is the error.
func (s *Store) refuse(ctx context.Context, what refusal, cause error) error {
	if told := s.refusals.count(what, s.config.Now()); told.count > 0 {
		if err := s.recordRefusal(ctx, told); err != nil {
			return err
		}
	}
	return cause
}

func (s *Store) recordRefusal(ctx context.Context, r toldRefusal) error {
	e := trail.Entry{
		Type: trail.LoginRefused, Outcome: tallystick.Denied,
		Actor:    trail.Actor{ID: "unknown", Kind: KindPerson}, // it is not proved that it was the user
		Resource: trail.Resource{Type: "installation", ID: "login"},
		Data:     map[string]any{"reason": r.reason, "count": r.count},
	}
	if r.user != "" {
		e.Resource = trail.Resource{Type: "user", ID: r.user}
		e.Data["user"] = r.user
	}
	if _, err := s.config.Recorder.Record(ctx, e); err != nil {
		return fmt.Errorf("record that a login was refused: %w", err)
	}
	return nil
}
