package catalog

import (
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
)

const (
	maxNearest = 3      // names in a hint
	maxNames   = 20_000 // looked at for them
)

// hintNearest returns the names most like name of those that query selects, in words for a hint, or
// otherwise if none is like it.
func hintNearest(tx *state.Tx, otherwise, name, query string, args ...any) (string, error) {
	rows, err := tx.Query(query+" LIMIT ?", append(args, maxNames)...)
	if err != nil {
		return "", err
	}
	var names []string
	for rows.Next() {
		var n string
		if err := rows.Scan(&n); err != nil {
			return "", err
		}
		names = append(names, n)
	}
	if err := rows.Err(); err != nil {
		return "", err
	}
	if near := tallystick.Nearby(name, names, maxNearest); len(near) > 0 {
		return "there is " + strings.Join(near, ", "), nil
	}
	return otherwise, nil
}
