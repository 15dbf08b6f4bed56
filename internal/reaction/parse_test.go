package reaction_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tallystick/tallystick/internal/alert"
	"github.com/tallystick/tallystick/internal/reaction"
	"github.com/tallystick/tallystick/internal/yamldoc/yamldoctest"
)

const least = "apiVersion: tallystick/v1\nkind: Reaction\nname: back\nmodel: credit\nwhen: {alert: {rule: monitor/*/drift}}\ndo: [rollback: {}]\n"

func TestParse(t *testing.T) {
	t.Parallel()
	got, err := reaction.Parse([]byte(least), "back.yaml")
	want := &reaction.Document{
		Name: "back", Model: "credit", When: reaction.When{Alert: &reaction.AlertCondition{Match: alert.Match{Rule: "monitor/*/drift"}}},
		Do:       []reaction.Deed{{Kind: reaction.Rollback, To: "previous", Lasts: 24 * time.Hour, Window: 7 * 24 * time.Hour}},
		Cooldown: 24 * time.Hour, Most: 1, Mode: reaction.Propose,
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	got, err = reaction.Parse([]byte(strings.Replace(least, "alert: {rule: monitor/*/drift}", "budget: {objective: answered, for: 1h}", 1)+"most: 3 per incident\nmode: act\ncooldown: 5m\n"), "back.yaml")
	if err != nil || got.When.Alert.Rule != "objective/answered/budget" || got.When.Alert.For != time.Hour || got.Most != 3 || got.Mode != reaction.Act || got.Cooldown != 5*time.Minute {
		t.Errorf("%+v, %v", got, err)
	}
	got, err = reaction.Parse([]byte(strings.Replace(least, "{rule: monitor/*/drift}", "{rule: monitor/*/drift, severity: page, subject: [score, f_*]}", 1)), "back.yaml")
	if err != nil || got.When.Alert.Severity != alert.Page || len(got.When.Alert.Subject) != 2 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ old, with, said string }{
		"no rule":          {"{rule: monitor/*/drift}", "{environment: live}", "back.yaml:5: when.alert says no rule"},
		"no condition":     {"when: {alert: {rule: monitor/*/drift}}", "when: {}", "must have one condition"},
		"two conditions":   {"{alert: {rule: monitor/*/drift}}", "{alert: {rule: a}, comparison: {}}", "must have one condition"},
		"no pattern":       {"monitor/*/drift", "'monitor/[/drift'", "is no pattern"},
		"too long":         {"{rule: monitor/*/drift}", "{rule: a, for: 8d}", "is not from"},
		"nothing done":     {"do: [rollback: {}]", "do: []", "the reaction does nothing"},
		"no list":          {"do: [rollback: {}]", "do: {rollback: {}}", "must be a list"},
		"two in one":       {"[rollback: {}]", "[{rollback: {}, pause: {}}]", "must be one deed"},
		"twice":            {"[rollback: {}]", "[rollback: {}, rollback: {}]", "rollback is there twice"},
		"frozen":           {"[rollback: {}]", "[pause: {}, rollback: {}]", "a rollback after a pause is refused"},
		"nowhere":          {"[rollback: {}]", "[rollback: {to: ''}]", "do[0]"},
		"most":             {"do:", "most: 11 per incident\ndo:", "most must be 1 to 10 per incident"},
		"most of nothing":  {"do:", "most: 1 per day\ndo:", "most must be 1 to 10 per incident"},
		"cool-down":        {"do:", "cooldown: 1m\ndo:", "cooldown is 1m, which is not from 5m0s to 720h0m0s"},
		"mode":             {"do:", "mode: always\ndo:", "mode"},
		"other verdict":    {"{alert: {rule: monitor/*/drift}}", "{comparison: {verdict: hold}}", "verdict"},
		"an unknown key":   {"do:", "dos: 1\ndo:", `the reaction has no key "dos"; did you mean "do"`},
		"no name":          {"name: back\n", "", "the reaction has no name"},
		"no usable name":   {"name: back", "name: a/b", "name"},
		"severity unknown": {"{rule: monitor/*/drift}", "{rule: a, severity: high}", "severity"},
	} {
		_, err := reaction.Parse([]byte(strings.Replace(least, c.old, c.with, 1)), "back.yaml")
		if err == nil || !strings.Contains(err.Error(), c.said) || !strings.Contains(err.Error(), "back.yaml") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %q", name, err, c.said)
		}
	}
}

// The examples are read as they are.
func TestExamples(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../examples/reactions/*.yaml")
	if err != nil || len(files) != 3 {
		t.Fatalf("%d examples, %v", len(files), err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := reaction.Parse(data, file)
		if err != nil || doc.Name+".yaml" != filepath.Base(file) {
			t.Errorf("%s: %+v, %v", file, doc, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	yamldoctest.Fuzz(f, reaction.Parse, yamldoctest.JSON[*reaction.Document], least,
		strings.Replace(least, "alert: {rule: monitor/*/drift}", "comparison: {name: c*, environment: prod*}", 1)+"mode: act\n",
		strings.Replace(least, "alert: {rule: monitor/*/drift}", "budget: {objective: answered, for: 1h}", 1)+"most: 3 per incident\ncooldown: 5m\n",
		strings.Replace(least, "[rollback: {}]", "[retrain: {window: 3d}, rollback: {to: '2'}, pause: {for: 1h}]", 1),
	)
}
