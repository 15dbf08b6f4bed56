package monitor_test

import (
	"os"
	"testing"

	"github.com/tallystick/tallystick/internal/monitor"
	"github.com/tallystick/tallystick/internal/yamldoc/yamldoctest"
)

func FuzzParse(f *testing.F) {
	example, err := os.ReadFile("../../examples/monitors/credit.yaml")
	if err != nil {
		f.Fatal(err)
	}
	const head = "apiVersion: tallystick/v1\nkind: Monitor\nname: w\nmodel: m\nwindow: 15m\n"
	yamldoctest.Fuzz(f, monitor.Parse, yamldoctest.JSON[*monitor.Document], string(example),
		head+"checks: {volume: {min: 1}, latency: {p50: 1s}}\n",
		head+"delay: 0\nfrom: 2026-03-01\nchecks: {drift: {fail_psi: 0.5}, new_values: {fail: 2%}}\n",
		head+"checks:\n  labels: {mature: 30d, min_coverage: 1%}\n  fairness: {favourable: positive, groups: [sex], compare_with: {sex: female}}\n  performance: {metrics: [accuracy], limits: {accuracy: {min: 80%}}}\n",
	)
}
