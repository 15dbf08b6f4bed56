package policy_test

import (
	"os"
	"testing"

	"github.com/tallystick/tallystick"
	"go.yaml.in/yaml/v3"
)

const controlsPath = "../../../shared/controls.yaml"

// Every control that a rule names is one of the catalogue.
func TestRulesNameControlsOfTheCatalogue(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(controlsPath)
	if err != nil {
		t.Skipf("needs %s: %v", controlsPath, err)
	}
	var catalogue struct {
		Frameworks []struct {
			ID       string
			Controls []struct{ Ref string }
		}
	}
	if err := yaml.Unmarshal(data, &catalogue); err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, framework := range catalogue.Frameworks {
		for _, control := range framework.Controls {
			known[framework.ID+"/"+control.Ref] = true
		}
	}
	for _, rule := range load(t, "", tallystick.TierHigh).Rules() {
		if len(rule.Controls) == 0 {
			t.Errorf("%s names no control", rule.ID)
		}
		for _, id := range rule.Controls {
			if !known[id] {
				t.Errorf("%s names %s, which the catalogue has not", rule.ID, id)
			}
		}
	}
}
