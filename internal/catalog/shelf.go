package catalog

import (
	"cmp"
	"slices"
	"strings"

	"github.com/tallystick/tallystick/internal/state"
)

// shelf holds the evidence of a model and one of its versions.
type shelf []Evidence

// newestFirst returns the evidence that is wanted, the newest first.
func (s shelf) newestFirst(wanted func(*Evidence) bool) (found []*Evidence) {
	for i := range s {
		if e := &s[i]; wanted(e) {
			found = append(found, e)
		}
	}
	slices.SortStableFunc(found, func(a, b *Evidence) int {
		return -cmp.Or(cmp.Compare(a.ProducedMS, b.ProducedMS), cmp.Compare(a.Event, b.Event))
	})
	return found
}

// shelves returns the shelf of each model and the version of it at the same place, by model, in one query.
func shelves(tx *state.Tx, models []Model, versions []string) (map[string]shelf, error) {
	if len(models) == 0 {
		return nil, nil
	}
	var args []any
	for i, m := range models {
		args = append(args, m.Name, "")
		if versions[i] != "" {
			args = append(args, m.Name, versions[i])
		}
	}
	all, err := state.Collect(tx, scanEvidence, "WITH wanted (m, v) AS (VALUES "+pairs(len(args)/2)+") SELECT "+evidenceColumns+
		" FROM wanted JOIN evidence ON model = m AND version = v", args...)
	on := make(map[string]shelf, len(models))
	for _, e := range all {
		on[e.Model] = append(on[e.Model], e)
	}
	return on, err
}

// pairs returns marks for n rows of two columns.
func pairs(n int) string { return strings.Repeat("(?, ?), ", n-1) + "(?, ?)" }
