package release

import (
	"reflect"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// judgementLasts is for how long what was judged may be carried out: between the two there is no more
// than a wait for the database.
const judgementLasts = time.Minute

// Record returns the changes that put a judgement on record, whatever its verdict, and what it shows of
// findings that were said to be put right.
func (o *Office) Record(tx *state.Tx, j Judgement) ([]trail.Change, error) {
	return o.followed(tx, j, true, j.decided())
}

// Promote returns the changes that carry out a request that was judged: the decision, the promotion and
// the assignment, or, if the gate denied, the decision alone. It is a Conflict error that names what has
// changed if the facts are no longer those that were judged.
func (o *Office) Promote(tx *state.Tx, j Judgement) ([]trail.Change, error) {
	r, err := request(tx, j.Request)
	if err != nil {
		return nil, err
	}
	if err := r.live(tx.Now()); err != nil {
		return nil, err
	}
	if err := o.unchanged(tx, j); err != nil {
		return nil, err
	}
	decided := j.decided()
	if j.Decision.Verdict != tallystick.Pass {
		return o.followed(tx, j, false, decided)
	}
	assigned, err := o.config.Catalog.Let(tx, r.assignment(r.Reason))
	if err != nil {
		return nil, err
	}
	changes := []trail.Change{decided, &Promoted{
		Request: r.ID, Model: r.Model, Version: r.Version, Digest: r.Digest, Environment: r.Environment, Input: decided.Input, Replaced: j.champion,
	}}
	if assigned != nil {
		changes = append(changes, assigned)
	}
	return o.followed(tx, j, false, changes...)
}

// unchanged returns a Conflict error unless the facts are those that were judged: none has another
// revision, and none that time alone changes (a freeze, the end of a waiver, an approval or evidence, the
// roles of an approver) has changed.
func (o *Office) unchanged(tx *state.Tx, j Judgement) error {
	again := func(what string) error {
		return tallystick.Errorf(tallystick.Conflict, "%s: %s changed while the gate decided", j.Target.Name(), what).
			WithHint("ask again: the gate then judges what is there now")
	}
	now, err := revisionOf(tx, j.Request, j.Target)
	if err != nil {
		return err
	}
	if changed := j.revision.changed(now); changed != "" {
		return again(changed)
	}
	passing, err := o.passingOf(tx, j.Request, j.Target)
	switch {
	case err != nil:
		return err
	case !reflect.DeepEqual(passing, j.passing):
		return again("a freeze, an error budget, a waiver or the right of an approver")
	case tx.Now().Sub(j.at) > judgementLasts || !j.until.IsZero() && !tx.Now().Before(j.until):
		return again("the time, and with it what counts,")
	}
	return nil
}

// Promoted is the change by which a request is carried out.
type Promoted struct {
	Request     string            `json:"request"`
	Model       string            `json:"model"`
	Version     string            `json:"version"`
	Digest      tallystick.Digest `json:"version_digest"`
	Environment string            `json:"environment"`
	Input       tallystick.Digest `json:"input_digest"`
	Replaced    string            `json:"replaced,omitempty"`
}

// Subject implements trail.Change.
func (p *Promoted) Subject() (trail.Type, trail.Resource) {
	return trail.ReleasePromoted, trail.Resource{Type: "version", ID: p.Model + "@" + p.Version}
}

// Apply implements trail.Change.
func (p *Promoted) Apply(tx *state.Tx, at trail.Mark) error {
	return closeRequest(tx, at, p.Request, Done)
}
