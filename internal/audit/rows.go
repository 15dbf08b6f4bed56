package audit

import (
	"context"
	"math"

	"github.com/tallystick/tallystick"
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

// rows is what the core columns say about the rows: a few bytes each. It holds every row up to
// Config.ExactRows. Of more it holds one block at a time, and what is counted is counted as blocks
// go by. Slices are indexed from the first row that is held.
type rows struct {
	task  performance.Task
	n     int64 // of the table
	first int64 // row that is held first
	exact bool  // every row is held

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
	items     int // different ones, once counted
	queryless int64
	itemless  int64

	windows  *windows
	whole    *division
	byWindow *division   // nil without windows
	byGroup  []*division // by attribute
	fairness *fairness.Counter
	looked   *looked

	labelled int64    // rows that have a label and a prediction
	scored   [2]int64 // of them, with a score: negative and positive labels
}

// core reads the core columns of the data.
func (p *plan) core(ctx context.Context, cfg Config, in inputs, late *lateLabels) (*rows, error) {
	r := &rows{task: p.Task, n: in.data.Rows(), exact: in.data.Rows() <= cfg.ExactRows}
	if !r.exact && p.Task == performance.Ranking {
		return nil, tallystick.Errorf(tallystick.Invalid, "%s has %d rows; rankings are measured up to %d", in.data.Files()[0].Path, r.n, cfg.ExactRows).
			WithHint("audit a random sample of whole queries")
	}
	var err error
	if r.windows, err = p.cutWindows(ctx, cfg, in.data); err != nil {
		return nil, err
	}
	reader := newRowReader(p, r, in.data, late)
	r.looked = newLooked(p, r)
	if err := r.divide(cfg, p); err != nil {
		return nil, err
	}
	return r, reader.read(ctx, func(done int64) { cfg.Progress("reading predictions", done, r.n) })
}

// clear makes the held rows [at, at+n) such that nothing is known of them.
func (r *rows) clear(at, n int) {
	fill(r.truth, at, n, fairness.Unknown)
	fill(r.predicted, at, n, notPredicted)
	fill(r.class, at, n, noClass)
	fill(r.chosen, at, n, noClass)
	fill(r.actual, at, n, math.NaN())
}

func fill[T any](s []T, at, n int, value T) {
	if s == nil {
		return
	}
	for i := range s[at : at+n] {
		s[at+i] = value
	}
}

// take counts the held rows [at, at+n), which have just been read.
func (r *rows) take(at, n int) error {
	codes := make([]uint32, len(r.group))
	for i := at; i < at+n; i++ {
		if r.fairness != nil && r.predicted[i] != notPredicted {
			for g := range codes {
				codes[g] = uint32(r.group[g][i])
			}
			r.fairness.Add(r.truth[i], r.predicted[i] == predictedPositive, codes)
		}
		if !r.measurable(i) {
			continue
		}
		r.labelled++
		if r.truth != nil && r.score != nil && finite(r.score[i]) {
			r.scored[r.truth[i]]++
		}
	}
	r.looked.take(r, at, n)
	if r.exact {
		return nil
	}
	for _, d := range r.divisions() {
		if err := d.deal(r, at, n); err != nil {
			return err
		}
	}
	return nil
}

// release lets go of the rows, which have all been counted: the columns need the room.
func (r *rows) release() {
	r.truth, r.predicted, r.class, r.chosen, r.actual, r.number = nil, nil, nil, nil, nil, nil
	r.score, r.group, r.query, r.item = nil, nil, nil, nil
}

// measurable reports whether a held row has all that its task needs.
func (r *rows) measurable(i int) bool {
	switch r.task {
	case performance.Binary:
		return r.truth[i] != fairness.Unknown && r.predicted[i] != notPredicted
	case performance.Multiclass:
		return r.class[i] != noClass && r.chosen[i] != noClass
	case performance.Regression:
		return r.number != nil && finite(r.actual[i]) && finite(r.number[i])
	default:
		return finite(r.actual[i]) && finite(r.score[i]) && r.query[i] != table.NoCode
	}
}

// loss returns 1 for a wrong class, or the absolute error of a number; NaN if it cannot be known.
func (r *rows) loss(i int) float32 {
	wrong := false
	switch {
	case !r.measurable(i):
		return float32(math.NaN())
	case r.task == performance.Regression:
		return float32(math.Abs(r.number[i] - r.actual[i]))
	case r.task == performance.Binary:
		wrong = (r.predicted[i] == predictedPositive) != (r.truth[i] == fairness.Positive)
	default:
		wrong = r.class[i] != r.chosen[i]
	}
	if wrong {
		return 1
	}
	return 0
}

func finite(x float64) bool { return x-x == 0 }
