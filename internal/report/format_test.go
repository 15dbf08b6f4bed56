package report

import (
	"math"
	"testing"

	"github.com/tallystick/tallystick/internal/stat"
)

func TestPercent(t *testing.T) {
	t.Parallel()
	for share, want := range map[float64]string{
		0: "0 %", 1: "100 %", 0.4485: "44.9 %", 0.05: "5.0 %", 0.0004: "0.04 %", 0.99996: "99.996 %", 1e-9: "< 0.0001 %", 1 - 1e-9: "> 99.9999 %", -0.032: "−3.2 %", 12.5: "1250.0 %",
		math.Inf(1): "–",
	} {
		if got := percent(share); got != want {
			t.Errorf("percent(%v) = %q, want %q", share, got, want)
		}
	}
	if got := percent(math.NaN()); got != "–" {
		t.Errorf("percent(NaN) = %q", got)
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
		got := estimate(test.metric, stat.Estimate{Value: test.value, Interval: stat.Interval{Low: test.low, High: test.high}})
		if got.Value != test.wantValue || got.Interval != test.wantBracket {
			t.Errorf("estimate(%s, %v) = %q %q, want %q %q", test.metric, test.value, got.Value, got.Interval, test.wantValue, test.wantBracket)
		}
	}
}

func TestPlain(t *testing.T) {
	t.Parallel()
	for v, want := range map[float64]string{
		0: "0", 10: "10", 0.05: "0.05", 0.8: "0.8", -1: "−1", -414: "−414", 34.8175: "34.818", 1057: "1,057", 20640.6: "20,641", -0.25: "−0.25", 1234567: "1,234,567", 0.000012: "1.2e-05",
	} {
		if got := plain(v); got != want {
			t.Errorf("plain(%v) = %q, want %q", v, got, want)
		}
	}
}

func TestWindowName(t *testing.T) {
	t.Parallel()
	for label, want := range map[string]string{
		"rows 150001-155000": "rows 150,001-155,000", "2022-03": "2022-03", "rows 1-99999999999999999999": "rows 1-99999999999999999999", "": "",
	} {
		if got := windowName(Window{Label: label}); got != want {
			t.Errorf("windowName(%q) = %q, want %q", label, got, want)
		}
	}
}

func TestWrap(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "one", "a rate of 44.8 % is more than 23.5 % of them", "averyveryverylongwordwithoutanyspaces and more", "名前名前名前名前名前 名前"} {
		for width := 4; width < 40; width++ {
			for _, line := range wrap(text, width) {
				if columns(line) > width && columns(line) > 6 {
					t.Errorf("wrap(%q, %d) has the line %q", text, width, line)
				}
				if len(line) > 0 && line[0] == '%' && width > 10 {
					t.Errorf("wrap(%q, %d) parts a number from its percent sign", text, width)
				}
			}
		}
	}
}
