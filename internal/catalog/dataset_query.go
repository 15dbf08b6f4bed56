package catalog

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
)

// maxPage is the largest page of a list.
const maxPage = 1000

// recent returns one page of a table that has a row for each event, newest first. after is the event of
// the last row that the caller has, or empty.
func recent[T any](tx *state.Tx, scan func(scanner) (T, error), query string, w where, after string, asked int) ([]T, error) {
	if after != "" {
		event, err := strconv.ParseInt(after, 10, 64)
		if err != nil {
			return nil, tallystick.Errorf(tallystick.Invalid, "page key %.40q is not the event of an item", after)
		}
		w.add(true, "event < ?", event)
	}
	return collect(tx, scan, query+" WHERE "+w.String()+" ORDER BY event DESC LIMIT ?", append(w.args, limit(asked))...)
}

// one runs a statement that has to change one row.
func one(tx *state.Tx, query string, args ...any) error {
	result, err := tx.Exec(query, args...)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n != 1 {
		return errors.Join(fmt.Errorf("%d rows are there to be changed, want 1", n), err)
	}
	return nil
}

// unknown returns the NotFound error for a name, with those like it that the query selects.
func unknown(tx *state.Tx, what, name, query string, args ...any) error {
	hint, err := hintNearest(tx, "register it first, or look for the name in the list", name, query, args...)
	if err != nil {
		return fmt.Errorf("look for names like %q: %w", name, err)
	}
	return tallystick.Errorf(tallystick.NotFound, "%s %q is not registered", what, name).WithHint("%s", hint)
}
