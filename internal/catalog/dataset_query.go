package catalog

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
)

// scannable is a row of a query.
type scannable interface{ Scan(dest ...any) error }

// where is a condition under construction.
type where struct {
	terms []string
	args  []any
}

// equal asks for a value, unless it is empty.
func (w *where) equal(column, value string) {
	if value != "" {
		w.and(column+" = ?", value)
	}
}

func (w *where) and(term string, args ...any) {
	w.terms, w.args = append(w.terms, term), append(w.args, args...)
}

func (w where) text() string {
	if len(w.terms) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(w.terms, " AND ")
}

// with returns the arguments and more that come after them.
func (w where) with(more ...any) []any { return append(w.args[:len(w.args):len(w.args)], more...) }

// newest returns one page of a table that has a row for each event, newest first. after is the event of
// the last row that the caller has, or empty.
func newest[T any](tx *state.Tx, scan func(scannable) (T, error), query string, w where, after string, limit int) ([]T, error) {
	if after != "" {
		event, err := strconv.ParseInt(after, 10, 64)
		if err != nil {
			return nil, tallystick.Errorf(tallystick.Invalid, "page key %.40q is not the event of an item", after)
		}
		w.and("event < ?", event)
	}
	return queryRows(tx, scan, query+w.text()+" ORDER BY event DESC LIMIT ?", w.with(pageSize(limit))...)
}

// queryRows returns all rows of a query.
func queryRows[T any](tx *state.Tx, scan func(scannable) (T, error), query string, args ...any) ([]T, error) {
	rows, err := tx.Query(query, args...)
	if err != nil {
		return nil, err
	}
	var list []T
	for rows.Next() {
		item, err := scan(rows)
		if err != nil {
			return nil, errors.Join(err, rows.Close())
		}
		list = append(list, item)
	}
	return list, rows.Err()
}

const (
	defaultPage = 100
	maxPage     = 1000
)

func pageSize(limit int) int {
	if limit <= 0 {
		return defaultPage
	}
	return min(limit, maxPage)
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

// notFound returns the error for a name that is not there, with the nearest of those that query
// returns.
func notFound(tx *state.Tx, what, name, query string, args ...any) error {
	names, err := queryRows(tx, func(row scannable) (s string, err error) {
		err = row.Scan(&s)
		return s, err
	}, query, args...)
	if err != nil {
		return fmt.Errorf("look for names like %q: %w", name, err)
	}
	missing := tallystick.Errorf(tallystick.NotFound, "%s %q is not registered", what, name)
	if near := tallystick.Nearest(name, names); near != "" {
		return missing.WithHint("did you mean %q", near)
	}
	return missing
}
