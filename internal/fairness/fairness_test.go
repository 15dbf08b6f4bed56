package fairness_test

import (
	"encoding/csv"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/fairness"
)

const compasPath = "../../../shared/data/compas/compas-two-years.csv"

type person struct {
	codes     []uint32
	truth     fairness.Truth
	predicted bool
}

// readCompas returns the defendants of ProPublica's two-year file, high risk being Medium or High.
func readCompas(t *testing.T) ([]fairness.Attribute, []person) {
	t.Helper()
	f, err := os.Open(compasPath)
	if err != nil {
		t.Skipf("needs %s: %v", compasPath, err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	at := func(name string) int { return slices.Index(rows[0], name) }
	attributes := []fairness.Attribute{{Name: "race", Reference: "Caucasian"}, {Name: "sex"}}
	var people []person
	for _, row := range rows[1:] {
		p := person{predicted: row[at("score_text")] != "Low", truth: fairness.Negative}
		if row[at("two_year_recid")] == "1" {
			p.truth = fairness.Positive
		}
		for i := range attributes {
			a := &attributes[i]
			value := row[at(a.Name)]
			if !slices.Contains(a.Values, value) {
				a.Values = append(a.Values, value)
			}
			p.codes = append(p.codes, uint32(slices.Index(a.Values, value)))
		}
		people = append(people, p)
	}
	return attributes, people
}

func compare(t *testing.T, attributes []fairness.Attribute, people []person, limits fairness.Limits) *fairness.Fairness {
	t.Helper()
	counter, err := fairness.NewCounter(attributes)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range people {
		counter.Add(p.truth, p.predicted, p.codes)
	}
	return counter.Result(fairness.Config{Limits: limits, Terms: fairness.Terms{
		PositiveLabel: "two_year_recid = 1", NegativeLabel: "two_year_recid other than 1",
		Positive: "predicted Medium or High", Negative: "predicted neither Medium nor High",
	}})
}

// The counts are those of ProPublica's "How We Analyzed the COMPAS Recidivism Algorithm" (2016);
// intervals of Wilson and Newcombe were computed with scipy and statsmodels.
func TestCompas(t *testing.T) {
	t.Parallel()
	attributes, people := readCompas(t)
	f := compare(t, attributes, people, fairness.DefaultLimits())

	counts := map[string][5]int64{}
	for _, g := range f.Groups {
		counts[g.Value] = [5]int64{g.N, g.TP, g.FP, g.TN, g.FN}
	}
	for value, want := range map[string][5]int64{
		"all":                     {7214, 2035, 1282, 2681, 1216},
		"African-American":        {3696, 1369, 805, 990, 532},
		"Caucasian":               {2454, 505, 349, 1139, 461},
		"Native American":         {18, 9, 3, 5, 1},
		"African-American & Male": {3044, 1196, 641, 749, 458},
	} {
		if counts[value] != want {
			t.Errorf("%s: n tp fp tn fn = %v, want %v", value, counts[value], want)
		}
	}

	fpr := find(t, f, "false_positive_rate", "African-American")
	for _, c := range []struct {
		what      string
		got, want float64
	}{
		{"rate", float64(fpr.Rate), .4484679666}, {"reference", float64(fpr.RateOfRef), .2345430108},
		{"newcombe low", fpr.DiffCI.Low, .182053}, {"newcombe high", fpr.DiffCI.High, .245023},
		{"ratio", float64(fpr.Ratio), 1.912093}, {"ratio low", fpr.RatioCI.Low, 1.721239}, {"ratio high", fpr.RatioCI.High, 2.124108},
		{"four fifths", float64(find(t, f, "four_fifths", "African-American").Ratio), .63159294},
	} {
		if math.Abs(c.got-c.want) > 1e-6 {
			t.Errorf("%s = %.9f, want %.9f", c.what, c.got, c.want)
		}
	}
	if fpr.Verdict != tallystick.Fail {
		t.Errorf("false positive rates: verdict %s, want fail", fpr.Verdict)
	}
	for _, part := range []string{"44.8 % of African-American (805 of 1,795)", "23.5 % of Caucasian (349 of 1,488)", "21.4 points more (95 % interval 18.2 to 24.5)", "beyond the accepted 10 points"} {
		if !strings.Contains(fpr.Words, part) {
			t.Errorf("words %q lack %q", fpr.Words, part)
		}
	}
	if v := find(t, f, "false_positive_rate", "Native American").Verdict; v != tallystick.Insufficient {
		t.Errorf("8 people judged: %s", v)
	}
}

// Predictions shuffled over people leave nothing for the error rates to differ by.
func TestPermutedPredictionsDoNotFail(t *testing.T) {
	t.Parallel()
	attributes, people := readCompas(t)
	random := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		random.Shuffle(len(people), func(i, j int) {
			people[i].predicted, people[j].predicted = people[j].predicted, people[i].predicted
		})
		for _, c := range compare(t, attributes, people, fairness.DefaultLimits()).Comparisons {
			if c.Verdict == tallystick.Fail && (c.Metric == "equal_opportunity" || c.Metric == "false_positive_rate") {
				t.Errorf("%s", c.Words)
			}
		}
	}
}

// The 18 rows of Fairlearn's user guide, section "Assessment" (fairlearn ebf8fa7), as counts.
func TestFairlearnExample(t *testing.T) {
	t.Parallel()
	attributes := []fairness.Attribute{{Name: "group", Values: []string{"a", "b", "c"}}}
	var people []person
	add := func(code uint32, truth fairness.Truth, predicted bool, n int) {
		for range n {
			people = append(people, person{[]uint32{code}, truth, predicted})
		}
	}
	for code, n := range [][4]int{{1, 2, 0, 1}, {3, 0, 1, 2}, {2, 2, 1, 3}} { // tp fp tn fn
		add(uint32(code), fairness.Positive, true, n[0])
		add(uint32(code), fairness.Negative, true, n[1])
		add(uint32(code), fairness.Negative, false, n[2])
		add(uint32(code), fairness.Positive, false, n[3])
	}
	limits := fairness.DefaultLimits()
	limits.Shown, limits.Judged = 1, 1
	f := compare(t, attributes, people, limits)

	all, s := f.Groups[0], f.Summaries[0]
	for _, c := range []struct {
		what      string
		got, want float64
	}{
		{"tpr", float64(all.TPR), .5}, {"fpr", float64(all.FPR), 2. / 3}, {"selection", float64(all.SelectionRate), 5. / 9},
		{"demographic parity difference", float64(s.DemographicParityDiff), .25},
		{"demographic parity ratio", float64(s.DemographicParityRatio), 2. / 3},
		{"equalized odds difference", float64(s.EqualizedOddsDiff), 1},
		{"equalized odds ratio", float64(s.EqualizedOddsRatio), 0},
		{"equal opportunity difference", float64(s.EqualOpportunityDiff), .2},
	} {
		if math.Abs(c.got-c.want) > 1e-12 {
			t.Errorf("%s = %v, want %v", c.what, c.got, c.want)
		}
	}
}

func TestUnlabelledRowsAreScreened(t *testing.T) {
	t.Parallel()
	attributes := []fairness.Attribute{{Name: "sex", Values: []string{"F", "M"}}}
	var people []person
	for i := range 2000 {
		people = append(people, person{[]uint32{uint32(i % 2)}, fairness.Unknown, i%2 == 1 || i%4 == 0})
	}
	f := compare(t, attributes, people, fairness.DefaultLimits())
	if c := find(t, f, "demographic_parity", "M"); c.Verdict != tallystick.Fail || c.N != 1000 {
		t.Errorf("selection of half against all: %s over %d rows", c.Verdict, c.N)
	}
	if c := find(t, f, "equal_opportunity", "M"); c.Verdict != tallystick.Insufficient {
		t.Errorf("error rates without a label: %s", c.Verdict)
	}
}

// Where only those who were selected are ever labelled, as with loans, the labelled rows are all
// selected: selection is a matter of everybody who was predicted.
func TestSelectionCountsUnlabelledRows(t *testing.T) {
	t.Parallel()
	attributes := []fairness.Attribute{{Name: "sex", Values: []string{"F", "M"}}}
	var people []person
	for i := range 4000 {
		p := person{codes: []uint32{uint32(i % 2)}, truth: fairness.Unknown}
		if p.predicted = i%2 == 1 && i%10 < 8 || i%2 == 0 && i%10 < 4; p.predicted {
			p.truth = fairness.Truth(i / 20 % 2)
		}
		people = append(people, p)
	}
	f := compare(t, attributes, people, fairness.DefaultLimits())
	c := find(t, f, "demographic_parity", "M")
	if c.Verdict != tallystick.Fail || c.N != 2000 || math.Abs(float64(c.Difference)-.4) > 1e-12 {
		t.Errorf("selection of 0.8 against 0.4: %s over %d rows, difference %v", c.Verdict, c.N, c.Difference)
	}
	g := f.Groups[2]
	if g.Value != "M" || g.N != 1600 || g.Predicted != 2000 || math.Abs(float64(g.SelectionRate)-.8) > 1e-12 {
		t.Errorf("group %s: n %d, predicted %d, selection rate %v", g.Value, g.N, g.Predicted, g.SelectionRate)
	}
	if parity := f.Summaries[0].DemographicParityDiff; math.Abs(float64(parity)-.4) > 1e-12 {
		t.Errorf("demographic parity difference %v, want 0.4", parity)
	}
}

// The screen looks at the lesser rate over the greater, whichever group has it: a ratio above 1 is
// held against the inverse.
func TestScreenNamesBothLimits(t *testing.T) {
	t.Parallel()
	attributes := []fairness.Attribute{{Name: "sex", Values: []string{"F", "M"}, Reference: "F"}}
	var people []person
	for i := range 8000 {
		people = append(people, person{[]uint32{uint32(i % 2)}, fairness.Unknown, i%20 < 8 || i%20 < 15 && i%2 == 1})
	}
	counter, err := fairness.NewCounter(attributes)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range people {
		counter.Add(p.truth, p.predicted, p.codes)
	}
	c := find(t, counter.Result(fairness.Config{FavourablePositive: true, Limits: fairness.DefaultLimits()}), "four_fifths", "M")
	if c.Verdict != tallystick.Warn || !strings.Contains(c.Words, "a ratio of 1.75") || !strings.HasSuffix(c.Words, "beyond the four-fifths screen (0.8 to 1.25).") {
		t.Errorf("%s: %s", c.Verdict, c.Words)
	}
}

func TestTooManyValues(t *testing.T) {
	t.Parallel()
	_, err := fairness.NewCounter([]fairness.Attribute{{Name: "income", Values: make([]string, 201)}})
	if tallystick.CodeOf(err) != tallystick.Invalid || !strings.Contains(err.Error(), "income") {
		t.Errorf("err = %v", err)
	}
}

func find(t *testing.T, f *fairness.Fairness, metric, value string) fairness.Comparison {
	t.Helper()
	i := slices.IndexFunc(f.Comparisons, func(c fairness.Comparison) bool { return c.Metric == metric && c.Value == value })
	if i < 0 {
		t.Fatalf("no comparison of %s in %s", value, metric)
	}
	return f.Comparisons[i]
}
