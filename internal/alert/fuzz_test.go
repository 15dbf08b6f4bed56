package alert_test

import (
	"os"
	"testing"

	"github.com/tallystick/tallystick/internal/alert"
	"github.com/tallystick/tallystick/internal/yamldoc/yamldoctest"
)

func FuzzParsePolicy(f *testing.F) {
	example, err := os.ReadFile("../../examples/alerting/policy.yaml")
	if err != nil {
		f.Fatal(err)
	}
	const head = "apiVersion: tallystick/v1\nkind: AlertPolicy\nname: a\n"
	yamldoctest.Fuzz(f, alert.ParsePolicy, yamldoctest.JSON[*alert.Document], string(example),
		head+"most: 5\n",
		head+"model: credit\nrules:\n- match: {rule: monitor/*/drift, subject: [income, 'f*']}\n  fires: 2 of 3\n  clears: 3\n  labels: {team: risk}\n- {on: warn, fires: 1, severity: page, runbook: drift}\n",
	)
}
