package audit

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/performance"
)

// searchOf returns a search of n rows in 20 columns of ten cells and four of five; wrong says how
// likely a row is wrong.
func searchOf(rng *rand.Rand, n int, wrong func(cells []uint8) float64) *search {
	s := &search{task: performance.Binary, looked: &looked{step: 1, loss: make([]float32, n)}}
	for k := range 24 {
		c := searched{name: fmt.Sprintf("c%02d", k), cell: make([]uint8, n), category: k >= 20}
		values := 10
		if c.category {
			values = 5
		}
		for v := range values {
			c.labels = append(c.labels, fmt.Sprint(v))
		}
		for i := range c.cell {
			c.cell[i] = uint8(rng.IntN(values))
		}
		s.columns = append(s.columns, c)
	}
	row := make([]uint8, len(s.columns))
	for i := range n {
		for k, c := range s.columns {
			row[k] = c.cell[i]
		}
		if rng.Float64() < wrong(row) {
			s.looked.loss[i] = 1
		}
	}
	return s
}

// Where every row is wrong equally often, a slice is found in at most one data set of twenty,
// although more than a thousand are looked at, and pairs are of the columns that look worst.
func TestSlicesOfNothing(t *testing.T) {
	t.Parallel()
	const sets = 100
	for _, rate := range []float64{0.03, 0.18} {
		rng := rand.New(rand.NewPCG(11, 23))
		alarms := 0
		for range sets {
			if found := searchOf(rng, 10_000, func([]uint8) float64 { return rate }).find(); len(found) > 0 {
				alarms++
			}
		}
		if alarms > sets/20 {
			t.Errorf("%d of %d data sets without slices show one, errors being %v", alarms, sets, rate)
		}
	}
}

func TestSlicesAreFound(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(11, 29))
	for _, c := range []struct {
		words string
		wrong func(cells []uint8) float64
	}{
		{"Where c03 4, ", func(cells []uint8) float64 {
			if cells[3] == 4 {
				return 0.32
			}
			return 0.18
		}},
		{"Where c20 = 1 and c23 = 2, ", func(cells []uint8) float64 {
			if cells[20] == 1 && cells[23] == 2 {
				return 0.5
			}
			return 0.18
		}},
	} {
		found := searchOf(rng, 10_000, c.wrong).find()
		if len(found) == 0 || !strings.HasPrefix(found[0].Words, c.words) {
			t.Errorf("%q was not found first: %+v", c.words, found)
		}
		for _, slice := range found[min(1, len(found)):] {
			if len(slice.Terms) == 2 {
				t.Errorf("a pair that says no more: %s", slice.Words)
			}
		}
	}
}
