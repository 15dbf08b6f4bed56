package report_test

import (
	"testing"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/report"
)

func TestForemost(t *testing.T) {
	t.Parallel()
	const pass, warn, inconclusive, insufficient, fail = tallystick.Pass, tallystick.Warn, tallystick.Inconclusive, tallystick.Insufficient, tallystick.Fail
	for _, test := range []struct {
		of   []tallystick.Verdict
		want tallystick.Verdict
	}{
		{nil, ""},
		{[]tallystick.Verdict{"", ""}, ""},
		{[]tallystick.Verdict{"", pass}, pass},
		{[]tallystick.Verdict{pass, inconclusive}, inconclusive},
		{[]tallystick.Verdict{insufficient, inconclusive, pass}, insufficient},
		{[]tallystick.Verdict{inconclusive, warn, insufficient}, warn},
		{[]tallystick.Verdict{warn, fail, insufficient}, fail},
	} {
		if got := report.Foremost(test.of...); got != test.want {
			t.Errorf("Foremost%v = %q, want %q", test.of, got, test.want)
		}
	}
}
