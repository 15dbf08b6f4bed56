package audit

import (
	"context"
	"math"

	"github.com/tallystick/tallystick/internal/fairness"
	"github.com/tallystick/tallystick/internal/performance"
	"github.com/tallystick/tallystick/internal/table"
)

// Predictions of a binary task by row.
const (
	predictedNegative uint8 = iota
	predictedPositive
	notPredicted
)

// rows holds what the core columns say about every row: a few bytes each, so that the features can
// be read one at a time beside them.
type rows struct {
	task performance.Task
	n    int64

	truth     []fairness.Truth // binary
	predicted []uint8          // binary
	class     []uint16         // multiclass: the label's
	chosen    []uint16         // multiclass: the prediction's
	actual    []float64        // regression and ranking: the label
	number    []float64        // regression: the prediction
	score     []float64        // scaled; NaN where missing
	group     [][]uint16       // by attribute
	query     []uint32         // ranking; table.NoCode where missing
	item      []uint32
	windows   *windows

	labelled int64 // rows that have a label and a prediction
}

// core reads the core columns of the data.
func (p *plan) core(ctx context.Context, cfg Config, in inputs, late *lateLabels) (*rows, error) {
	r := &rows{task: p.Task, n: in.data.Rows()}
	reader := newRowReader(p, r, in.data, late)
	var keys []int64
	var noTime []bool
	var window period
	if cfg.Window != "" {
		var err error
		if window, err = parsePeriod(cfg.Window); err != nil {
			return nil, err
		}
		if c, _ := in.data.Column(p.Time); c.Kind != table.Time {
			return nil, notTimes(in.data, c)
		}
		keys, noTime = make([]int64, r.n), make([]bool, r.n)
		reader.want(p.Time, func(v *table.Vector, from int64, n int) {
			for i, ns := range v.Time {
				if ns == table.NoTime {
					noTime[from+int64(i)] = true
					continue
				}
				keys[from+int64(i)] = window.key(ns)
			}
		})
	}
	if err := reader.read(ctx, func(done int64) { cfg.Progress("reading predictions", done, r.n) }); err != nil {
		return nil, err
	}
	r.count()
	var err error
	switch {
	case cfg.Window != "":
		r.windows, err = timeWindows(window, keys, func(row int) bool { return noTime[row] })
	case cfg.Chunk > 0:
		r.windows, err = chunkWindows(r.n, cfg.Chunk)
	}
	return r, err
}

// rowReader fills rows from the blocks of one scan.
type rowReader struct {
	table   *table.Table
	rows    *rows
	columns []string
	uses    []func(v *table.Vector, from int64, n int)
}

func (rr *rowReader) want(column string, use func(v *table.Vector, from int64, n int)) {
	rr.columns, rr.uses = append(rr.columns, column), append(rr.uses, use)
}

func (rr *rowReader) read(ctx context.Context, progress func(done int64)) error {
	if len(rr.columns) == 0 {
		return nil
	}
	return rr.table.Scan(ctx, rr.columns, func(b *table.Block) error {
		for i, use := range rr.uses {
			use(&b.Cols[i], b.Row, b.N)
		}
		progress(b.Row + int64(b.N))
		return nil
	})
}

func newRowReader(p *plan, r *rows, t *table.Table, late *lateLabels) *rowReader {
	rr := &rowReader{table: t, rows: r}
	switch p.Task {
	case performance.Binary:
		rr.wantBinary(p, late)
	case performance.Multiclass:
		r.class, r.chosen = make([]uint16, r.n), make([]uint16, r.n)
		rr.wantClasses(p, late, r.class)
		read := p.classes.reader(t, p.Prediction)
		rr.want(p.Prediction, func(v *table.Vector, from int64, n int) { read(v, r.chosen[from:from+int64(n)]) })
	default:
		r.actual = make([]float64, r.n)
		rr.wantNumbers(p, late, r.actual)
		if p.Task == performance.Regression && p.Prediction != "" {
			r.number = make([]float64, r.n)
			rr.want(p.Prediction, func(v *table.Vector, from int64, n int) { copy(r.number[from:], v.Float) })
		}
	}
	if p.Score != "" {
		scale := 1.0
		if p.ScoreMax > 0 {
			scale = p.ScoreMax
		}
		r.score = make([]float64, r.n)
		rr.want(p.Score, func(v *table.Vector, from int64, n int) {
			for i, x := range v.Float {
				r.score[from+int64(i)] = x / scale
			}
		})
	}
	for _, g := range p.groups {
		codes := make([]uint16, r.n)
		r.group = append(r.group, codes)
		rr.want(g.attribute.Name, func(v *table.Vector, from int64, n int) { g.codes(v, codes[from:from+int64(n)]) })
	}
	if p.Task == performance.Ranking {
		r.query, r.item = make([]uint32, r.n), make([]uint32, r.n)
		rr.wantKeys(p.Query, r.query)
		if p.Item != "" {
			rr.wantKeys(p.Item, r.item)
		}
	}
	return rr
}

func (rr *rowReader) wantBinary(p *plan, late *lateLabels) {
	r := rr.rows
	r.truth, r.predicted = make([]fairness.Truth, r.n), make([]uint8, r.n)
	for i := range r.truth {
		r.truth[i], r.predicted[i] = fairness.Unknown, notPredicted
	}
	var buffer [table.MaxBlockRows]uint16
	if p.Label != "" {
		rr.wantClassesThen(p, late, func(from int64, n int) []uint16 { return buffer[:n] }, func(classes []uint16, from int64) {
			for i, class := range classes {
				switch class {
				case noClass:
				case p.positive:
					r.truth[from+int64(i)] = fairness.Positive
				default:
					r.truth[from+int64(i)] = fairness.Negative
				}
			}
		})
	}
	if p.Prediction != "" {
		read := p.classes.reader(rr.table, p.Prediction)
		rr.want(p.Prediction, func(v *table.Vector, from int64, n int) {
			read(v, buffer[:n])
			for i, class := range buffer[:n] {
				switch {
				case class == noClass:
				case p.selected[class]:
					r.predicted[from+int64(i)] = predictedPositive
				default:
					r.predicted[from+int64(i)] = predictedNegative
				}
			}
		})
		return
	}
	if p.fromScore > 0 {
		threshold := p.fromScore
		if p.ScoreMax > 0 {
			threshold *= p.ScoreMax
		}
		rr.want(p.Score, func(v *table.Vector, from int64, n int) {
			for i, x := range v.Float {
				switch {
				case math.IsNaN(x):
				case x >= threshold:
					r.predicted[from+int64(i)] = predictedPositive
				default:
					r.predicted[from+int64(i)] = predictedNegative
				}
			}
		})
	}
}

func (rr *rowReader) wantClasses(p *plan, late *lateLabels, out []uint16) {
	for i := range out {
		out[i] = noClass
	}
	if p.Label != "" {
		rr.wantClassesThen(p, late, func(from int64, n int) []uint16 { return out[from : from+int64(n)] }, func([]uint16, int64) {})
	}
}

// wantClassesThen reads the labels of a block, from the label column or by identifier, into the
// slice that where gives, and hands them on.
func (rr *rowReader) wantClassesThen(p *plan, late *lateLabels, where func(from int64, n int) []uint16, then func(classes []uint16, from int64)) {
	column, read := p.ID, func(v *table.Vector, out []uint16) { late.classes(v, out) }
	if late == nil {
		column, read = p.Label, p.classes.reader(rr.table, p.Label)
	}
	rr.want(column, func(v *table.Vector, from int64, n int) {
		classes := where(from, n)
		read(v, classes)
		then(classes, from)
	})
}

func (rr *rowReader) wantNumbers(p *plan, late *lateLabels, out []float64) {
	for i := range out {
		out[i] = math.NaN()
	}
	switch {
	case p.Label == "":
	case late != nil:
		rr.want(p.ID, func(v *table.Vector, from int64, n int) { late.numbers(v, out[from:from+int64(n)]) })
	default:
		rr.want(p.Label, func(v *table.Vector, from int64, n int) { copy(out[from:], v.Float) })
	}
}

// wantKeys numbers the values of a column of queries or items.
func (rr *rowReader) wantKeys(column string, out []uint32) {
	keys := map[uint64]uint32{}
	rr.want(column, func(v *table.Vector, from int64, n int) {
		for i := range n {
			row := from + int64(i)
			switch {
			case v.Null != nil && v.Null[i]:
				out[row] = table.NoCode
			case v.Kind == table.Category:
				out[row] = v.Code[i]
			case v.Kind == table.Number:
				out[row] = keyOf(keys, math.Float64bits(v.Float[i]))
			case v.Kind == table.Time:
				out[row] = keyOf(keys, uint64(v.Time[i]))
			default:
				out[row] = keyOf(keys, v.Hash(i))
			}
		}
	})
}

func keyOf(keys map[uint64]uint32, bits uint64) uint32 {
	key, ok := keys[bits]
	if !ok {
		key = uint32(len(keys))
		keys[bits] = key
	}
	return key
}

// count counts the rows that can be measured.
func (r *rows) count() {
	for row := range r.n {
		if r.measurable(row) {
			r.labelled++
		}
	}
}

func (r *rows) measurable(row int64) bool {
	switch r.task {
	case performance.Binary:
		return r.truth[row] != fairness.Unknown && r.predicted[row] != notPredicted
	case performance.Multiclass:
		return r.class[row] != noClass && r.chosen[row] != noClass
	case performance.Regression:
		return r.number != nil && finite(r.actual[row]) && finite(r.number[row])
	default:
		return finite(r.actual[row]) && finite(r.score[row]) && r.query[row] != table.NoCode
	}
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
