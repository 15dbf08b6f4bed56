package performance

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/stat"
)

// drawn returns the performance of n rows with that many positives, whose scores lie separation
// standard deviations above the others' on the logit scale.
func drawn(rng *rand.Rand, n, positives int, separation float64) *Performance {
	scores := NewScores(true, 0, 0)
	var c stat.Confusion
	for i := range n {
		positive := i < positives
		x := rng.NormFloat64()
		if positive {
			x += separation
		}
		score := 1 / (1 + math.Exp(-x))
		scores.Add(score, positive)
		c.Count(score >= 0.5, positive)
	}
	return OfBinary(c, scores)
}

func comparison(t *testing.T, all []Comparison, metric string) Comparison {
	t.Helper()
	for _, c := range all {
		if c.Metric == metric {
			return c
		}
	}
	t.Fatalf("no comparison of %s", metric)
	return Comparison{}
}

func TestCompare(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 7))
	base := Baseline{Performance: drawn(rng, 20_000, 8_000, 1.8125), Name: "the reference", Metrics: Headline(Binary), Looks: 40}
	for _, c := range []struct {
		what    string
		now     *Performance
		verdict tallystick.Verdict
	}{
		{"alike", drawn(rng, 20_000, 8_000, 1.8125), tallystick.Pass},
		{"ROC AUC of 0.80 for 0.90", drawn(rng, 2_000, 800, 1.19), tallystick.Fail},
		{"too few rows", drawn(rng, 150, 60, 1.19), tallystick.Insufficient},
	} {
		if got := comparison(t, base.Compare(c.now), "roc_auc"); got.Verdict != c.verdict {
			t.Errorf("%s: %s, want %s: %s", c.what, got.Verdict, c.verdict, got.Words)
		}
	}
}

// DeLong's interval is too short where one class has a handful of labels: with 3 of 1,000 one
// window in 80 would fall below the baseline by chance, instead of one in 1,600.
func TestFewPositivesAreNotCompared(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 11))
	base := Baseline{Performance: drawn(rng, 20_000, 8_000, 1.19), Name: "the reference", Metrics: Headline(Binary), Looks: 40}
	for _, positives := range []int{1, 3, 9, 997} {
		c := comparison(t, base.Compare(drawn(rng, 1000, positives, 1.19)), "roc_auc")
		if c.Verdict != tallystick.Insufficient {
			t.Errorf("%d positives of 1,000: %s", positives, c.Verdict)
		}
	}
	if c := comparison(t, base.Compare(drawn(rng, 1000, 100, 1.19)), "roc_auc"); c.Verdict == tallystick.Insufficient {
		t.Errorf("100 positives of 1,000: %s", c.Words)
	}
}

// A metric that the baseline has and this does not is no pass.
func TestMissingMetricIsInsufficient(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 13))
	base := Baseline{Performance: drawn(rng, 5000, 2000, 1.8125), Name: "the champion"}
	c := comparison(t, base.Compare(OfBinary(stat.Confusion{TP: 1600, FP: 500, TN: 2500, FN: 400}, nil)), "roc_auc")
	if c.Verdict != tallystick.Insufficient || !strings.HasPrefix(c.Words, "ROC AUC is not known here (there is no score; name its column with --score); in the champion it is 0.") {
		t.Errorf("%s: %s", c.Verdict, c.Words)
	}
	window := Baseline{Performance: base.Performance, Name: "the reference", Metrics: Headline(Binary), Looks: 40}
	got := window.Compare(drawn(rng, 1000, 0, 0))
	if c := comparison(t, got, "roc_auc"); len(got) != 2 || c.Verdict != tallystick.Insufficient || !strings.Contains(c.Words, "labels of one class only") {
		t.Errorf("%d comparisons; %s: %s", len(got), c.Verdict, c.Words)
	}
}

// Windows of data that does not change: an alarm is rare however many windows there are, and what is
// left unsettled is little, because each window passes by its own 95 % interval.
func TestUnchangingWindowsMostlySettle(t *testing.T) {
	t.Parallel()
	const looks = 400
	rng := rand.New(rand.NewPCG(3, 17))
	base := Baseline{Performance: drawn(rng, 50_000, 20_000, 1.8125), Name: "the reference", Metrics: Headline(Binary), Looks: looks}
	count := map[string]map[tallystick.Verdict]int{"roc_auc": {}, "accuracy": {}}
	for range looks {
		for _, c := range base.Compare(drawn(rng, 1000, 400, 1.8125)) {
			count[c.Metric][c.Verdict]++
		}
	}
	// With the wide interval for both, 30 % and 97 % were not settled. Accuracy has a standard error
	// of 1.4 points here and a margin of 3.6, so that no rule settles all of 1,000 rows.
	for metric, unsettled := range map[string]int{"roc_auc": looks / 50, "accuracy": looks / 2} {
		v := count[metric]
		if v[tallystick.Warn]+v[tallystick.Fail] > 1 || v[tallystick.Inconclusive] > unsettled {
			t.Errorf("%s: %v", metric, v)
		}
	}
}
