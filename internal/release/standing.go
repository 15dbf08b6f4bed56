package release

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/state"
)

// Standing returns the champion of a model in an environment, and what a rollback goes to: the last
// version before it that the gate let in there as champion, unless that was withdrawn or failed an audit
// since. What a rollback has left is not gone back to: after it the one before counts.
func (o *Office) Standing(ctx context.Context, environment, model string) (s catalog.Standing, err error) {
	err = o.config.DB.Read(ctx, func(tx *state.Tx) error {
		if _, err := o.config.Catalog.EnvironmentIn(tx, environment); err != nil {
			return err
		}
		champions, err := o.config.Catalog.ChampionsIn(tx, environment, model)
		left := "" // until the earlier time of this version, all was left by a rollback
		for i := 0; err == nil && s.LastCompliant == nil && i < len(champions); i++ {
			a := champions[i]
			let, errLet := letIn(tx, a)
			if err = errLet; err != nil {
				return err
			}
			switch {
			case a.Serving():
				s.Champion = &a
				s.Faults, err = o.config.Catalog.FaultsIn(tx, a, let.ID != "")
			case left != "" && a.Version != left:
				continue
			case let.ID != "" && (s.Champion == nil || a.Version != s.Champion.Version):
				var whole bool
				if whole, err = o.whole(tx, a, let); whole {
					s.LastCompliant = &a
				}
			}
			if left = ""; let.Kind == Rollback {
				left = a.Version
			}
		}
		return err
	})
	if err != nil {
		return catalog.Standing{}, fmt.Errorf("standing of %s in %s: %w", model, environment, err)
	}
	return s, nil
}

// Rival returns what a release is measured against: the champion that serves where the version is to go, or, of a release
// that was carried out, the champion that served there until then; nil if there is none.
func (o *Office) Rival(ctx context.Context, r Request) (rival *catalog.Assignment, err error) {
	err = o.config.DB.Read(ctx, func(tx *state.Tx) error {
		champions, err := o.config.Catalog.ChampionsIn(tx, r.Environment, r.Model)
		for _, a := range champions {
			if r.State == Done && a.Event < r.LastEvent && (a.Serving() || !a.Until.Before(r.Closed)) || r.State != Done && a.Serving() {
				rival = &a
				break
			}
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("what %s is measured against: %w", r.Target.Name(), err)
	}
	return rival, nil
}

// whole reports whether what the gate let in is still what it was then.
func (o *Office) whole(tx *state.Tx, a catalog.Assignment, let GateDecision) (bool, error) {
	v, id, err := o.identified(tx, a.Model, a.Version)
	if err != nil || v.State == catalog.Withdrawn || id != let.Digest {
		return false, err
	}
	failed, err := o.config.Catalog.FailedSinceIn(tx, a)
	return !failed, err
}

// letIn returns the decision by which the gate let a version into where it serves or served, the zero
// GateDecision if it did not.
func letIn(tx *state.Tx, a catalog.Assignment) (GateDecision, error) {
	if a.Observed {
		return GateDecision{}, nil
	}
	d, err := scanDecision(tx.QueryRow("SELECT "+decisionColumns+` FROM gate_decisions WHERE model = ? AND version = ? AND environment = ? AND role = ?
		AND verdict = 'pass' AND event < ? AND request IN (SELECT id FROM release_requests WHERE model = ? AND state = 'promoted' AND last_event < ?)
		ORDER BY event DESC LIMIT 1`, a.Model, a.Version, a.Environment, string(a.Role), a.Event, a.Model, a.Event))
	if errors.Is(err, sql.ErrNoRows) {
		return GateDecision{}, nil
	}
	return d, err
}
