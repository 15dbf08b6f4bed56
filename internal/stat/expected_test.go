package stat

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
)

// scikit-learn 1.9.1, IsotonicRegression(out_of_bounds="clip").
func TestIsotonic(t *testing.T) {
	t.Parallel()
	small := scored(t, []float64{.1, .2, .2, .4, .5, .6}, []bool{false, true, false, false, true, true}).Isotonic()
	for _, test := range [][2]float64{{0, 0}, {.1, 0}, {.15, 1. / 6}, {.2, 1. / 3}, {.3, 1. / 3}, {.4, 1. / 3}, {.45, 2. / 3}, {.5, 1}, {.9, 1}} {
		near(t, "probability", small.At(test[0]), test[1], 1e-15)
	}
	near(t, "of NaN", small.At(math.NaN()), math.NaN(), 0)
	near(t, "without points", Isotonic{}.At(0.5), math.NaN(), 0)

	c := californiaCurve(t)
	for _, test := range [][2]float64{{.05, 0.04568528}, {.303, 0.39694602}, {.5, 0.73791349}, {.777, 0.92718447}, {.999, 0.99972752}} {
		near(t, "probability", c.At(test[0]), test[1], 5e-9)
	}
	data, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var back Isotonic
	if err := json.Unmarshal(data, &back); err != nil || !reflect.DeepEqual(c, back) {
		t.Errorf("read back as %+v, %v", back, err)
	}
	for _, bad := range []string{
		`{"scores":[1]}`, `{"scores":[1,1],"probabilities":[0,1]}`, `{"scores":[1,2],"probabilities":[1,0]}`, `{"scores":[1],"probabilities":[2]}`,
	} {
		if err := json.Unmarshal([]byte(bad), &back); err == nil {
			t.Errorf("%s was read", bad)
		}
	}
}

func californiaCurve(t *testing.T) Isotonic {
	t.Helper()
	columns := readColumns(t, "california-housing/california_housing_reference.csv")
	var positive []bool
	for _, label := range columns["clf_target"] {
		positive = append(positive, label == "1")
	}
	return scored(t, numbers(t, columns["y_pred_proba"], nil), positive).Isotonic()
}

// ROC AUC as NannyML's CBPE estimates it in its documentation, .829077 and .910661; the counts and
// the other month by NumPy 2.4.6 and scikit-learn 1.9.1 from the same curve.
func TestExpectedCalifornia(t *testing.T) {
	t.Parallel()
	c := californiaCurve(t)
	columns := readColumns(t, "california-housing/california_housing_analysis.csv")
	for _, test := range []struct {
		month    string
		area     float64
		want     ExpectedConfusion
		accuracy float64
	}{
		{"2022-03", .829077, ExpectedConfusion{TP: 20.078368671823494, FP: 0.9216313281765054, FN: 257.29721040397857, TN: 465.7027895960214}, 0.6529316643385011},
		{"2022-04", .910661, ExpectedConfusion{TP: 33.063565673690505, FP: 0.9364343263094906, FN: 202.3660335836081, TN: 483.6339664163919}, 0.7176354612362256},
		{"2021-06", .859318478, ExpectedConfusion{TP: 25.85776433227125, FP: 1.1422356677287526, FN: 207.73394017967763, TN: 485.2660598203223}, 0.7098942002119355},
	} {
		in := func(row int) bool { return columns["timestamp"][row][:7] == test.month }
		scores, predicted := numbers(t, columns["y_pred_proba"], in), numbers(t, columns["y_pred"], in)
		var probabilities []float64
		var got ExpectedConfusion
		for i, score := range scores {
			probabilities = append(probabilities, c.At(score))
			got.Count(predicted[i] == 1, c.At(score))
		}
		near(t, test.month+" area", ExpectedROCAUC(scores, probabilities).Value, test.area, 1e-6)
		near(t, test.month+" tp", got.TP, test.want.TP, 1e-9)
		near(t, test.month+" fp", got.FP, test.want.FP, 1e-9)
		near(t, test.month+" fn", got.FN, test.want.FN, 1e-9)
		near(t, test.month+" tn", got.TN, test.want.TN, 1e-9)
		near(t, test.month+" accuracy", got.Accuracy().Value, test.accuracy, 1e-12)
	}
}

// The standard deviations against labels that are drawn again and again.
func TestExpectedSD(t *testing.T) {
	t.Parallel()
	manyStreams(t)
	rng := rand.New(rand.NewPCG(2, 6))
	const rows, draws = 2000, 2000
	scores, probabilities := make([]float64, rows), make([]float64, rows)
	var c ExpectedConfusion
	for i := range scores {
		scores[i] = math.Round(rng.Float64()*50) / 50
		probabilities[i] = 0.05 + 0.8*scores[i]*scores[i]
		c.Count(scores[i] > 0.6, probabilities[i])
	}
	drawn := make(map[string]*Moments)
	labels := make([]bool, rows)
	for range draws {
		var seen Confusion
		for i, p := range probabilities {
			labels[i] = rng.Float64() < p
			seen.Count(scores[i] > 0.6, labels[i])
		}
		for name, v := range map[string]float64{
			"accuracy": seen.Accuracy().Rate(), "precision": seen.PPV().Rate(), "recall": seen.TPR().Rate(),
			"fpr": seen.FPR().Rate(), "f1": seen.F1().Value, "roc auc": scored(t, slices.Clone(scores), labels).ROCAUC().Value,
		} {
			if drawn[name] == nil {
				drawn[name] = new(Moments)
			}
			drawn[name].Add(v)
		}
	}
	for name, got := range map[string]Expected{
		"accuracy": c.Accuracy(), "precision": c.Precision(), "recall": c.Recall(), "fpr": c.FPR(), "f1": c.F1(),
		"roc auc": ExpectedROCAUC(scores, probabilities),
	} {
		near(t, name, got.Value, drawn[name].Mean, 4*got.SD/math.Sqrt(draws)+1e-4) // a ratio of means is not quite the mean of ratios
		nearRelative(t, name+" sd", got.SD, drawn[name].SD(), 0.06)
	}
	near(t, "area without labels", ExpectedROCAUC([]float64{1, 2}, []float64{0, 0}).Value, math.NaN(), 0)
	near(t, "area of certain labels", ExpectedROCAUC([]float64{1, 2, 2, 3}, []float64{0, 0, 1, 1}).Value, 0.875, 1e-15)
	near(t, "area of unequal lengths", ExpectedROCAUC([]float64{1}, nil).Value, math.NaN(), 0)
}
