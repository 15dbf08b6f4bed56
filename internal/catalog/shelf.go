package catalog

import (
	"cmp"
	"strings"

	"github.com/tallystick/tallystick/internal/state"
)

// shelf holds the newest evidence of a model and one of its versions: of each kind, name and subject
// the last that was produced.
type shelf []Evidence

// newest returns the newest evidence that is wanted, nil if there is none.
func (s shelf) newest(wanted func(*Evidence) bool) (found *Evidence) {
	for i := range s {
		e := &s[i]
		if wanted(e) && (found == nil || cmp.Or(cmp.Compare(e.ProducedMS, found.ProducedMS), cmp.Compare(e.Event, found.Event)) > 0) {
			found = e
		}
	}
	return found
}

// shelves returns the shelf of each model and the version of it at the same place, by model, in one query.
func shelves(tx *state.Tx, models []Model, versions []string) (map[string]shelf, error) {
	if len(models) == 0 {
		return nil, nil
	}
	var conditions []string
	var args []any
	for i, m := range models {
		conditions, args = append(conditions, "model = ? AND version IN ('', ?)"), append(args, m.Name, versions[i])
	}
	all, err := collect(tx, scanEvidence, "SELECT "+evidenceColumns+" FROM (SELECT "+evidenceColumns+`,
			row_number() OVER (PARTITION BY model, version, kind, name, subject ORDER BY produced_ms DESC, event DESC) AS place
			FROM evidence WHERE `+strings.Join(conditions, " OR ")+") AS ranked WHERE place = 1", args...)
	on := map[string]shelf{}
	for _, e := range all {
		on[e.Model] = append(on[e.Model], e)
	}
	return on, err
}
