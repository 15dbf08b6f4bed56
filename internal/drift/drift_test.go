package drift_test

import (
	"encoding/csv"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/drift"
)

func readColumn(t *testing.T, path, column string) []float64 {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Skipf("needs %s: %v", path, err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	at := slices.Index(rows[0], column)
	var values []float64
	for _, row := range rows[1:] {
		x, err := strconv.ParseFloat(row[at], 64)
		if err != nil {
			t.Fatal(err)
		}
		values = append(values, x)
	}
	return values
}

func numbers(t *testing.T, values []float64) *drift.Numbers {
	t.Helper()
	n, err := drift.NewNumbers("x", "feature", values, 0)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// California housing (NannyML, Apache-2.0), reference against analysis: PSI over reference
// deciles and Wasserstein over the reference's standard deviation, computed with NumPy and SciPy.
// Bins of equal width over both samples would give AveOccup a PSI of 0.000013.
func TestCaliforniaHousing(t *testing.T) {
	t.Parallel()
	const dir = "../../../shared/data/california-housing/"
	for column, want := range map[string][2]float64{
		"MedInc": {.037248, .157537}, "HouseAge": {.079670, .178565}, "AveRooms": {.027077, .082767},
		"AveBedrms": {.002512, .035204}, "Population": {.004483, .043411}, "AveOccup": {.055715, .235714},
	} {
		reference := readColumn(t, dir+"california_housing_reference.csv", column)
		f := numbers(t, reference).Compare(readColumn(t, dir+"california_housing_analysis.csv", column), 0)
		if math.Abs(float64(f.PSI)-want[0]) > 5e-7 || math.Abs(float64(f.WassersteinSD)-want[1]) > 5e-7 {
			t.Errorf("%s: PSI %.6f, W1/sd %.6f; want %.6f, %.6f", column, f.PSI, f.WassersteinSD, want[0], want[1])
		}
	}
}

// A test with one key alarms in most windows of data that does not change; two keys must not, and
// must still find a shift of a quarter of a standard deviation.
func TestStableDataStaysQuiet(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(7, 11))
	normal := func(n int, shift float64) []float64 {
		values := make([]float64, n)
		for i := range values {
			values[i] = random.NormFloat64() + shift
		}
		return values
	}
	const features, windows = 20, 200
	references := make([]*drift.Numbers, features)
	for i := range references {
		references[i] = numbers(t, normal(10_000, 0))
	}
	judge := func(shift float64) *drift.Drift {
		var all []drift.Feature
		for i, r := range references {
			s := 0.0
			if i == 0 {
				s = shift
			}
			all = append(all, r.Compare(normal(1000, s), 0))
		}
		return drift.Judge(all, 10_000, 1000, drift.Defaults())
	}
	flagged, found := 0, 0
	for range windows {
		if judge(0).Drifted > 0 {
			flagged++
		}
		if v := judge(0.25).Features[0].Verdict; v == tallystick.Warn || v == tallystick.Fail {
			found++
		}
	}
	// 3 standard errors above the published 0.7 % for both keys, and 99 % found.
	if flagged > 7 || found < windows*99/100 {
		t.Errorf("of %d windows %d stable ones are flagged and %d shifted ones found", windows, flagged, found)
	}
}

func TestNarrowScaleIsSeen(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 5))
	draw := func(mean float64) []float64 {
		values := make([]float64, 20_000)
		for i := range values {
			values[i] = mean + random.NormFloat64()
		}
		return values
	}
	f := numbers(t, draw(1000)).Compare(draw(1000.5), 0)
	if f.KS < 0.18 { // 0.1974 is the value of the two distributions
		t.Errorf("KS of N(1000,1) against N(1000.5,1) = %v", f.KS)
	}
}

func TestCategories(t *testing.T) {
	t.Parallel()
	c := drift.NewCategories("RELP", "feature", []string{"0", "1", "17"}, []int64{6000, 3500, 500}, 0)
	same := c.Compare([]string{"17", "1", "0"}, []int64{50, 350, 600}, 0)
	moved := c.Compare([]string{"17", "1", "99"}, []int64{700, 200, 60}, 40)
	d := drift.Judge([]drift.Feature{same, moved}, 10_000, 1000, drift.Defaults())
	if v := d.Features[0].Verdict; v != tallystick.Pass {
		t.Errorf("unchanged shares: %s, %s", v, d.Features[0].Words)
	}
	if f := d.Features[1]; f.Verdict != tallystick.Fail || !strings.Contains(f.Words, "RELP = 17 rises from 5.0 % to 70.0 % of rows") || f.UnseenShare != 0.06 || f.Missing != 0.04 {
		t.Errorf("changed shares: %s, %s, unseen %v, missing %v", f.Verdict, f.Words, f.UnseenShare, f.Missing)
	}
	gone := c.Compare([]string{"0", "1"}, []int64{3158, 1842}, 0)
	if f := drift.Judge([]drift.Feature{gone}, 10_000, 5000, drift.Defaults()).Features[0]; f.PSI < 0.25 || f.TVD > 0.06 || f.Verdict != tallystick.Warn {
		t.Errorf("a category of 5 %% that is gone: PSI %v, moved %v, %s; want a warning", f.PSI, f.TVD, f.Verdict)
	}
	few := drift.Judge([]drift.Feature{c.Compare([]string{"17"}, []int64{199}, 0)}, 10_000, 199, drift.Defaults())
	if few.Verdict != tallystick.Insufficient || few.Features[0].Verdict != tallystick.Insufficient {
		t.Errorf("199 rows: %s", few.Verdict)
	}
}

func TestNothingToCompare(t *testing.T) {
	t.Parallel()
	if _, err := drift.NewNumbers("x", "feature", []float64{math.NaN(), math.Inf(1)}, 3); tallystick.CodeOf(err) != tallystick.Invalid {
		t.Errorf("a reference of nothing: %v", err)
	}
	f := numbers(t, []float64{1, 2, 3}).Compare(nil, 0)
	d := drift.Judge([]drift.Feature{f}, 5000, 5000, drift.Defaults())
	if d.Features[0].Verdict != tallystick.Insufficient {
		t.Errorf("a window without rows: %+v", d.Features[0])
	}
}

// Values that go missing move no distribution of those that are there: KS does not see them.
func TestMissingValuesDrift(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(13, 17))
	reference := make([]float64, 5000)
	for i := range reference {
		reference[i] = random.NormFloat64()
	}
	n := numbers(t, reference)
	window := func(missing int) []float64 {
		values := slices.Clone(reference[:1000])
		for i := range missing {
			values[i] = math.NaN()
		}
		return values
	}
	for _, c := range []struct {
		missing int
		verdict tallystick.Verdict
		words   string
	}{
		{0, tallystick.Pass, "x shows no significant change"},
		{2, tallystick.Pass, "x has changed too little to matter"},
		{300, tallystick.Fail, "x (missing) rises from 0 % to 30.0 % of rows"},
		{1000, tallystick.Fail, "x (missing) rises from 0 % to 100 % of rows"},
	} {
		f := drift.Judge([]drift.Feature{n.Compare(window(c.missing), 0)}, 5000, 1000, drift.Defaults()).Features[0]
		if f.Verdict != c.verdict || !strings.Contains(f.Words, c.words) {
			t.Errorf("%d of 1,000 missing: %s, %s", c.missing, f.Verdict, f.Words)
		}
	}
	// scipy.stats.chi2_contingency([[5000, 0], [998, 2]], correction=False)
	f := n.Compare(window(2), 0)
	if want := 2 * 0.0015625704551205813; math.Abs(float64(f.P)-want) > 1e-12 {
		t.Errorf("p = %v, want twice that of the missing share, %v", f.P, want)
	}
}

// A column of one and the same value has not changed.
func TestConstantCategoryPasses(t *testing.T) {
	t.Parallel()
	c := drift.NewCategories("country", "feature", []string{"DE"}, []int64{5000}, 0)
	d := drift.Judge([]drift.Feature{c.Compare([]string{"DE"}, []int64{1000}, 0)}, 5000, 1000, drift.Defaults())
	if d.Verdict != tallystick.Pass || !strings.Contains(d.Features[0].Words, "no significant change") {
		t.Errorf("%s: %s", d.Verdict, d.Features[0].Words)
	}
}
