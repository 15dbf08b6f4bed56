package catalog_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
)

// harmless answers every question with its lightest option, but for those given.
func harmless(but map[string]string) catalog.Answers {
	a := catalog.Answers{}
	for _, q := range catalog.Questions() {
		a[q.ID] = q.Options[0].ID
	}
	for id, option := range but {
		a[id] = option
	}
	return a
}

func TestDecide(t *testing.T) {
	t.Parallel()
	missing := harmless(nil)
	delete(missing, "safety")
	for name, test := range map[string]struct {
		answers  catalog.Answers
		stated   tallystick.Tier
		want     tallystick.Tier
		deciding []string
		reason   string
	}{
		"all harmless":               {harmless(nil), "", tallystick.TierLow, nil, "no answer asks for more"},
		"one limited":                {harmless(map[string]string{"reach": "public"}), "", tallystick.TierLimited, []string{"reach=public"}, "its outputs reach anybody"},
		"one grave":                  {harmless(map[string]string{"safety": "direct", "reach": "public"}), "", tallystick.TierHigh, []string{"safety=direct"}, "can injure somebody"},
		"two grave":                  {harmless(map[string]string{"financial_effect": "major", "regulated_market": "yes"}), "", tallystick.TierHigh, []string{"financial_effect=major", "regulated_market=yes"}, "; a law"},
		"three limited":              {harmless(map[string]string{"financial_effect": "minor", "safety": "indirect", "reach": "public"}), "", tallystick.TierLimited, []string{"financial_effect=minor", "safety=indirect", "reach=public"}, "limited"},
		"four limited":               {harmless(map[string]string{"financial_effect": "minor", "safety": "indirect", "reach": "public", "sensitive_data": "personal"}), "", tallystick.TierHigh, []string{"financial_effect=minor", "safety=indirect", "sensitive_data=personal", "reach=public"}, "4 answers together"},
		"one not answered":           {missing, "", tallystick.TierLimited, nil, "nobody has answered safety"},
		"none answered":              {nil, "", tallystick.TierLimited, nil, "not answered"},
		"none answered, stated low":  {nil, tallystick.TierLow, tallystick.TierLimited, nil, "not answered"},
		"none answered, stated high": {nil, tallystick.TierHigh, tallystick.TierHigh, nil, "the owner states it"},
		"stated higher":              {harmless(nil), tallystick.TierLimited, tallystick.TierLimited, nil, "the answers alone make it low"},
		"stated lower":               {harmless(map[string]string{"safety": "direct"}), tallystick.TierLow, tallystick.TierHigh, []string{"safety=direct"}, "high"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := test.answers.Validate(); err != nil {
				t.Fatal(err)
			}
			got := test.answers.Decide(test.stated)
			if got.Tier != test.want || !strings.Contains(got.Reason, test.reason) || !strings.HasPrefix(got.Reason, string(got.Tier)) {
				t.Errorf("%+v", got)
			}
			if diff := cmp.Diff(test.deciding, got.Deciding); diff != "" {
				t.Errorf("deciding (-want +got):\n%s", diff)
			}
		})
	}
}

// No heavier answer ever makes the tier lower.
func TestHeavierAnswersNeverLowerTheTier(t *testing.T) {
	t.Parallel()
	questions := catalog.Questions()
	total := 1
	for _, q := range questions {
		total *= len(q.Options)
	}
	answers := func(n int) catalog.Answers {
		a := catalog.Answers{}
		for _, q := range questions {
			a[q.ID] = q.Options[n%len(q.Options)].ID
			n /= len(q.Options)
		}
		return a
	}
	for n := range total {
		base, step := answers(n).Decide("").Tier, 1
		for _, q := range questions {
			if i := n / step % len(q.Options); i+1 < len(q.Options) {
				if heavier := answers(n + step).Decide("").Tier; heavier.Below(base) {
					t.Fatalf("%v is %s, and with a heavier %s %s", answers(n), base, q.ID, heavier)
				}
			}
			step *= len(q.Options)
		}
	}
}

func TestAnswersAreChecked(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		answers catalog.Answers
		want    string
	}{
		"a question that is none": {catalog.Answers{"colour": "red"}, "the questions are financial_effect, safety"},
		"an option that is none":  {catalog.Answers{"safety": "perhaps"}, "answer one of none, indirect, direct"},
	} {
		err := test.answers.Validate()
		if tallystick.CodeOf(err) != tallystick.Invalid || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
