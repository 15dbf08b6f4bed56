package policy_test

import (
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/policy"
)

var now = time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)

var allTiers = []tallystick.Tier{tallystick.TierLow, tallystick.TierLimited, tallystick.TierHigh}

// sound returns an input document that passes at tier, with every part there.
func sound(t testing.TB, tier tallystick.Tier) map[string]any {
	t.Helper()
	data, err := os.ReadFile("testdata/input.json")
	if err != nil {
		t.Fatal(err)
	}
	var document map[string]any
	if err := json.Unmarshal(data, &document); err != nil {
		t.Fatal(err)
	}
	return set(t, document, "model.tier", string(tier))
}

// set puts value at a dotted path of document, whose numbers are list indexes.
func set(t testing.TB, document map[string]any, path string, value any) map[string]any {
	t.Helper()
	var at any = document
	steps := strings.Split(path, ".")
	for _, step := range steps[:len(steps)-1] {
		at = child(t, at, step)
	}
	last := steps[len(steps)-1]
	if list, ok := at.([]any); ok {
		i, err := strconv.Atoi(last)
		if err != nil {
			t.Fatal(err)
		}
		list[i] = value
		return document
	}
	at.(map[string]any)[last] = value
	return document
}

// remove deletes what is at a dotted path of document.
func remove(t testing.TB, document map[string]any, path string) map[string]any {
	t.Helper()
	parent, last, nested := cutLast(path)
	if !nested {
		delete(document, last)
		return document
	}
	var at any = document
	for step := range strings.SplitSeq(parent, ".") {
		at = child(t, at, step)
	}
	delete(at.(map[string]any), last)
	return document
}

func cutLast(path string) (parent, last string, nested bool) {
	if i := strings.LastIndexByte(path, '.'); i >= 0 {
		return path[:i], path[i+1:], true
	}
	return "", path, false
}

func child(t testing.TB, at any, step string) any {
	t.Helper()
	switch at := at.(type) {
	case map[string]any:
		if next, ok := at[step]; ok {
			return next
		}
	case []any:
		if i, err := strconv.Atoi(step); err == nil && i < len(at) {
			return at[i]
		}
	}
	t.Fatalf("the document has no %q here", step)
	return nil
}

func load(t testing.TB, dir string, tier tallystick.Tier) *policy.Pack {
	t.Helper()
	pack, err := policy.Load(dir, tier)
	if err != nil {
		t.Fatal(err)
	}
	return pack
}

func evaluate(t testing.TB, pack *policy.Pack, input any) policy.Decision {
	t.Helper()
	decision, err := pack.Evaluate(t.Context(), input, now)
	if err != nil {
		t.Fatal(err)
	}
	return decision
}

func row(t testing.TB, decision policy.Decision, id string) policy.Rule {
	t.Helper()
	for _, rule := range decision.Rules {
		if rule.ID == id {
			return rule
		}
	}
	t.Fatalf("the decision has no rule %s", id)
	return policy.Rule{}
}
