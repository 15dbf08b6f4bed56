package audit

import (
	"slices"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/fairness"
	"github.com/tallystick/tallystick/internal/performance"
	"github.com/tallystick/tallystick/internal/stat"
)

const (
	scoreCells = 1 << 16 // in which the scores of all rows are counted where they are too many to be held
	moreCells  = 1 << 22 // for all groups and windows together; 16 bytes each
	minCells   = 1 << 8
	maxMatrix  = 1 << 25 // counts in the confusion matrices of all windows
)

// part gathers the measurable rows of one part of a table.
type part interface {
	add(r *rows, i int)
	performance() (*performance.Performance, error)
}

// division deals measurable rows out to parts: all together, by window, or by the groups of an
// attribute.
type division struct {
	of    func(r *rows, i int) int32 // part of a held row; negative for none
	begin func(k int32) (part, error)
	parts []part     // nil where no row has come
	room  [][2]int64 // scores of negative and of positive labels by part, where that is known

	// Parts that come one after the other are measured and let go when the next one begins.
	ordered  bool
	last     int32
	measured []*performance.Performance
}

func newDivision(n int, of func(r *rows, i int) int32, begin func(k int32) (part, error)) *division {
	return &division{of: of, begin: begin, parts: make([]part, n), last: -1, measured: make([]*performance.Performance, n)}
}

// count finds out how many scores of each label the parts will have, all rows being held.
func (d *division) count(r *rows) {
	if r.truth == nil || r.score == nil {
		return
	}
	d.room = make([][2]int64, len(d.parts))
	for i := range int(r.n) {
		if !r.measurable(i) || !finite(r.score[i]) {
			continue
		}
		if k := d.of(r, i); k >= 0 {
			d.room[k][r.truth[i]]++
		}
	}
}

func (d *division) roomOf(k int32) [2]int64 {
	if d.room == nil {
		return [2]int64{}
	}
	return d.room[k]
}

// deal takes in the held rows [at, at+n).
func (d *division) deal(r *rows, at, n int) error {
	for i := at; i < at+n; i++ {
		if !r.measurable(i) {
			continue
		}
		k := d.of(r, i)
		if k < 0 {
			continue
		}
		if d.parts[k] == nil {
			if err := d.open(k); err != nil {
				return err
			}
		}
		d.parts[k].add(r, i)
	}
	return nil
}

func (d *division) open(k int32) (err error) {
	if d.ordered && d.last >= 0 {
		if err := d.measure(d.last); err != nil {
			return err
		}
		d.parts[d.last] = nil
	}
	d.last = k
	d.parts[k], err = d.begin(k)
	return err
}

func (d *division) measure(k int32) (err error) {
	if d.measured[k] == nil && d.parts[k] != nil {
		d.measured[k], err = d.parts[k].performance()
	}
	return err
}

// divide prepares the divisions that the plan asks for.
func (r *rows) divide(cfg Config, p *plan) error {
	r.whole = newDivision(1, func(*rows, int) int32 { return 0 }, func(int32) (part, error) {
		return r.newPart(p, r.exact, scoreCells, r.whole.roomOf(0))
	})
	parts := r.windows.len()
	for _, g := range p.groups {
		parts += len(g.attribute.Values)
	}
	cells := max(minCells, min(scoreCells, moreCells/max(1, parts)))
	if w := r.windows; w.len() > 0 {
		if n := len(p.classNames()); p.Task == performance.Multiclass && n*n*w.len() > maxMatrix {
			return tallystick.Errorf(tallystick.Invalid, "%d windows of %d classes are too many", w.len(), n).
				WithHint("use longer windows: at most %d", maxMatrix/(n*n))
		}
		at := w.follow()
		r.byWindow = newDivision(w.len(), func(r *rows, i int) int32 { return at(r.first + int64(i)) }, func(k int32) (part, error) {
			exact := r.exact || w.ordered() && w.spans[k].rows <= cfg.ExactRows
			return r.newPart(p, exact, cells, r.byWindow.roomOf(k))
		})
		r.byWindow.ordered = w.ordered()
	}
	if p.Task != performance.Binary {
		return nil
	}
	var attributes []fairness.Attribute
	for i, g := range p.groups {
		attributes = append(attributes, g.attribute)
		r.byGroup = append(r.byGroup, newDivision(len(g.attribute.Values),
			func(r *rows, k int) int32 { return int32(r.group[i][k]) },
			func(k int32) (part, error) { return r.newPart(p, r.exact, cells, r.byGroup[i].roomOf(k)) }))
	}
	if len(attributes) == 0 {
		return nil
	}
	var err error
	r.fairness, err = fairness.NewCounter(attributes)
	return err
}

func (r *rows) divisions() []*division {
	all := append([]*division{r.whole, r.byWindow}, r.byGroup...)
	return slices.DeleteFunc(all, func(d *division) bool { return d == nil })
}

// parts returns the parts of a division, all rows having been read. Those of held rows are dealt
// out now, one division after the other, so that scores are copied for one of them at a time.
func (r *rows) parts(d *division) ([]part, error) {
	if r.exact && d.last < 0 {
		d.count(r)
		if err := d.deal(r, 0, int(r.n)); err != nil {
			return nil, err
		}
	}
	return d.parts, nil
}

// performances measures the parts of a division. The entry of a part without measurable rows is
// nil.
func (r *rows) performances(d *division) ([]*performance.Performance, error) {
	if _, err := r.parts(d); err != nil {
		return nil, err
	}
	for k := range d.parts {
		if err := d.measure(int32(k)); err != nil {
			return nil, err
		}
	}
	return d.measured, nil
}

// newPart returns an empty part of the plan's task, with room for that many scores of negative and of
// positive labels.
func (r *rows) newPart(p *plan, exact bool, cells int, room [2]int64) (part, error) {
	switch p.Task {
	case performance.Binary:
		b := &binaryPart{}
		if p.Score == "" {
			return b, nil
		}
		if exact {
			b.scores = performance.NewScores(p.probability, int(room[fairness.Positive]), int(room[fairness.Negative]))
			return b, nil
		}
		var err error
		b.scores, err = performance.NewCountedScores(p.probability, p.scoreLow, p.scoreHigh, cells)
		return b, err
	case performance.Multiclass:
		m := &matrixPart{classes: p.classes.names}
		for range m.classes {
			m.counts = append(m.counts, make([]int64, len(m.classes)))
		}
		return m, nil
	case performance.Regression:
		return &errorPart{performance.NewErrors(p.centre)}, nil
	default:
		return &queryPart{plan: p, rows: r}, nil
	}
}

// binaryPart gathers decisions between two classes.
type binaryPart struct {
	confusion stat.Confusion
	scores    *performance.Scores // nil where there is no score
}

func (b *binaryPart) add(r *rows, i int) {
	positive := r.truth[i] == fairness.Positive
	b.confusion.Count(r.predicted[i] == predictedPositive, positive)
	if b.scores != nil && finite(r.score[i]) {
		b.scores.Add(r.score[i], positive)
	}
}

func (b *binaryPart) performance() (*performance.Performance, error) {
	return performance.OfBinary(b.confusion, b.scores), nil
}

// matrixPart gathers decisions between several classes.
type matrixPart struct {
	classes []string
	counts  stat.Matrix
}

func (m *matrixPart) add(r *rows, i int) { m.counts[r.class[i]][r.chosen[i]]++ }

func (m *matrixPart) performance() (*performance.Performance, error) {
	return performance.OfMatrix(m.classes, m.counts), nil
}

// errorPart gathers predicted numbers.
type errorPart struct{ *performance.Errors }

func (e *errorPart) add(r *rows, i int) { e.Add(r.number[i], r.actual[i]) }

func (e *errorPart) performance() (*performance.Performance, error) { return e.Performance() }
