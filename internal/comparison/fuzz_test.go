package comparison

import (
	"os"
	"testing"

	"github.com/tallystick/tallystick/internal/yamldoc/yamldoctest"
)

func FuzzParse(f *testing.F) {
	example, err := os.ReadFile("../../examples/comparison/credit-canary.yaml")
	if err != nil {
		f.Fatal(err)
	}
	const head = "apiVersion: tallystick/v1\nkind: Comparison\nname: a\nmodel: credit\n"
	yamldoctest.Fuzz(f, Parse, yamldoctest.JSON[*Document], string(example),
		head+"metrics:\n  - {metric: errors, margin: 1%}\nbudget: {target: 99.9%, period: 30d, spend: 10%}\n",
		head+"pair_by: trace_id\nsplit: 10%\nslices: [region]\nmetrics: [{metric: disagreement, margin: 3%, tolerance: 0.1}, {metric: slow, limit: 200ms, margin: -1%, role: guard}]\n",
		head+"metrics: [{metric: decisions, when: output = approve, margin: 3%}, {metric: fairness, by: f_sex, of: decisions, margin: 5%, role: guard}]\n",
	)
}
