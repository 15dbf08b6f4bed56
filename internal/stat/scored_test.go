package stat

import (
	"math"
	"math/rand/v2"
	"testing"
)

func scored(t testing.TB, scores []float64, positive []bool) *Scored {
	t.Helper()
	s, err := NewScored(scores, positive)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Twelve rows with ties; values of scikit-learn 1.9.1, DeLong's variance from its definition.
func twelve(t testing.TB) *Scored {
	positive := []bool{true, true, false, true, false, false, true, false, true, false, false, true}
	return scored(t, []float64{.9, .8, .8, .7, .6, .6, .6, .5, .4, .3, .2, .1}, positive)
}

func TestScoredSmall(t *testing.T) {
	t.Parallel()
	s := twelve(t)
	near(t, "auc", s.ROCAUC().Value, 0.625, 0)
	near(t, "delong variance", areaOf(s).variance, 0.03263888888888889, 1e-15)
	near(t, "auc high", s.ROCAUC().Interval.High, 0.625+1.959963984540054*0.18066236157232332, 1e-12)
	near(t, "average precision", s.AveragePrecision().Value, 0.6739417989417988, 1e-15)
	near(t, "log loss", s.Losses().LogLoss().Value, 0.7608221259616882, 1e-15)
	near(t, "brier", s.Losses().Brier().Value, 0.2675, 1e-15)
	near(t, "clipped log loss", scored(t, []float64{1, 1, 0}, []bool{true, false, true}).Losses().LogLoss().Value, 24.029102259411435, 1e-12)
}

func TestScoredCompas(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		race                          string
		auc, variance, ap, brier, ece float64
	}{
		{"", .7021662544, 3.707688721329985e-05, .6283740292, .2294649293, .0979207097},
		{"African-American", .6918343813, 7.330452449154997e-05, .6714105852539518, .2359550866, .1068452381},
		{"Caucasian", .6931462744, 0.00011658586686969747, .5693391186999902, .2213202934, .0823960880},
	} {
		c := readCompas(t, test.race)
		s := scored(t, c.score, c.recid)
		near(t, test.race+" auc", s.ROCAUC().Value, test.auc, 5e-11)
		near(t, test.race+" delong variance", areaOf(s).variance, test.variance, 1e-15)
		near(t, test.race+" average precision", s.AveragePrecision().Value, test.ap, 5e-11)
		near(t, test.race+" brier", s.Losses().Brier().Value, test.brier, 5e-11)
		near(t, test.race+" ece", s.Reliability(EqualWidthBins(10)).ECE().Value, test.ece, 5e-11)
		if got := s.At(0.5); got != c.confusion {
			t.Errorf("%s: at 0.5 %+v, want %+v", test.race, got, c.confusion)
		}
	}
}

// Metrics of the reference rows of NannyML's California housing; values of scikit-learn 1.9.1, the
// logistic fit by Newton's method in NumPy 2.4.6.
func TestScoredCalifornia(t *testing.T) {
	t.Parallel()
	columns := readColumns(t, "california-housing/california_housing_reference.csv")
	var positive []bool
	for _, label := range columns["clf_target"] {
		positive = append(positive, label == "1")
	}
	s := scored(t, numbers(t, columns["y_pred_proba"], nil), positive)
	near(t, "auc", s.ROCAUC().Value, 0.9079415179034716, 1e-13)
	near(t, "average precision", s.AveragePrecision().Value, 0.9455635801425559, 1e-13)
	near(t, "log loss", s.Losses().LogLoss().Value, 0.41599466434186494, 1e-12)
	near(t, "brier", s.Losses().Brier().Value, 0.12893357338820302, 1e-12)

	fit := s.Recalibration()
	near(t, "slope", fit.Slope.Value, 1.18312738, 5e-9)
	near(t, "intercept", fit.Intercept.Value, 0.73742467, 5e-9)
	near(t, "slope se", (fit.Slope.Interval.High-fit.Slope.Value)/1.959963984540054, 0.03177915, 5e-9)
	near(t, "intercept se", (fit.Intercept.Interval.High-fit.Intercept.Value)/1.959963984540054, 0.03933191, 5e-9)

	mass := s.Reliability(s.EqualMassBins(10))
	near(t, "ece of equal mass", mass.ECE().Value, 0.09415980795610425, 1e-12)
	near(t, "mce of equal mass", mass.MCE().Value, 0.19941368078175892, 1e-12)
}

func TestAUCPerfectSeparation(t *testing.T) {
	t.Parallel()
	e := scored(t, []float64{.1, .2, .3, .8, .9}, []bool{false, false, false, true, true}).ROCAUC()
	near(t, "auc", e.Value, 1, 0)
	near(t, "low", e.Interval.Low, Proportion{2, 2}.Wilson(Confidence).Low, 0)
	near(t, "high", e.Interval.High, 1, 0)
}

func TestAUCDifference(t *testing.T) {
	t.Parallel()
	a, c := readCompas(t, "African-American"), readCompas(t, "Caucasian")
	d, p := AUCDifference(scored(t, a.score, a.recid), scored(t, c.score, c.recid))
	near(t, "difference", d.Value, .6918343813-.6931462744, 1e-10)
	se := math.Sqrt(7.330452449154997e-05 + 0.00011658586686969747)
	near(t, "low", d.Interval.Low, d.Value-1.959963984540054*se, 1e-12)
	near(t, "p", p, math.Erfc(math.Abs(d.Value)/se/math.Sqrt2), 1e-12)
}

func TestScoredRefuses(t *testing.T) {
	t.Parallel()
	for _, scores := range [][]float64{{1}, {1, math.NaN()}, {math.Inf(1), 0}} {
		if _, err := NewScored(scores, []bool{true, false}); err == nil {
			t.Errorf("scores %v with two labels were taken", scores)
		}
	}
	one := scored(t, []float64{.2, .4}, []bool{true, true})
	if one.ROCAUC().Valid() || one.ROC() != nil || one.Recalibration().Slope.Valid() {
		t.Error("one label alone has a ROC curve")
	}
	empty := scored(t, nil, nil)
	if empty.AveragePrecision().Valid() || empty.Losses().Brier().Valid() || empty.PrecisionRecall() != nil {
		t.Error("no rows have a metric")
	}
	if scored(t, []float64{2, .5}, []bool{true, false}).Losses().Brier().Valid() {
		t.Error("a score of 2 has a Brier score")
	}
}

func TestCurves(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(7, 7))
	for _, n := range []int{2, 30, 5000} {
		scores, positive := make([]float64, n), make([]bool, n)
		for i := range scores {
			scores[i] = rng.Float64()
			positive[i] = rng.Float64() < scores[i]
		}
		positive[0], positive[1] = true, false
		s := scored(t, scores, positive)
		roc, pr := s.ROC(), s.PrecisionRecall()
		if len(roc) > 200 || len(pr) > 200 {
			t.Errorf("%d rows give %d and %d points", n, len(roc), len(pr))
		}
		if first, last := roc[0], roc[len(roc)-1]; first.X != 0 || first.Y != 0 || last.X != 1 || last.Y != 1 {
			t.Errorf("%d rows: ROC runs from %v to %v", n, first, last)
		}
		for i, p := range roc[1:] {
			c := s.At(float64(p.Threshold))
			if p.X != c.FPR().Rate() || p.Y != c.TPR().Rate() {
				t.Errorf("point %d at %v is (%v, %v), want (%v, %v)", i, p.Threshold, p.X, p.Y, c.FPR().Rate(), c.TPR().Rate())
			}
		}
		for i, p := range pr[1:] {
			c := s.At(float64(p.Threshold))
			if p.X != c.TPR().Rate() || p.Y != c.PPV().Rate() {
				t.Errorf("point %d at %v is (%v, %v)", i, p.Threshold, p.X, p.Y)
			}
		}
	}
}

// The interval must hold the true error of 0 in at least 95 of 100 samples of a calibrated score,
// where the plain estimate never is 0.
func TestECEInterval(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 4))
	const trials = 200
	held := 0
	for range trials {
		r := NewReliability(EqualWidthBins(10))
		for range 500 {
			score := rng.Float64()
			r.Add(score, rng.Float64() < score)
		}
		if e := r.ECE(); e.Interval.Low == 0 && e.Value > 0 {
			held++
		}
	}
	if held < trials*93/100 {
		t.Errorf("a calibrated score's interval holds 0 in %d of %d samples", held, trials)
	}
}

func TestReliability(t *testing.T) {
	t.Parallel()
	whole, a, b := NewReliability(EqualWidthBins(4)), NewReliability(EqualWidthBins(4)), NewReliability(EqualWidthBins(4))
	for i, score := range []float64{0, .25, .26, .5, .9, 1, .1, .3} {
		part := a
		if i%2 == 0 {
			part = b
		}
		part.Add(score, i%3 == 0)
		whole.Add(score, i%3 == 0)
	}
	if err := a.Merge(b); err != nil {
		t.Fatal(err)
	}
	near(t, "merged ece", a.ECE().Value, whole.ECE().Value, 1e-15)
	var counts []int64
	for _, row := range whole.Rows() {
		counts = append(counts, row.N)
	}
	want := []int64{3, 3, 0, 2} // edges belong to the bin below
	for i := range want {
		if counts[i] != want[i] {
			t.Fatalf("bins hold %v, want %v", counts, want)
		}
	}
	if err := a.Merge(NewReliability(EqualWidthBins(5))); err == nil {
		t.Error("tables with different bins were merged")
	}
	if NewReliability(EqualWidthBins(4)).ECE().Valid() {
		t.Error("an empty table has an ECE")
	}
}

// The decile scores of COMPAS, a tenth each, by whether people reoffended. Newton's whole steps swing
// between two points there for ever, because a score of 1 has the logit of LogitClip. The fit is that
// of statsmodels 0.15 Logit.
func TestRecalibrationDoesNotSwing(t *testing.T) {
	t.Parallel()
	positive, negative := []int{308, 293, 281, 334, 326, 358, 350, 350, 355, 296}, []int{1132, 648, 466, 435, 355, 283, 242, 162, 153, 87}
	var scores []float64
	var labels []bool
	for decile := range 10 {
		for range positive[decile] {
			scores, labels = append(scores, float64(decile+1)/10), append(labels, true)
		}
		for range negative[decile] {
			scores, labels = append(scores, float64(decile+1)/10), append(labels, false)
		}
	}
	s, err := NewScored(scores, labels)
	if err != nil {
		t.Fatal(err)
	}
	fit := s.Recalibration()
	if !(math.Abs(fit.Intercept.Value+0.2279515985730338) < 1e-8 && math.Abs(fit.Slope.Value-0.20539061059462202) < 1e-8) {
		t.Errorf("intercept %v, slope %v", fit.Intercept.Value, fit.Slope.Value)
	}
}
