package policy_test

import (
	"testing"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/policy"
)

func TestSoundEvidencePasses(t *testing.T) {
	t.Parallel()
	for _, tier := range allTiers {
		decision := evaluate(t, load(t, "", tier), sound(t, tier))
		if decision.Verdict != tallystick.Pass {
			t.Errorf("%s: %s", tier, decision.Words)
		}
		for _, rule := range decision.Rules {
			if rule.Status != policy.Pass && rule.ID != "release.freeze" {
				t.Errorf("%s: %s is %s: %s", tier, rule.ID, rule.Status, rule.Message)
			}
		}
	}
}
