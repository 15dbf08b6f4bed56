package performance

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/stat"
)

// What is counted in cells lies within its stated bound of what is known exactly; sums and means,
// and all that follows from them, are the same.
func TestCountedScores(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(5, 5))
	counted, err := NewCountedScores(true, 0, 1, 1<<10)
	if err != nil {
		t.Fatal(err)
	}
	kept := NewScores(true, 0, 0)
	var c stat.Confusion
	for range 20_000 {
		score := rng.Float64()
		positive := rng.Float64() < score*score
		kept.Add(score, positive)
		counted.Add(score, positive)
		c.Count(score >= 0.5, positive)
	}
	exact, binned := OfBinary(c, kept), OfBinary(c, counted)
	for _, name := range []string{"roc_auc", "average_precision"} {
		a, _ := exact.Metric(name)
		b, ok := binned.Metric(name)
		if !ok || math.Abs(a.Value-b.Value) > 1e-3 || a.N != b.N || !strings.Contains(b.Method, "cells, within") {
			t.Errorf("%s = %+v, exactly %+v", name, b.Estimate, a.Estimate)
		}
	}
	for _, name := range []string{"accuracy", "f1", "log_loss", "brier"} {
		a, _ := exact.Metric(name)
		b, _ := binned.Metric(name)
		if math.Abs(a.Value-b.Value) > 1e-12 || a.N != b.N {
			t.Errorf("%s = %+v, exactly %+v", name, b.Estimate, a.Estimate)
		}
	}
	whole, part := Calibrate(kept), Calibrate(counted)
	if math.Abs(whole.ECE.Value-part.ECE.Value) > 1e-12 || math.Abs(whole.InTheLarge.Value-part.InTheLarge.Value) > 1e-12 {
		t.Errorf("ECE %v, exactly %v", part.ECE, whole.ECE)
	}
	if math.Abs(whole.Slope.Value-part.Slope.Value) > 1e-3 || !strings.Contains(part.Slope.Method, "cells") {
		t.Errorf("slope %+v, exactly %+v", part.Slope, whole.Slope)
	}
	if whole.ECEEqualMass == nil || part.ECEEqualMass != nil {
		t.Error("bins of equal mass need every score, and no fewer")
	}
	if Within("a", "b", kept).ECE.Value != whole.ECE.Value {
		t.Error("a group of everybody is calibrated otherwise than everybody")
	}
}

func TestScoresWithoutRange(t *testing.T) {
	t.Parallel()
	s, err := NewCountedScores(false, 3, 3, 16)
	if err != nil {
		t.Fatal(err)
	}
	s.Add(3, true)
	s.Add(3, false)
	if auc := s.ROCAUC(); auc.Value != 0.5 || s.N() != 2 || s.Exact() {
		t.Errorf("ROC AUC of equal scores %+v", auc)
	}
	if p := OfBinary(stat.Confusion{TP: 1, FP: 1}, NewScores(true, 0, 0)); p.ROCAUC != nil || len(p.Absent) == 0 {
		t.Errorf("no scores have a ROC AUC: %+v", p.ROCAUC)
	}
}
