package figure

import (
	"math"
	"slices"
	"testing"

	"github.com/tallystick/tallystick/internal/stat"
)

func TestPercent(t *testing.T) {
	t.Parallel()
	for share, want := range map[float64]string{
		0: "0 %", 1: "100 %", 0.4485: "44.9 %", 0.05: "5.0 %", 0.0004: "0.04 %", 0.99996: "99.996 %", 1e-9: "< 0.0001 %", 1 - 1e-9: "> 99.9999 %", -0.032: "−3.2 %", 12.5: "1250.0 %",
		math.Inf(1): "–",
	} {
		if got := Percent(share); got != want {
			t.Errorf("Percent(%v) = %q, want %q", share, got, want)
		}
	}
	if got := Percent(math.NaN()); got != "–" {
		t.Errorf("Percent(NaN) = %q", got)
	}
}

func TestEstimateShowsWhatTheIntervalCarries(t *testing.T) {
	t.Parallel()
	nan := math.NaN()
	for _, test := range []struct {
		metric                 string
		value, low, high       float64
		wantValue, wantBracket string
	}{
		{"roc_auc", 0.7021662544, 0.6903, 0.7140, "0.702", "[0.690, 0.714]"},
		{"roc_auc", 0.9, 0.7, 0.99, "0.90", "[0.70, 0.99]"},
		{"accuracy", 0.6537, 0.6427, 0.6646, "65.4 %", "[64.3, 66.5]"},
		{"accuracy", 0.087, 0.0242, 0.268, "8.7 %", "[2.4, 26.8]"},
		{"accuracy", 0.90004, 0.8999, 0.9002, "90.00 %", "[89.99, 90.02]"},
		{"mae", 15234.3, 15100, 15400, "15,234", "[15,100, 15,400]"},
		{"mae", 12.345, 11.9, 12.8, "12.35", "[11.90, 12.80]"},
		{"bias", -0.02, -0.05, 0.01, "−0.020", "[−0.050, 0.010]"},
		{"f1", 0.5, nan, nan, "0.500", ""},
		{"f1", nan, nan, nan, "–", ""},
	} {
		got := Estimate(test.metric, stat.Estimate{Value: test.value, Interval: stat.Interval{Low: test.low, High: test.high}})
		if got.Value != test.wantValue || got.Interval != test.wantBracket {
			t.Errorf("Estimate(%s, %v) = %q %q, want %q %q", test.metric, test.value, got.Value, got.Interval, test.wantValue, test.wantBracket)
		}
	}
}

func TestPlain(t *testing.T) {
	t.Parallel()
	for v, want := range map[float64]string{
		0: "0", 10: "10", 0.05: "0.05", 0.8: "0.8", -1: "−1", -414: "−414", 34.8175: "34.818", 1057: "1,057", 20640.6: "20,641", -0.25: "−0.25", 1234567: "1,234,567", 0.000012: "1.2e-05",
	} {
		if got := Plain(v); got != want {
			t.Errorf("Plain(%v) = %q, want %q", v, got, want)
		}
	}
}

func TestSpelt(t *testing.T) {
	t.Parallel()
	e := stat.Estimate{Value: 0.1393, Interval: stat.Interval{Low: 0.1373, High: 0.1415}}
	for _, test := range []struct {
		of   Figure
		want string
	}{
		{Estimate("fnr", e), "13.73 to 14.15"},
		{Difference("fnr", stat.Estimate{Value: -0.01, Interval: stat.Interval{Low: -0.031, High: 0.011}}), "−3.1 to 1.1"},
		{Figure{Value: None}, ""},
	} {
		if got := test.of.Spelt(); got != test.want {
			t.Errorf("%v is spelt %q, want %q", test.of, got, test.want)
		}
	}
}

func TestEdgesAreShort(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		edges []float64
		want  []string
	}{
		{[]float64{0.10278312, 0.20091, 0.89912345}, []string{"0.103", "0.201", "0.899"}},
		{[]float64{0.99871, 0.998725, 1}, []string{"0.99871", "0.99872", "1"}},
		{[]float64{15596.31, 20873.9, 1234567.8}, []string{"15,600", "20,900", "1,230,000"}},
		{[]float64{-12.3456, 0, 2015}, []string{"−12.3", "0", "2,015"}},
		{[]float64{2015, 2016, 2017}, []string{"2,015", "2,016", "2,017"}},
		{[]float64{0.3, math.Nextafter(0.3, 1)}, []string{"0.3", "0.30000000000000004"}},
		{[]float64{1.5e-7, 3e12}, []string{"1.5e-07", "3e+12"}},
		{nil, []string{}},
	} {
		if got := Edges(test.edges); !slices.Equal(got, test.want) {
			t.Errorf("Edges(%v) = %q, want %q", test.edges, got, test.want)
		}
	}
}
