package stat

import (
	"math"
	"math/rand/v2"
	"testing"
)

// Every figure from cells lies within its stated bound of the exact one, ties and coarse cells
// included.
func TestScoreHistogramEstimates(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		rows  int
		cells int
		score func(rng *rand.Rand, positive bool) float64
	}{
		{"separated", 20_000, 1 << 12, func(rng *rand.Rand, positive bool) float64 {
			x := rng.NormFloat64()
			if positive {
				x++
			}
			return 1 / (1 + math.Exp(-x))
		}},
		{"crowded", 5000, 64, func(rng *rand.Rand, positive bool) float64 {
			if positive {
				return rng.Float64() * 0.02
			}
			return rng.Float64() * 0.018
		}},
		{"tied", 5000, 256, func(rng *rand.Rand, _ bool) float64 { return float64(rng.IntN(10)) / 10 }},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(7, 7))
			var scores []float64
			var labels []bool
			h, err := NewScoreHistogram(0, 1, test.cells)
			if err != nil {
				t.Fatal(err)
			}
			for range test.rows {
				positive := rng.IntN(4) == 0
				score := test.score(rng, positive)
				scores, labels = append(scores, score), append(labels, positive)
				if err := h.Add(score, positive); err != nil {
					t.Fatal(err)
				}
			}
			exact, err := NewScored(scores, labels)
			if err != nil {
				t.Fatal(err)
			}
			area, precision := h.Estimates()
			for _, figure := range []struct {
				name          string
				binned, exact Estimate
				bound         float64
			}{
				{"ROC AUC", area, exact.ROCAUC(), h.ROCAUC().Bound},
				{"average precision", precision, exact.AveragePrecision(), h.AveragePrecision().Bound},
			} {
				if d := math.Abs(figure.binned.Value - figure.exact.Value); d > figure.bound+1e-12 {
					t.Errorf("%s %v is %v from %v, more than %v", figure.name, figure.binned.Value, d, figure.exact.Value, figure.bound)
				}
				if figure.binned.N != figure.exact.N {
					t.Errorf("%s: N %d, want %d", figure.name, figure.binned.N, figure.exact.N)
				}
				if !figure.binned.Interval.Contains(figure.exact.Value) {
					t.Errorf("%s: interval %v does not hold %v", figure.name, figure.binned.Interval, figure.exact.Value)
				}
			}
			if test.name == "separated" {
				a, b := h.Recalibration(), exact.Recalibration()
				if math.Abs(a.Slope.Value-b.Slope.Value) > 1e-3 || math.Abs(a.Intercept.Value-b.Intercept.Value) > 1e-3 {
					t.Errorf("recalibration %+v, exactly %+v", a, b)
				}
			}
			if last := h.ROC()[len(h.ROC())-1]; last.X != 1 || last.Y != 1 {
				t.Errorf("the ROC curve ends at %+v", last)
			}
		})
	}
}

func TestScoreHistogramEmpty(t *testing.T) {
	t.Parallel()
	h, err := NewScoreHistogram(0, 1, 8)
	if err != nil {
		t.Fatal(err)
	}
	if area, precision := h.Estimates(); area.Valid() || precision.Valid() {
		t.Errorf("estimates of nothing: %+v %+v", area, precision)
	}
	if h.ROC() != nil || h.PrecisionRecall() != nil {
		t.Error("curves of nothing")
	}
}

// Cells of logits move the fit of many scores by less than is promised.
func TestRecalibrationOfManyRows(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(9, 9))
	var scores []float64
	var labels []bool
	for range 2 * logitCells {
		score := rng.Float64() * rng.Float64()
		scores, labels = append(scores, score), append(labels, rng.Float64() < score*score)
	}
	s, err := NewScored(scores, labels)
	if err != nil {
		t.Fatal(err)
	}
	got, want := s.Recalibration(), recalibrate(s.logits(len(scores)), s.N(), "every score")
	for _, pair := range [][2]Estimate{{got.Slope, want.Slope}, {got.Intercept, want.Intercept}} {
		near(t, "value", pair[0].Value, pair[1].Value, 1e-7)
		near(t, "low", pair[0].Interval.Low, pair[1].Interval.Low, 1e-7)
		near(t, "high", pair[0].Interval.High, pair[1].Interval.High, 1e-7)
	}
}
