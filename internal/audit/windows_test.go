package audit

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tallystick/tallystick"
)

// A window says what could not be judged, and never passes for want of labels.
func TestWindowsWithoutEvidenceDoNotPass(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(5, 19))
	var b strings.Builder
	b.WriteString("y,prediction,score\n")
	for row := range 4250 {
		label, positive := "", rng.Float64() < 0.4
		logit := rng.NormFloat64() - 1
		if positive {
			logit += 2
		}
		score := 1 / (1 + math.Exp(-logit))
		switch window := row / 1000; {
		case window == 1: // no label yet
		case window == 2 && positive: // labels of one class
		case positive:
			label = "1"
		default:
			label = "0"
		}
		fmt.Fprintf(&b, "%s,%.0f,%.6f\n", label, math.Round(score), score)
	}
	doc := measured(t, Config{Files: []string{write(t, "late.csv", b.String())}, Label: "y", PositiveLabel: "1", Prediction: "prediction", Score: "score", Chunk: 1000})
	for _, want := range []struct {
		window  int
		verdict tallystick.Verdict
		words   string
	}{
		{0, tallystick.Pass, "Nothing stands out."},
		{1, tallystick.Insufficient, "No row has both a label and a prediction"},
		{2, tallystick.Insufficient, "ROC AUC is not known here (there are labels of one class only)"},
		{4, tallystick.Inconclusive, "does not settle whether that is a loss of more than 5 %"},
	} {
		w := doc.Windows[want.window]
		if w.Verdict != want.verdict || w.PerformanceVerdict != want.verdict || !strings.Contains(w.Words, want.words) {
			t.Errorf("%s: %s, performance %s: %s", w.Label, w.Verdict, w.PerformanceVerdict, w.Words)
		}
	}
}
