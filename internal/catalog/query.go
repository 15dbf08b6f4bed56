package catalog

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// read returns what ask finds, in a transaction of its own.
func read[T any](ctx context.Context, c *Catalog, ask func(tx *state.Tx) (T, error)) (found T, err error) {
	err = c.db.Read(ctx, func(tx *state.Tx) error {
		found, err = ask(tx)
		return err
	})
	return found, err
}

// maxPage is the largest page of a list.
const maxPage = 1000

// recent returns one page of a table that has a row for each event, newest first. after is the event of
// the last row that the caller has, or empty.
func recent[T any](tx *state.Tx, scan func(state.Scanner) (T, error), query string, w where, after string, asked int) ([]T, error) {
	if after != "" {
		event, err := strconv.ParseInt(after, 10, 64)
		if err != nil {
			return nil, tallystick.Errorf(tallystick.Invalid, "page key %.40q is not the event of an item", after)
		}
		w.add(true, "event < ?", event)
	}
	return state.Collect(tx, scan, query+" WHERE "+w.String()+" ORDER BY event DESC "+state.Limit, append(w.args, limit(asked))...)
}

// unknown returns the NotFound error for a name, with those like it that the query selects.
func unknown(tx *state.Tx, what, name, query string, args ...any) error {
	hint, err := hintNearest(tx, "register it first, or look for the name in the list", name, query, args...)
	if err != nil {
		return fmt.Errorf("look for names like %q: %w", name, err)
	}
	return tallystick.Errorf(tallystick.NotFound, "%s %q is not registered", what, name).WithHint("%s", hint)
}

const (
	maxNearest = 3      // names in a hint
	maxNames   = 20_000 // looked at for them
)

// hintNearest returns the names most like name of those that query selects, in words for a hint, or
// otherwise if none is like it.
func hintNearest(tx *state.Tx, otherwise, name, query string, args ...any) (string, error) {
	rows, err := tx.Query(query+" "+state.Limit, append(args, maxNames)...)
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

// where is a condition in the making.
type where struct {
	conditions []string
	args       []any
}

func (w *where) add(use bool, condition string, args ...any) {
	if use {
		w.conditions, w.args = append(w.conditions, condition), append(w.args, args...)
	}
}

// String returns the condition, which holds for all if nothing was added.
func (w *where) String() string {
	if len(w.conditions) == 0 {
		return "1 = 1"
	}
	return strings.Join(w.conditions, " AND ")
}

// serving adds what lists of assignments and of deployments can be chosen by.
func (w *where) serving(tx *state.Tx, environment, model, version string, now bool, at time.Time) error {
	w.add(environment != "", "environment = ?", environment)
	w.add(model != "", "model = ?", model)
	w.add(version != "", "version = ?", version)
	w.add(now, "until_ms IS NULL")
	if at.IsZero() {
		return nil
	}
	w.add(true, "from_ms <= ? AND (until_ms IS NULL OR until_ms > ?)", at.UnixMilli(), at.UnixMilli())
	later, err := trail.NotBefore(tx, at.Add(time.Millisecond)) // what begins is as old as its event
	w.add(later > 0, "event < ?", int64(later))
	return err
}

// limit bounds the rows of a page.
func limit(asked int) int {
	if asked <= 0 {
		return 100
	}
	return min(asked, maxPage)
}
