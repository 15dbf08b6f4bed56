package audit

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tallystick/tallystick/internal/drift"
	"github.com/tallystick/tallystick/internal/performance"
	"github.com/tallystick/tallystick/internal/quality"
	"github.com/tallystick/tallystick/internal/report"
	"github.com/tallystick/tallystick/internal/stat"
)

// Beyond Config.ExactRows every figure lies within the bound that it states, and counts are equal.
func TestBeyondExactRows(t *testing.T) {
	t.Parallel()
	shuffled := func(t testing.TB) Config {
		cfg := housing(t)
		cfg.Files = []string{write(t, "shuffled.csv", shuffleLines(t, cfg.Files[0]))}
		return cfg
	}
	for _, test := range []struct {
		name string
		cfg  func(testing.TB) Config
	}{{"compas", compas}, {"employment", employment}, {"housing", housing}, {"housing in no order", shuffled}} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			cfg := test.cfg(t)
			exact := measured(t, cfg)
			cfg.ExactRows = 1000
			binned := measured(t, cfg)
			if binned.Rows != exact.Rows || binned.Labelled != exact.Labelled {
				t.Fatalf("%d rows, %d labelled; exactly %d, %d", binned.Rows, binned.Labelled, exact.Rows, exact.Labelled)
			}
			if !strings.Contains(strings.Join(binned.Limits, " "), "counted in cells") {
				t.Errorf("the limits do not say that values were counted: %q", binned.Limits)
			}
			if !statedBound.MatchString(binned.Performance.ROCAUC.Method) {
				t.Errorf("the ROC AUC states no bound: %q", binned.Performance.ROCAUC.Method)
			}
			samePerformance(t, "all rows", binned.Performance, exact.Performance)
			sameCalibration(t, binned.Calibration, exact.Calibration)
			sameFairness(t, binned, exact)
			sameQuality(t, binned.Quality, exact.Quality)
			sameDrift(t, "all rows", binned.Drift, exact.Drift)
			if diff := cmp.Diff(exact.Slices, binned.Slices); diff != "" {
				t.Errorf("slices differ (-exact +binned):\n%s", diff)
			}
			if diff := cmp.Diff(exact.Leakage, binned.Leakage); diff != "" {
				t.Errorf("leaks differ (-exact +binned):\n%s", diff)
			}
			if len(binned.Windows) != len(exact.Windows) {
				t.Fatalf("%d windows, exactly %d", len(binned.Windows), len(exact.Windows))
			}
			for k, w := range binned.Windows {
				if w.Rows != exact.Windows[k].Rows || w.Labelled != exact.Windows[k].Labelled || w.Label != exact.Windows[k].Label {
					t.Errorf("window %d is %+v, exactly %+v", k, w, exact.Windows[k])
				}
				samePerformance(t, w.Label, w.Performance, exact.Windows[k].Performance)
				sameDrift(t, w.Label, w.Drift, exact.Windows[k].Drift)
			}
		})
	}
}

var statedBound = regexp.MustCompile(`within ([0-9.e+-]+) of the exact value`)

func samePerformance(t *testing.T, where string, binned, exact *performance.Performance) {
	t.Helper()
	if (binned == nil) != (exact == nil) {
		t.Errorf("%s: performance %v, exactly %v", where, binned, exact)
	}
	if exact == nil {
		return
	}
	if diff := cmp.Diff(exact.Confusion, binned.Confusion); diff != "" || exact.N != binned.N {
		t.Errorf("%s: counts differ:\n%s", where, diff)
	}
	for _, want := range exact.Metrics() {
		got, ok := binned.Metric(want.Name)
		bound := 1e-9
		if m := statedBound.FindStringSubmatch(got.Method); m != nil {
			stated, err := strconv.ParseFloat(m[1], 64)
			if err != nil {
				t.Fatal(err)
			}
			bound += 1.05 * stated // two digits are stated
		}
		if !ok || got.N != want.N || math.Abs(got.Value-want.Value) > bound {
			t.Errorf("%s: %s = %+v, exactly %+v", where, want.Name, got.Estimate, want.Estimate)
		}
	}
}

func sameCalibration(t *testing.T, binned, exact *performance.Calibration) {
	t.Helper()
	if exact == nil {
		return
	}
	if diff := cmp.Diff(exact.Table, binned.Table, approximately); diff != "" || exact.N != binned.N {
		t.Errorf("reliability differs (-exact +binned):\n%s", diff)
	}
	for _, pair := range [][2]*stat.Estimate{{exact.ECE, binned.ECE}, {exact.MCE, binned.MCE}, {exact.InTheLarge, binned.InTheLarge}} {
		if diff := cmp.Diff(pair[0], pair[1], approximately); diff != "" {
			t.Errorf("calibration differs (-exact +binned):\n%s", diff)
		}
	}
	if diff := cmp.Diff(exact.Groups, binned.Groups, approximately); diff != "" {
		t.Errorf("calibration of groups differs (-exact +binned):\n%s", diff)
	}
}

func sameFairness(t *testing.T, binned, exact *report.Document) {
	t.Helper()
	if exact.Fairness == nil {
		return
	}
	if diff := cmp.Diff(exact.Fairness.Comparisons, binned.Fairness.Comparisons, approximately); diff != "" {
		t.Errorf("comparisons of groups differ (-exact +binned):\n%s", diff)
	}
	for k, g := range binned.Fairness.Groups {
		want := exact.Fairness.Groups[k]
		if want.ROCAUC.Valid() && !(g.ROCAUCCI.Low <= float64(want.ROCAUC) && float64(want.ROCAUC) <= g.ROCAUCCI.High) {
			t.Errorf("ROC AUC of %s is %v %v, exactly %v", g.Value, g.ROCAUC, g.ROCAUCCI, want.ROCAUC)
		}
		g.ROCAUC, g.ROCAUCCI = want.ROCAUC, want.ROCAUCCI
		if diff := cmp.Diff(want, g, approximately); diff != "" {
			t.Errorf("groups differ (-exact +binned):\n%s", diff)
		}
	}
}

func sameQuality(t *testing.T, binned, exact *quality.Quality) {
	t.Helper()
	for k, got := range binned.Columns {
		want := exact.Columns[k]
		for _, pair := range [][2]stat.Number{{want.P05, got.P05}, {want.Median, got.Median}, {want.P95, got.P95}} {
			if math.Abs(float64(pair[0]-pair[1])) > got.PercentileError*math.Abs(float64(pair[0])) {
				t.Errorf("%s: percentile %v, exactly %v", got.Name, pair[1], pair[0])
			}
		}
		got.P05, got.Median, got.P95, got.PercentileError = want.P05, want.Median, want.P95, want.PercentileError
		if diff := cmp.Diff(want, got, approximately); diff != "" {
			t.Errorf("column %s differs (-exact +binned):\n%s", got.Name, diff)
		}
	}
	if binned.DuplicateRows != exact.DuplicateRows {
		t.Errorf("%d rows repeat others, exactly %d", binned.DuplicateRows, exact.DuplicateRows)
	}
}

var statedDistance = regexp.MustCompile(`ks within ([0-9.e+-]+), wasserstein within ([0-9.e+-]+)`)

func sameDrift(t *testing.T, where string, binned, exact *drift.Drift) {
	t.Helper()
	if exact == nil {
		return
	}
	for k, want := range exact.Features {
		got := binned.Features[k]
		ks, w1 := 1e-12, 1e-9
		if m := statedDistance.FindStringSubmatch(got.Method); m != nil {
			a, errA := strconv.ParseFloat(m[1], 64)
			b, errB := strconv.ParseFloat(m[2], 64)
			if errA != nil || errB != nil {
				t.Fatal(errA, errB)
			}
			ks, w1 = ks+1.05*a, w1+1.05*b
		} else if !strings.HasSuffix(got.Method, "exact") {
			t.Errorf("%s: method of %s does not say how exact it is: %q", where, got.Name, got.Method)
		}
		apart := func(a, b stat.Number) float64 {
			if !a.Valid() && !b.Valid() {
				return 0
			}
			return math.Abs(float64(a - b))
		}
		if apart(got.KS, want.KS) > ks || apart(got.Wasserstein, want.Wasserstein) > w1 || apart(got.PSI, want.PSI) > 1e-12 || apart(got.Chi2, want.Chi2) > 1e-9 {
			t.Errorf("%s: %s: KS %v W1 %v PSI %v (%s); exactly %v %v %v", where, got.Name, got.KS, got.Wasserstein, got.PSI, got.Method, want.KS, want.Wasserstein, want.PSI)
		}
		if diff := cmp.Diff(want.Bins, got.Bins); diff != "" || got.N != want.N || got.Verdict != want.Verdict {
			t.Errorf("%s: %s: bins differ, or %s is not %s:\n%s", where, got.Name, got.Verdict, want.Verdict, diff)
		}
	}
}

// approximately takes numbers for equal whose difference lies in the order of summation.
var approximately = cmp.Options{
	cmp.Comparer(func(a, b float64) bool {
		return math.IsNaN(a) && math.IsNaN(b) || math.Abs(a-b) <= 1e-9*max(1, math.Abs(a))
	}),
	cmp.Comparer(func(a, b stat.Number) bool {
		return !a.Valid() && !b.Valid() || math.Abs(float64(a-b)) <= 1e-9*max(1, math.Abs(float64(a)))
	}),
}
