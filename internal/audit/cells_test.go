package audit

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tallystick/tallystick/internal/performance"
)

// The terms of a column of numbers, read as their comment says, put each row where the search did.
func TestTermsHoldTheirRows(t *testing.T) {
	t.Parallel()
	numbers := []float64{math.Inf(-1), -1, 0.123456789, 0.1234567890000001, 2, 3, math.Inf(1), math.NaN()}
	c := &cutter{name: "x", numbers: numbers}
	s := c.cut([]float64{0.123456789, 2}, nil)
	for row, x := range numbers {
		for cell := range s.labels {
			term := s.term(cell)
			in := !math.IsNaN(x) && (term.From == nil || x > *term.From) && (term.To == nil || x <= *term.To)
			if term.Value == "(missing)" {
				in = math.IsNaN(x)
			}
			if in != (int(s.cell[row]) == cell) {
				t.Errorf("%v is in cell %d, and %+v holds it: %v", x, s.cell[row], term, in)
			}
		}
	}
	kinds := (&cutter{name: "kind", codes: []uint32{0, 1}}).cut(nil, []string{"a", "b"})
	if diff := cmp.Diff(performance.Term{Column: "kind", Value: "a"}, kinds.term(0)); diff != "" {
		t.Errorf("a category has other terms than its value (-want +got):\n%s", diff)
	}
}
