package table

import (
	"context"
	"errors"

	"github.com/tallystick/tallystick"
)

// cursor reads one column from its first row to its last.
type cursor interface {
	// fill makes up to want rows ready, at least one unless the column has ended, and returns how
	// many are. Rows that are ready stay so until take.
	fill(want int) (int, error)
	// take hands out the first n of the rows that are ready. They are valid until the next fill.
	take(n int) Vector
	// close ends the reading.
	close()
}

// Scan calls fn with the rows of the named columns in order, in aligned blocks of at most
// MaxBlockRows rows. Several Scans may run at once. An error of fn ends the Scan and is returned as
// it is; so does the end of ctx.
func (t *Table) Scan(ctx context.Context, names []string, fn func(*Block) error) (err error) {
	if len(names) == 0 {
		return tallystick.Errorf(tallystick.Invalid, "no column to read").WithHint("name at least one column")
	}
	block := Block{Cols: make([]Vector, len(names))}
	cursors := make([]cursor, 0, len(names))
	indexes := make([]int, 0, len(names))
	defer func() {
		for _, c := range cursors {
			c.close()
		}
	}()
	for _, name := range names {
		i, err := t.index(name)
		if err != nil {
			return err
		}
		if err := t.source.check(i); err != nil {
			return err
		}
		c, err := t.source.cursor(i)
		if err != nil {
			return err
		}
		cursors, indexes = append(cursors, c), append(indexes, i)
	}

	for block.Row < t.rows {
		if err := ctx.Err(); err != nil {
			return err
		}
		block.N = int(min(MaxBlockRows, t.rows-block.Row))
		for i, c := range cursors {
			// A cursor may come up short: blocks of long text end early for the sake of memory.
			n, err := c.fill(block.N)
			if err != nil {
				return err
			}
			if n == 0 {
				return errors.New("scan table: column " + names[i] + " ended early")
			}
			block.N = min(block.N, n)
		}
		for i, c := range cursors {
			block.Cols[i] = c.take(block.N)
		}
		if err := fn(&block); err != nil {
			return err
		}
		block.Row += int64(block.N)
	}
	for _, i := range indexes {
		if err := t.source.check(i); err != nil {
			return err
		}
	}
	return nil
}
