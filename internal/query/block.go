package query

import (
	"context"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/segment"
)

// Block is a run of chosen predictions, column by column. It is valid until the next.
type Block struct {
	frame   *frame
	columns []column
}

// Rows returns how many predictions there are.
func (b *Block) Rows() int { return len(b.frame.chosen) }

// Time returns when the k-th prediction was made.
func (b *Block) Time(k int) prediction.Time { return b.frame.time(b.frame.chosen[k]) }

// Value returns what the k-th prediction has in a column of those that were asked for.
func (b *Block) Value(column, k int) prediction.Value {
	return b.columns[column].value(b.frame, k, b.frame.chosen[k])
}

// Number returns it if it is a number.
func (b *Block) Number(column, k int) (float64, bool) {
	return b.columns[column].number(b.frame, k, b.frame.chosen[k])
}

// Text returns it if it is text that stands in the column itself, and shares its memory.
func (b *Block) Text(column, k int) ([]byte, bool) {
	c := b.columns[column]
	if c.at < 0 {
		return nil, false
	}
	cell, row := &b.frame.cells[c.at], b.frame.chosen[k]
	if cell.Kind != segment.Text || cell.Null[row] {
		return nil, false
	}
	return cell.Bytes[row], true
}

// Blocks yields the predictions of a selection with the columns that are asked for, in the order of the files. A
// column that no prediction has is null in all of them.
func (a *Asker) Blocks(ctx context.Context, s Selection, columns []string) iter.Seq2[*Block, error] {
	return func(yield func(*Block, error) bool) {
		for _, name := range columns {
			if err := checkColumn(name); err != nil {
				yield(nil, err)
				return
			}
		}
		files, err := a.open(ctx, &s)
		if err != nil {
			yield(nil, err)
			return
		}
		p := newPlan(&s, columns...)
		b := &Block{}
		for _, name := range columns {
			b.columns = append(b.columns, newColumn(p, name))
		}
		for f, err := range a.frames(ctx, files, p) {
			if b.frame = f; err != nil {
				yield(nil, err)
				return
			}
			if !yield(b, nil) {
				return
			}
		}
	}
}

// Features returns the names of the features that predictions of a model and a time can have, in their order.
func (a *Asker) Features(ctx context.Context, s Selection) ([]string, error) {
	files, err := a.open(ctx, &s)
	if err != nil {
		return nil, err
	}
	found := map[string]bool{}
	take := func(column string) {
		if name, is := strings.CutPrefix(column, "f_"); is {
			found[name] = true
		}
	}
	for f, err := range files.All(ctx) {
		if err != nil {
			return nil, err
		}
		for _, c := range f.Columns() {
			take(c.Name)
		}
		for name := range spilledNames(f.File) {
			take(name)
		}
	}
	return slices.Sorted(maps.Keys(found)), nil
}
