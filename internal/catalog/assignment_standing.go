package catalog

import (
	"cmp"
	"context"
	"fmt"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
)

// Standing says what serves in an environment and what it could go back to.
type Standing struct {
	Champion *Assignment `json:"champion,omitempty" doc:"The champion; absent if there is none."`
	Faults   []string    `json:"faults,omitempty" doc:"Why the champion does not comply; empty if it does."`
	// LastCompliant is the newest champion before, and different from, the present one that complies.
	LastCompliant *Assignment `json:"last_compliant,omitempty" doc:"The version to go back to; absent if there is none."`
}

// maxLookBack bounds the champions that are looked at for one to go back to.
const maxLookBack = 100

// Standing returns the champion of a model in an environment, and the last one before it that
// complies: its last audit passed, nobody was passed over when it came, and no finding of it is open.
func (c *Catalog) Standing(ctx context.Context, environmentName, model string) (s Standing, err error) {
	err = c.db.Read(ctx, func(tx *state.Tx) error {
		if _, err := environment(tx, environmentName); err != nil {
			return err
		}
		champions, err := champions(tx, environmentName, model)
		if err != nil {
			return err
		}
		for _, a := range champions {
			faults, err := a.faults(tx)
			switch {
			case err != nil:
				return err
			case a.Serving():
				s.Champion, s.Faults = &a, faults
			case len(faults) == 0 && (s.Champion == nil || s.Champion.Version != a.Version):
				s.LastCompliant = &a
				return nil
			}
		}
		return nil
	})
	if err != nil {
		return Standing{}, fmt.Errorf("standing of %s in %s: %w", model, environmentName, err)
	}
	return s, nil
}

// ChampionsIn returns the newest champions of a model in an environment, at most 100, the newest first, as
// the transaction sees them.
func (c *Catalog) ChampionsIn(tx *state.Tx, environment, model string) ([]Assignment, error) {
	return champions(tx, environment, model)
}

func champions(tx *state.Tx, environment, model string) ([]Assignment, error) {
	return state.Collect(tx, scanAssignment, "SELECT "+assignmentColumns+` FROM assignments
		WHERE environment = ? AND model = ? AND role = 'champion' ORDER BY event DESC `+state.Limit, environment, model, maxLookBack)
}

// faults returns why an assignment does not comply.
func (a Assignment) faults(tx *state.Tx) (faults []string, err error) {
	if a.Observed {
		faults = append(faults, "nobody was asked when it came")
	}
	verdict, err := lastVerdict(tx, a.Model, a.Version)
	if err != nil {
		return nil, err
	}
	if verdict != tallystick.Pass {
		faults = append(faults, fmt.Sprintf("its last audit ended in %s", cmp.Or(string(verdict), "nothing: there is none")))
	}
	var open int
	err = tx.QueryRow("SELECT count(*) FROM findings WHERE model = ? AND version = ? AND resolved_ms IS NULL", a.Model, a.Version).Scan(&open)
	if err != nil {
		return nil, fmt.Errorf("count findings of %s@%s: %w", a.Model, a.Version, err)
	}
	if open > 0 {
		faults = append(faults, fmt.Sprintf("%d of its findings are open", open))
	}
	return faults, nil
}
