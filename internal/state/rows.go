package state

import (
	"errors"
	"fmt"
)

// Scanner is a row to be read: of a query for one, or of one for many.
type Scanner interface{ Scan(dest ...any) error }

// Limit bounds the rows of a query by an argument. Where the placeholder of a limit stands bare, SQLite plans the
// query again at each call, which can take longer than running it.
const Limit = "LIMIT CAST(? AS BIGINT)"

// Collect returns what the rows of a query hold.
func Collect[T any](tx *Tx, scan func(Scanner) (T, error), query string, args ...any) ([]T, error) {
	rows, err := tx.Query(query, args...)
	if err != nil {
		return nil, err
	}
	var all []T
	for rows.Next() {
		row, err := scan(rows)
		if err != nil {
			return nil, errors.Join(err, rows.Close())
		}
		all = append(all, row)
	}
	return all, errors.Join(rows.Err(), rows.Close())
}

// ExecOne runs a statement that has to change one row.
func ExecOne(tx *Tx, query string, args ...any) error {
	result, err := tx.Exec(query, args...)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n != 1 {
		return errors.Join(fmt.Errorf("%d rows are there to be changed, want 1", n), err)
	}
	return nil
}
