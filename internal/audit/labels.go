package audit

import (
	"context"
	"hash/maphash"
	"math"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/report"
	"github.com/tallystick/tallystick/internal/table"
)

// lateLabels finds the label of a prediction by its identifier. Identifiers are held as 64-bit
// keyed hashes: 10 million of them collide by chance with probability 3e-6, and nobody can choose
// identifiers that do.
type lateLabels struct {
	seed    maphash.Seed
	rowOf   map[uint64]uint32
	class   []uint16  // by row of the label file, for classes
	value   []float64 // by row, for numbers
	used    []bool
	matched int64
	missed  int64
}

// maxLateLabels bounds the rows of a label file: its identifiers are held in memory.
const maxLateLabels = 20_000_000

func readLateLabels(ctx context.Context, p *plan, t *table.Table) (*lateLabels, error) {
	path := t.Files()[0].Path
	for _, name := range []string{p.ID, p.Label} {
		if _, err := t.Column(name); err != nil {
			return nil, err
		}
	}
	if t.Rows() > maxLateLabels {
		return nil, tallystick.Errorf(tallystick.Invalid, "%s has %d rows of late labels, more than %d", path, t.Rows(), maxLateLabels).
			WithHint("join the labels into the predictions first, and use --label")
	}
	l := &lateLabels{seed: maphash.MakeSeed(), rowOf: make(map[uint64]uint32, t.Rows()), used: make([]bool, t.Rows())}
	var read func(v *table.Vector, out []uint16)
	if p.classes != nil {
		read = p.classes.reader(t, p.Label)
		l.class = make([]uint16, t.Rows())
	} else {
		l.value = make([]float64, t.Rows())
	}
	err := t.Scan(ctx, []string{p.ID, p.Label}, func(b *table.Block) error {
		for i := range b.N {
			row := uint32(b.Row) + uint32(i)
			if b.Cols[0].Null != nil && b.Cols[0].Null[i] {
				continue
			}
			key := maphash.Bytes(l.seed, b.Cols[0].Bytes(i))
			if first, ok := l.rowOf[key]; ok {
				return tallystick.Errorf(tallystick.Invalid, "%s: rows %d and %d have the same %s %q", path, first+1, row+1, p.ID, b.Cols[0].Text(i)).
					WithHint("each prediction can have one label; remove the other row")
			}
			l.rowOf[key] = row
		}
		if read != nil {
			read(&b.Cols[1], l.class[b.Row:b.Row+int64(b.N)])
		} else {
			copy(l.value[b.Row:], b.Cols[1].Float)
		}
		return nil
	})
	return l, err
}

// find returns the row of the label file that has the identifier, or false.
func (l *lateLabels) find(id []byte) (uint32, bool) {
	row, ok := l.rowOf[maphash.Bytes(l.seed, id)]
	if ok {
		l.used[row] = true
		l.matched++
	} else {
		l.missed++
	}
	return row, ok
}

// classes and numbers write the labels of a block's identifiers into out.
func (l *lateLabels) classes(ids *table.Vector, out []uint16) {
	for i := range out {
		out[i] = noClass
		if ids.Null != nil && ids.Null[i] {
			l.missed++
		} else if row, ok := l.find(ids.Bytes(i)); ok {
			out[i] = l.class[row]
		}
	}
}

func (l *lateLabels) numbers(ids *table.Vector, out []float64) {
	for i := range out {
		out[i] = math.NaN()
		if ids.Null != nil && ids.Null[i] {
			l.missed++
		} else if row, ok := l.find(ids.Bytes(i)); ok {
			out[i] = l.value[row]
		}
	}
}

// report says how the join went. Nothing matched is an error: the columns do not belong together.
func (l *lateLabels) report(p *plan, t *table.Table) (*report.Labels, error) {
	if l.matched == 0 {
		return nil, tallystick.Errorf(tallystick.Invalid, "no %s of the predictions is among the labels of %s", p.ID, t.Files()[0].Path).
			WithHint("check that --id names the same identifier in both files")
	}
	r := &report.Labels{Data: dataOf(t), ID: p.ID, Matched: l.matched, Unmatched: l.missed}
	for _, used := range l.used {
		if !used {
			r.Unused++
		}
	}
	return r, nil
}
