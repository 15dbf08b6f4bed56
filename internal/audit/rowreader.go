package audit

import (
	"context"
	"math"
	"slices"

	"github.com/tallystick/tallystick/internal/fairness"
	"github.com/tallystick/tallystick/internal/performance"
	"github.com/tallystick/tallystick/internal/table"
)

// rowReader fills rows from the blocks of one scan.
type rowReader struct {
	table   *table.Table
	rows    *rows
	columns []string
	uses    []use
}

// use is what becomes of one column.
type use struct {
	column int // among rowReader.columns
	// read takes in n values, which belong to the held rows from at on.
	read func(v *table.Vector, at, n int)
}

func (rr *rowReader) want(column string, read func(v *table.Vector, at, n int)) {
	i := slices.Index(rr.columns, column)
	if i < 0 {
		i = len(rr.columns)
		rr.columns = append(rr.columns, column)
	}
	rr.uses = append(rr.uses, use{i, read})
}

func (rr *rowReader) read(ctx context.Context, progress func(done int64)) error {
	if len(rr.columns) == 0 {
		return nil
	}
	r := rr.rows
	return rr.table.Scan(ctx, rr.columns, func(b *table.Block) error {
		if !r.exact {
			r.first = b.Row
		}
		at := int(b.Row - r.first)
		r.clear(at, b.N)
		for _, use := range rr.uses {
			use.read(&b.Cols[use.column], at, b.N)
		}
		progress(b.Row + int64(b.N))
		return r.take(at, b.N)
	})
}

// newRowReader makes room for the rows that are held at a time, and says which columns fill it.
func newRowReader(p *plan, r *rows, t *table.Table, late *lateLabels) *rowReader {
	rr := &rowReader{table: t, rows: r}
	held := int64(table.MaxBlockRows)
	if r.exact {
		held = r.n
	}
	switch p.Task {
	case performance.Binary:
		r.truth, r.predicted = make([]fairness.Truth, held), make([]uint8, held)
		rr.wantBinary(p, late)
	case performance.Multiclass:
		r.class, r.chosen = make([]uint16, held), make([]uint16, held)
		rr.wantClasses(p, late, func(classes []uint16, at int) { copy(r.class[at:], classes) })
		read := p.classes.reader(t, p.Prediction)
		rr.want(p.Prediction, func(v *table.Vector, at, n int) { read(v, r.chosen[at:at+n]) })
	default:
		r.actual = make([]float64, held)
		rr.wantNumbers(p, late)
		if p.Task == performance.Regression && p.Prediction != "" {
			r.number = make([]float64, held)
			rr.want(p.Prediction, func(v *table.Vector, at, _ int) { copy(r.number[at:], v.Float) })
		}
	}
	if p.Score != "" {
		r.score = make([]float64, held)
		rr.want(p.Score, func(v *table.Vector, at, _ int) {
			for i, x := range v.Float {
				r.score[at+i] = x / p.scale
			}
		})
	}
	for _, g := range p.groups {
		codes := make([]uint16, held)
		r.group = append(r.group, codes)
		rr.want(g.attribute.Name, func(v *table.Vector, at, n int) { g.codes(v, codes[at:at+n]) })
	}
	if p.Task == performance.Ranking {
		r.query, r.item = make([]uint32, held), nil
		rr.wantKeys(p.Query, r.query, &r.queryless)
		if p.Item != "" {
			r.item = make([]uint32, held)
			rr.wantKeys(p.Item, r.item, &r.itemless)
		}
	}
	return rr
}

func (rr *rowReader) wantBinary(p *plan, late *lateLabels) {
	r := rr.rows
	rr.wantClasses(p, late, func(classes []uint16, at int) {
		for i, class := range classes {
			switch class {
			case noClass:
			case p.positive:
				r.truth[at+i] = fairness.Positive
			default:
				r.truth[at+i] = fairness.Negative
			}
		}
	})
	if p.Prediction != "" {
		var buffer [table.MaxBlockRows]uint16
		read := p.classes.reader(rr.table, p.Prediction)
		rr.want(p.Prediction, func(v *table.Vector, at, n int) {
			read(v, buffer[:n])
			for i, class := range buffer[:n] {
				switch {
				case class == noClass:
				case p.selected[class]:
					r.predicted[at+i] = predictedPositive
				default:
					r.predicted[at+i] = predictedNegative
				}
			}
		})
		return
	}
	if p.fromScore > 0 {
		threshold := p.fromScore * p.scale
		rr.want(p.Score, func(v *table.Vector, at, _ int) {
			for i, x := range v.Float {
				switch {
				case math.IsNaN(x):
				case x >= threshold:
					r.predicted[at+i] = predictedPositive
				default:
					r.predicted[at+i] = predictedNegative
				}
			}
		})
	}
}

// wantClasses reads the classes of the labels, from the label column or by identifier, and hands
// those of each block to then.
func (rr *rowReader) wantClasses(p *plan, late *lateLabels, then func(classes []uint16, at int)) {
	if p.Label == "" {
		return
	}
	column, read := p.ID, func(v *table.Vector, out []uint16) { late.classes(v, out) }
	if late == nil {
		column, read = p.Label, p.classes.reader(rr.table, p.Label)
	}
	var buffer [table.MaxBlockRows]uint16
	rr.want(column, func(v *table.Vector, at, n int) {
		read(v, buffer[:n])
		then(buffer[:n], at)
	})
}

func (rr *rowReader) wantNumbers(p *plan, late *lateLabels) {
	r := rr.rows
	switch {
	case p.Label == "":
	case late != nil:
		rr.want(p.ID, func(v *table.Vector, at, n int) { late.numbers(v, r.actual[at:at+n]) })
	default:
		rr.want(p.Label, func(v *table.Vector, at, _ int) { copy(r.actual[at:], v.Float) })
	}
}

// wantKeys numbers the values of a column of queries or items from 0. A NaN identifies nothing and
// is missing like an empty field, which is counted; the two zeros are one number.
func (rr *rowReader) wantKeys(column string, out []uint32, missing *int64) {
	keys := map[uint64]uint32{}
	key := func(bits uint64) uint32 {
		k, ok := keys[bits]
		if !ok {
			k = uint32(len(keys))
			keys[bits] = k
		}
		return k
	}
	rr.want(column, func(v *table.Vector, at, n int) {
		for i := range n {
			switch {
			case v.Null != nil && v.Null[i], v.Kind == table.Number && math.IsNaN(v.Float[i]):
				out[at+i] = table.NoCode
				*missing++
			case v.Kind == table.Category:
				out[at+i] = v.Code[i]
			case v.Kind == table.Number:
				out[at+i] = key(math.Float64bits(v.Float[i] + 0)) // -0 + 0 is 0
			case v.Kind == table.Time:
				out[at+i] = key(uint64(v.Time[i]))
			default:
				out[at+i] = key(v.Hash(i))
			}
		}
	})
}
