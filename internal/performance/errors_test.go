package performance

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/stat"
)

// Sums say what stat.NewRegression, which sees every row twice, says. Labels far from zero and a
// centre that is off put the powers to the test.
func TestErrors(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name           string
		offset, centre float64
	}{{"near zero", 0, 0}, {"far from zero", 1e6, 1e6 + 3}, {"centre off", 50, 0}} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(3, 3))
			s := NewErrors(test.centre)
			var predicted, actual []float64
			for range 5000 {
				y := test.offset + math.Exp(rng.NormFloat64())
				p := y + 0.3*rng.NormFloat64() + 0.1
				predicted, actual = append(predicted, p), append(actual, y)
				s.Add(p, y)
			}
			got, err := s.Performance()
			if err != nil {
				t.Fatal(err)
			}
			want, err := stat.NewRegression(predicted, actual)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range []struct {
				name string
				got  *stat.Estimate
				want stat.Estimate
			}{
				{"MAE", got.MAE, want.MAE}, {"RMSE", got.RMSE, want.RMSE}, {"bias", got.Bias, want.Bias},
				{"R²", got.R2, want.R2}, {"MAPE", got.MAPE, want.MAPE},
			} {
				if m.got == nil {
					t.Errorf("%s is missing", m.name)
					continue
				}
				if !close(m.got.Value, m.want.Value) || !close(m.got.Interval.Low, m.want.Interval.Low) ||
					!close(m.got.Interval.High, m.want.Interval.High) || m.got.N != m.want.N || m.got.Method != m.want.Method {
					t.Errorf("%s = %+v, want %+v", m.name, *m.got, m.want)
				}
			}
		})
	}
}

func close(a, b float64) bool { return math.Abs(a-b) <= 1e-9*max(1e-3, math.Abs(b)) }

func TestErrorsOfConstantLabels(t *testing.T) {
	t.Parallel()
	s := NewErrors(4)
	s.Add(4, 4)
	s.Add(5, 4)
	p, err := s.Performance()
	if err != nil {
		t.Fatal(err)
	}
	if p.R2 != nil || p.MAE == nil || p.MAE.Value != 0.5 || len(p.Absent) != 1 || p.Absent[0].Metric != "r2" {
		t.Errorf("%+v, absent %v", p.MAE, p.Absent)
	}
}

func TestErrorsBeyondNumbers(t *testing.T) {
	t.Parallel()
	s := NewErrors(0)
	s.Add(1e200, -1e200)
	if _, err := s.Performance(); tallystick.CodeOf(err) != tallystick.Invalid {
		t.Errorf("error %v, want an Invalid one", err)
	}
}
