package catalog

import (
	"cmp"
	"fmt"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
)

// Standing says what serves in an environment and what it could go back to.
type Standing struct {
	Champion *Assignment `json:"champion,omitempty" doc:"The champion; absent if there is none."`
	Faults   []string    `json:"faults,omitempty" doc:"Why the champion does not comply; empty if it does."`
	// LastCompliant is the newest champion before, and different from, the present one that the gate let in.
	LastCompliant *Assignment `json:"last_compliant,omitempty" doc:"The version that a rollback goes to; absent if there is none."`
}

// maxLookBack bounds the champions that are looked at for one to go back to.
const maxLookBack = 100

// ChampionsIn returns the newest champions of a model in an environment, at most 100, the newest first, as
// the transaction sees them.
func (c *Catalog) ChampionsIn(tx *state.Tx, environment, model string) ([]Assignment, error) {
	return state.Collect(tx, scanAssignment, "SELECT "+assignmentColumns+` FROM assignments
		WHERE environment = ? AND model = ? AND role = 'champion' ORDER BY event DESC `+state.Limit, environment, model, maxLookBack)
}

// FaultsIn returns why an assignment does not comply. Of what the gate let in only a later audit counts:
// what was measured before, it has judged.
func (c *Catalog) FaultsIn(tx *state.Tx, a Assignment, letIn bool) (faults []string, err error) {
	if a.Observed {
		faults = append(faults, "nobody was asked when it came")
	}
	since := uint64(0)
	if letIn {
		since = a.Event
	}
	verdict, err := lastVerdict(tx, a.Model, a.Version, since)
	if err != nil {
		return nil, err
	}
	if verdict != tallystick.Pass && (verdict != "" || !letIn) {
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

// FailedSinceIn reports whether the last audit of what is assigned came later and did not pass.
func (c *Catalog) FailedSinceIn(tx *state.Tx, a Assignment) (bool, error) {
	verdict, err := lastVerdict(tx, a.Model, a.Version, a.Event)
	return verdict != "" && verdict != tallystick.Pass, err
}
