package stat

import (
	"encoding/json"
	"math"
	"testing"
)

func TestWilson(t *testing.T) {
	t.Parallel()
	tests := []struct {
		p    Proportion
		want Interval
	}{
		// Newcombe, Statistics in Medicine 17 (1998) 857-872, table I, method 3.
		{Proportion{81, 263}, Interval{.2553, .3662}},
		{Proportion{15, 148}, Interval{.0624, .1605}},
		{Proportion{0, 20}, Interval{0, .1611}},
		{Proportion{1, 29}, Interval{.0061, .1718}},
		{Proportion{20, 20}, Interval{.8389, 1}},
	}
	for _, test := range tests {
		got := test.p.Wilson(0.95)
		near(t, "low", got.Low, test.want.Low, 5e-5)
		near(t, "high", got.High, test.want.High, 5e-5)
	}
	if got := (Proportion{}).Wilson(0.95); !got.isNaN() {
		t.Errorf("without trials: %v", got)
	}
}

func TestNewcombe(t *testing.T) {
	t.Parallel()
	tests := []struct {
		p, q Proportion
		want Interval
	}{
		// Newcombe, Statistics in Medicine 17 (1998) 873-890, table II, method 10.
		{Proportion{56, 70}, Proportion{48, 80}, Interval{.0524, .3339}},
		{Proportion{9, 10}, Proportion{3, 10}, Interval{.1705, .8090}},
		{Proportion{6, 7}, Proportion{2, 7}, Interval{.0582, .8062}},
		{Proportion{5, 56}, Proportion{0, 29}, Interval{-.0381, .1926}},
		{Proportion{0, 10}, Proportion{0, 20}, Interval{-.1611, .2775}},
		{Proportion{10, 10}, Proportion{0, 10}, Interval{.6075, 1}},
	}
	for _, test := range tests {
		got := Newcombe(test.p, test.q, 0.95)
		near(t, "low", got.Low, test.want.Low, 5e-5)
		near(t, "high", got.High, test.want.High, 5e-5)
	}
}

// The p-value must cross alpha where the interval's bound crosses the margin.
func TestNewcombePAgreesWithInterval(t *testing.T) {
	t.Parallel()
	for _, pair := range [][2]Proportion{
		{{805, 1795}, {349, 1488}}, {{9, 10}, {3, 10}}, {{3, 10}, {9, 10}}, {{0, 40}, {0, 20}},
	} {
		p, q := pair[0], pair[1]
		for _, alpha := range []float64{0.4, 0.05, 0.001} {
			i := Newcombe(p, q, 1-2*alpha)
			near(t, "p at the lower bound", NewcombeP(p, q, i.Low), alpha, 1e-6)
			near(t, "p at the upper bound", NewcombeP(p, q, i.High), 1-alpha, 1e-6)
		}
	}
	if p := NewcombeP(Proportion{805, 1795}, Proportion{349, 1488}, 0.1); !(p > 1e-14 && p < 1e-8) {
		t.Errorf("far beyond the margin: p %g", p)
	}
}

func TestRatio(t *testing.T) {
	t.Parallel()
	// COMPAS false positive rates, African-American over Caucasian: ProPublica reports 1.91.
	got := Ratio(Proportion{805, 1795}, Proportion{349, 1488})
	near(t, "ratio", got.Value, 1.912093, 5e-7)
	near(t, "low", got.Interval.Low, 1.721239, 5e-7)
	near(t, "high", got.Interval.High, 2.124108, 5e-7)

	empty := Ratio(Proportion{0, 10}, Proportion{5, 10})
	near(t, "ratio of none", empty.Value, 0, 0)
	// log((.5/11)/(5.5/11)) +- 1.959964 sqrt(1/.5 - 1/11 + 1/5.5 - 1/11)
	near(t, "low", empty.Interval.Low, math.Exp(math.Log(1.0/11)-1.959963984540054*math.Sqrt(2)), 1e-12)
	near(t, "high", empty.Interval.High, math.Exp(math.Log(1.0/11)+1.959963984540054*math.Sqrt(2)), 1e-12)
	if empty.Method != "katz log, half a count added" {
		t.Errorf("method %q", empty.Method)
	}
	if r := Ratio(Proportion{10, 10}, Proportion{10, 10}); r.Value != 1 || !(r.Interval.Low < 0.9 && r.Interval.High > 1.1) {
		t.Errorf("ten of ten over ten of ten: %+v", r)
	}
	if r := Ratio(Proportion{5, 10}, Proportion{0, 10}); r.Valid() || r.Interval.isNaN() {
		t.Errorf("division by no success: %+v", r)
	}
}

func TestTwoProportionZ(t *testing.T) {
	t.Parallel()
	// z^2 is the chi-square of the 2 x 2 table: 176.4977 for [[805, 990], [349, 1139]].
	z, p := TwoProportionZ(Proportion{805, 1795}, Proportion{349, 1488})
	chi := Homogeneity([][]int64{{805, 990}, {349, 1139}})
	nearRelative(t, "z squared", z*z, chi.Statistic, 1e-12)
	nearRelative(t, "p", p, chi.P, 1e-9)
	if _, p := TwoProportionZ(Proportion{0, 5}, Proportion{0, 9}); p != 1 {
		t.Errorf("no success anywhere: p %v", p)
	}
}

func TestEstimateJSON(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		estimate Estimate
		want     string
	}{
		{Estimate{0.5, Interval{0.25, 0.75}, 8, "wilson"}, `{"value":0.5,"ci":[0.25,0.75],"n":8,"method":"wilson"}`},
		{Estimate{math.NaN(), noInterval(), 0, "wilson"}, `{"value":null,"ci":[null,null],"n":0,"method":"wilson"}`},
		{Estimate{math.Inf(1), Interval{1, math.Inf(1)}, 3, "log"}, `{"value":null,"ci":[1,null],"n":3,"method":"log"}`},
	} {
		got, err := json.Marshal(test.estimate)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != test.want {
			t.Errorf("got %s, want %s", got, test.want)
		}
		var back Estimate
		if err := json.Unmarshal(got, &back); err != nil {
			t.Fatal(err)
		}
		again, err := json.Marshal(back)
		if err != nil || string(again) != test.want {
			t.Errorf("round trip gives %s, %v", again, err)
		}
	}
	var i Interval
	if err := json.Unmarshal([]byte(`[1]`), &i); err == nil {
		t.Error("an interval of one bound was read")
	}
}
