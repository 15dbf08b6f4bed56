package audit

import (
	"math"

	"github.com/tallystick/tallystick/internal/fairness"
	"github.com/tallystick/tallystick/internal/performance"
	"github.com/tallystick/tallystick/internal/table"
)

// lookedRows is the number of rows that are looked at one by one.
const lookedRows = 1_000_000

// looked holds the rows that are looked at one by one, for slices and leaks: all, or, of more than
// lookedRows, every step-th.
type looked struct {
	step int64
	loss []float32 // 1 for a wrong class, or the absolute error; NaN if it cannot be known
	// Labels: classes (noClass for none), or numbers (NaN).
	classes int
	class   []uint16
	actual  []float64
}

func newLooked(p *plan, r *rows) *looked {
	l := &looked{step: max(1, (r.n+lookedRows-1)/lookedRows)}
	n := (r.n + l.step - 1) / l.step
	l.loss = make([]float32, 0, n)
	switch p.Task {
	case performance.Binary:
		l.classes, l.class = 2, make([]uint16, 0, n)
	case performance.Multiclass:
		l.classes, l.class = len(p.classes.names), make([]uint16, 0, n)
	default:
		l.actual = make([]float64, 0, n)
	}
	return l
}

// take looks at those of the held rows [at, at+n) whose turn it is.
func (l *looked) take(r *rows, at, n int) {
	for i := at + l.skip(r.first+int64(at)); i < at+n; i += int(l.step) {
		loss := float32(math.NaN())
		if r.task != performance.Ranking {
			loss = r.loss(i)
		}
		l.loss = append(l.loss, loss)
		switch {
		case r.truth != nil:
			l.class = append(l.class, truthClass(r.truth[i]))
		case r.class != nil:
			l.class = append(l.class, r.class[i])
		default:
			l.actual = append(l.actual, r.actual[i])
		}
	}
}

func truthClass(t fairness.Truth) uint16 {
	switch t {
	case fairness.Negative:
		return 0
	case fairness.Positive:
		return 1
	}
	return noClass
}

// skip returns how many rows from row on come before the next one that is looked at.
func (l *looked) skip(row int64) int { return int((l.step - row%l.step) % l.step) }

// len returns the number of rows looked at.
func (l *looked) len() int { return len(l.loss) }

// strip picks the looked-at rows out of the blocks of one column.
type strip struct {
	looked *looked
	vector table.Vector // of the last block
	at     int          // how many rows were picked before them
	n      int          // how many it has
}

// pick takes the n rows from row on. Text is not picked.
func (s *strip) pick(row int64, n int, v *table.Vector) {
	s.at += s.n
	if s.looked.step == 1 {
		s.vector, s.n = *v, n
		return
	}
	p := &s.vector
	p.Kind, p.Float, p.Code, p.Time, p.Null = v.Kind, p.Float[:0], p.Code[:0], p.Time[:0], p.Null[:0]
	s.n = 0
	for i := s.looked.skip(row); i < n; i += int(s.looked.step) {
		s.n++
		switch v.Kind {
		case table.Number:
			p.Float = append(p.Float, v.Float[i])
		case table.Category:
			p.Code = append(p.Code, v.Code[i])
		case table.Time:
			p.Time = append(p.Time, v.Time[i])
		}
		if v.Null != nil {
			p.Null = append(p.Null, v.Null[i])
		}
	}
	if v.Null == nil {
		p.Null = nil
	}
}
