package catalog

import (
	"cmp"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// seenAgain is how long an open finding that has not changed is left alone: a reconciliation each
// minute does not fill the trail.
const seenAgain = 24 * time.Hour

// fingerprint names what is wrong where, whatever was observed in its place.
func (r *FindingRaised) fingerprint() (string, error) {
	raw, err := json.Marshal([]string{string(r.Kind), r.Environment, r.Model, r.About})
	return string(tallystick.DigestOf(raw)), err
}

// raised completes a finding that is new.
func (r FindingRaised) raised(now time.Time) *FindingRaised {
	r.Severity = cmp.Or(r.Severity, r.Kind.Severity())
	r.DueMS = now.Add(r.Severity.Term()).UnixMilli()
	return &r
}

// again returns the change that it makes to an open finding that the same is found once more, nil if it
// makes none: what was said to be put right is reopened, and what is so still is told once a day.
func (r FindingRaised) again(is Finding, now time.Time) trail.Change {
	switch {
	case is.State == FindingIsRemediated:
		return &FindingReopened{FindingRef: is.ref(), Version: r.Version, Observed: r.Observed, Run: r.Run, Summary: r.Summary}
	case is.Observed != r.Observed || now.Sub(is.Last) >= seenAgain:
		return &FindingSeen{FindingRef: is.ref(), Observed: r.Observed, Summary: r.Summary}
	}
	return nil
}

// raise returns the change that a difference makes: a new finding, an open one seen again, or nil.
func raise(tx *state.Tx, r FindingRaised) (trail.Change, error) {
	fingerprint, err := r.fingerprint()
	if err != nil {
		return nil, err
	}
	r.Finding = fingerprint
	is, err := openFinding(tx, r.Finding)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return r.raised(tx.Now()), nil
	case err != nil:
		return nil, fmt.Errorf("read finding %.20s: %w", r.Finding, err)
	}
	return r.again(is, tx.Now()), nil
}

// settle returns the change that resolves an open finding because what is agrees with the record
// again, or nil if there is none.
func settle(tx *state.Tx, r FindingRaised) (trail.Change, error) {
	fingerprint, err := r.fingerprint()
	if err != nil {
		return nil, err
	}
	is, err := openFinding(tx, fingerprint)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read finding %.20s: %w", fingerprint, err)
	}
	return &FindingResolved{FindingRef: is.ref(), Agrees: true}, nil
}
