package performance

import (
	"encoding/csv"
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"testing"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/stat"
)

// decided is the scores, decisions and labels of some rows.
type decided struct {
	scores              []float64
	predicted, positive []bool
}

func (d decided) performance() *Performance {
	var c stat.Confusion
	scores := NewScores(true, 0, 0)
	for i, score := range d.scores {
		c.Count(d.predicted[i], d.positive[i])
		scores.Add(score, d.positive[i])
	}
	return OfBinary(c, scores)
}

func (d decided) check(t *testing.T, e *Estimator) map[string]Realised {
	t.Helper()
	estimated, err := e.Estimate(d.scores, d.predicted)
	if err != nil {
		t.Fatal(err)
	}
	checked, err := estimated.Check(d.performance())
	if err != nil {
		t.Fatal(err)
	}
	byName := make(map[string]Realised)
	for _, r := range checked {
		byName[r.Name] = r
	}
	return byName
}

// california reads a month of NannyML's data, with labels; "" is the whole reference.
func california(t *testing.T, month string) decided {
	t.Helper()
	read := func(name string) []map[string]string {
		f, err := os.Open(filepath.Join("..", "..", "..", "shared", "data", "california-housing", name))
		if err != nil {
			t.Skipf("needs ../shared/data/california-housing/%s: %v", name, err)
		}
		defer f.Close()
		lines, err := csv.NewReader(f).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		var rows []map[string]string
		for _, line := range lines[1:] {
			row := make(map[string]string)
			for i, cell := range line {
				row[lines[0][i]] = cell
			}
			rows = append(rows, row)
		}
		return rows
	}
	var d decided
	add := func(row map[string]string, label string) {
		score, err := strconv.ParseFloat(row["y_pred_proba"], 64)
		if err != nil {
			t.Fatal(err)
		}
		d.scores = append(d.scores, score)
		d.predicted = append(d.predicted, row["y_pred"] == "1")
		d.positive = append(d.positive, label == "1")
	}
	if month == "" {
		for _, row := range read("california_housing_reference.csv") {
			add(row, row["clf_target"])
		}
		return d
	}
	labels := make(map[string]string)
	for _, row := range read("california_housing_analysis_gt.csv") {
		labels[row["id"]] = row["clf_target"]
	}
	for _, row := range read("california_housing_analysis.csv") {
		if row["timestamp"][:7] == month {
			add(row, labels[row["id"]])
		}
	}
	return d
}

// NannyML's documentation estimates a ROC AUC of .829077 for March 2022 and .910661 for April, and
// shows that March was .704867 and November 2021 .731549: the estimate missed both, which the check
// against labels must say. The realised values of the other months are scikit-learn's.
func TestEstimatedCalifornia(t *testing.T) {
	t.Parallel()
	reference := california(t, "")
	e, err := NewEstimator(reference.scores, reference.positive)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		month               string
		estimated, realised float64
		want                tallystick.Verdict
	}{
		{"2021-06", .859318, .884175, tallystick.Pass},
		{"2021-07", .750976, .760062, tallystick.Pass},
		{"2021-08", .709284, .704325, tallystick.Pass},
		{"2021-09", .664344, .669772, tallystick.Pass},
		{"2021-10", .824291, .833500, tallystick.Pass},
		{"2021-11", .870254, .731549, tallystick.Fail},
		{"2022-03", .829077, .704867, tallystick.Fail},
		{"2022-04", .910661, .975394, tallystick.Fail},
	} {
		got := california(t, test.month).check(t, e)["roc_auc"]
		if math.Abs(got.Value-test.estimated) > 1e-6 || math.Abs(got.Realised-test.realised) > 1e-6 || got.Verdict != test.want {
			t.Errorf("%s: estimated %.6f, realised %.6f, %s within %v; want %.6f, %.6f, %s",
				test.month, got.Value, got.Realised, got.Verdict, got.Band, test.estimated, test.realised, test.want)
		}
	}
}

// rows draws scores that are no probabilities, with labels that follow from them. moved shifts the
// scores, flipped turns that share of labels round.
func rows(rng *rand.Rand, n int, moved, flipped float64) decided {
	var d decided
	for range n {
		x := rng.NormFloat64() + moved
		positive := rng.Float64() < 1/(1+math.Exp(1-2*x))
		d.scores = append(d.scores, x)
		d.predicted = append(d.predicted, x > 0.5)
		d.positive = append(d.positive, positive != (rng.Float64() < flipped))
	}
	return d
}

// Where rows change and their labels follow the scores as before, estimates hold; where labels
// change, they do not and the check says so.
func TestEstimatedHoldsWithoutConceptDrift(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(8, 1))
	const windows = 60
	failed := make(map[string]int)
	for range windows {
		reference := rows(rng, 4000, 0, 0)
		e, err := NewEstimator(reference.scores, reference.positive)
		if err != nil {
			t.Fatal(err)
		}
		for moved := range 2 {
			for name, r := range rows(rng, 1000, float64(moved)*0.4, 0).check(t, e) {
				if r.Verdict == tallystick.Fail {
					failed[name]++
				}
				if !(r.Drawing > 0 && r.Curve > 0 && r.Curve < r.Drawing) {
					t.Errorf("%s: errors %v and %v, of 1,000 rows against 4,000", name, r.Drawing, r.Curve)
				}
			}
		}
		if got := rows(rng, 1000, 0, 0.2).check(t, e)["accuracy"]; got.Verdict != tallystick.Fail {
			t.Errorf("a fifth of labels turned: %+v", got)
		}
	}
	for name, n := range failed {
		if n > 2 { // 0.3 of 120 are expected beyond three standard errors
			t.Errorf("%s left its band in %d of %d windows", name, n, 2*windows)
		}
	}
}

func TestEstimatorBounds(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(8, 2))
	small := rows(rng, 999, 0, 0)
	if _, err := NewEstimator(small.scores, small.positive); err == nil {
		t.Error("999 rows were taken for a reference")
	}
	d := rows(rng, 2000, 0, 0)
	if _, err := NewEstimator(d.scores, make([]bool, 2000)); err == nil {
		t.Error("a reference of one label was taken")
	}
	e, err := NewEstimator(d.scores, d.positive)
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	var back Estimator
	if err := json.Unmarshal(data, &back); err != nil || !reflect.DeepEqual(*e, back) {
		t.Errorf("read back otherwise, %v", err)
	}
	areas, err := e.Estimate([]float64{-9, 0, 0.5, 1, 9}, nil)
	if err != nil || areas.Outside != 2 || len(areas.Metrics) != 1 || areas.Metrics[0].Name != "roc_auc" {
		t.Errorf("without decisions: %+v, %v", areas, err)
	}
	if _, err := areas.Check(d.performance()); err == nil {
		t.Error("labels of other rows were held against an estimate")
	}
	if got, err := e.Estimate(nil, nil); err != nil || got.N != 0 || len(got.Metrics) != 0 {
		t.Errorf("of no rows: %+v, %v", got, err)
	}
	for name, bad := range map[string]func() error{
		"NaN":      func() error { _, err := e.Estimate([]float64{math.NaN()}, nil); return err },
		"lengths":  func() error { _, err := e.Estimate([]float64{1}, []bool{}); return err },
		"no curve": func() error { _, err := new(Estimator).Estimate([]float64{1}, nil); return err },
	} {
		if bad() == nil {
			t.Errorf("%s was taken", name)
		}
	}
}
