package contract

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/table"
	"golang.org/x/sync/errgroup"
)

// CheckTable checks a whole table, columns in parallel. It reads only the columns that the
// contract names. now is what the contract's "now" means.
func CheckTable(ctx context.Context, t *table.Table, c *Contract, now time.Time) (Result, error) {
	ch := NewChecker(c, t.Columns(), t.Dictionary, now)
	ch.rows = t.Rows()
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for _, column := range ch.columns {
		if column.present {
			g.Go(func() error {
				if err := column.scan(ctx, t); err != nil {
					return fmt.Errorf("check column %q: %w", column.want.Name, err)
				}
				return nil
			})
		}
	}
	if err := g.Wait(); err != nil {
		return Result{}, err
	}
	return ch.Result(), nil
}

// scan reads the column of t, more than once only for uniqueness beyond what one pass can hold.
func (c *columnCheck) scan(ctx context.Context, t *table.Table) error {
	name := []string{c.want.Name}
	u := &c.unique
	u.split(t.Rows())
	err := t.Scan(ctx, name, func(b *table.Block) error {
		c.add(b.Row, b.N, &b.Cols[0])
		return nil
	})
	for err == nil && u.want && u.next() {
		err = t.Scan(ctx, name, func(b *table.Block) error {
			u.add(b.Row, b.N, &b.Cols[0])
			return nil
		})
	}
	return err
}

// Open opens the files at paths as a table that c can be checked against: the columns that
// Reading names are read as it says, where the files have them. A contract may name a column that
// the files lack; to say so is the check's work.
func Open(ctx context.Context, paths []string, c *Contract, opt table.Options) (*table.Table, error) {
	text, categories := c.Reading()
	forced := opt
	forced.Text, forced.Categories = append(text, opt.Text...), append(categories, opt.Categories...)
	t, err := table.Open(ctx, paths, forced)
	if tallystick.CodeOf(err) != tallystick.NotFound || len(text)+len(categories) == 0 {
		return t, err
	}
	// A file or a column is missing. Read without, see which columns there are, and read again.
	if t, err = table.Open(ctx, paths, opt); err != nil {
		return nil, err
	}
	there := func(names []string) (kept []string) {
		for _, name := range names {
			if _, err := t.Column(name); err == nil {
				kept = append(kept, name)
			}
		}
		return kept
	}
	text, categories = there(text), there(categories)
	if len(text)+len(categories) == 0 {
		return t, nil
	}
	if err := t.Close(); err != nil {
		return nil, err
	}
	forced.Text, forced.Categories = append(text, opt.Text...), append(categories, opt.Categories...)
	return table.Open(ctx, paths, forced)
}
