package policy_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/policy"
)

// trouble lists for each rule documents in which it does not pass, as changes to the sound one. A
// change to remove is nil.
var trouble = []struct {
	name   string
	rule   string
	tier   tallystick.Tier
	change map[string]any
	want   policy.Status
}{
	{"no quality", "evidence.required", tallystick.TierLow, map[string]any{"report.quality": nil}, policy.Fail},
	{"no labels", "evidence.required", tallystick.TierHigh, map[string]any{"report.labelled_rows": 0}, policy.Fail},
	{"no labels, low", "evidence.required", tallystick.TierLow, map[string]any{"report.labelled_rows": 0}, policy.Warn},
	{"no count of labels", "evidence.required", tallystick.TierHigh, map[string]any{"report.labelled_rows": nil}, policy.Fail},
	{"no performance", "evidence.required", tallystick.TierLow, map[string]any{"report.performance": nil}, policy.Fail},
	{"no calibration", "evidence.required", tallystick.TierHigh, map[string]any{"report.calibration": nil}, policy.Fail},
	{"no groups", "evidence.required", tallystick.TierHigh, map[string]any{"report.columns.groups": nil, "report.fairness": nil}, policy.Warn},
	{"no fairness", "evidence.required", tallystick.TierLimited, map[string]any{"report.fairness": nil}, policy.Fail},
	{"no reference", "evidence.required", tallystick.TierHigh, map[string]any{"report.drift": nil}, policy.Fail},
	{"no reference, limited", "evidence.required", tallystick.TierLimited, map[string]any{"report.drift": nil}, policy.Warn},
	{"no columns", "evidence.required", tallystick.TierHigh, map[string]any{"report.columns": nil}, policy.Error},

	{"bad data", "data.quality", tallystick.TierLow, map[string]any{"report.quality.verdict": "fail"}, policy.Fail},
	{"little data", "data.quality", tallystick.TierHigh, map[string]any{"report.quality.verdict": "insufficient"}, policy.Insufficient},
	{"unknown verdict", "data.quality", tallystick.TierHigh, map[string]any{"report.quality.verdict": "fine"}, policy.Error},
	{"no quality part", "data.quality", tallystick.TierHigh, map[string]any{"report.quality": nil}, policy.Error},
	{"broken contract", "data.contract", tallystick.TierLow, map[string]any{"report.contract.verdict": "fail", "report.contract.checks.0.verdict": "fail"}, policy.Fail},
	{"no contract", "data.contract", tallystick.TierHigh, map[string]any{"report.contract": nil}, policy.Fail},
	{"no contract, limited", "data.contract", tallystick.TierLimited, map[string]any{"report.contract": nil}, policy.Skip},
	{"leak", "data.leakage", tallystick.TierHigh, map[string]any{"report.leakage": []any{
		map[string]any{"column": "priors", "verdict": "fail", "words": "priors alone predicts the label with AUC 0.99."}}}, policy.Fail},
	{"leaks not looked for", "data.leakage", tallystick.TierHigh, map[string]any{"report.leakage": nil}, policy.Insufficient},
	{"leak without labels", "data.leakage", tallystick.TierHigh, map[string]any{"report.labelled_rows": 0}, policy.Insufficient},

	{"performance beyond", "performance.minimum", tallystick.TierLow, map[string]any{"limits.performance.roc_auc.min": 0.8}, policy.Fail},
	{"performance across", "performance.minimum", tallystick.TierHigh, map[string]any{"limits.performance.roc_auc.min": 0.7}, policy.Inconclusive},
	{"loss beyond", "performance.minimum", tallystick.TierHigh, map[string]any{"limits.performance.log_loss.max": 0.6}, policy.Fail},
	{"loss across", "performance.minimum", tallystick.TierHigh, map[string]any{"limits.performance.log_loss.max": 0.625}, policy.Inconclusive},
	{"no interval", "performance.minimum", tallystick.TierHigh, map[string]any{"report.performance.roc_auc.ci": []any{nil, nil}}, policy.Insufficient},
	{"not measured", "performance.minimum", tallystick.TierHigh, map[string]any{"report.performance.roc_auc": nil}, policy.Fail},
	{"no limit, high", "performance.minimum", tallystick.TierHigh, map[string]any{"limits.performance": map[string]any{}}, policy.Fail},
	{"no limit, limited", "performance.minimum", tallystick.TierLimited, map[string]any{"limits.performance": map[string]any{}}, policy.Warn},
	{"no limit, low", "performance.minimum", tallystick.TierLow, map[string]any{"limits.performance": map[string]any{}}, policy.Skip},
	{"limit is a word", "performance.minimum", tallystick.TierHigh, map[string]any{"limits.performance.roc_auc.min": "0.7"}, policy.Error},
	{"below champion", "performance.champion", tallystick.TierHigh, map[string]any{"champion.metrics.1.verdict": "fail"}, policy.Fail},
	{"champion's metric not settled", "performance.champion", tallystick.TierHigh, map[string]any{"champion.metrics.1.verdict": "inconclusive"}, policy.Warn},
	{"champion's metric not judged", "performance.champion", tallystick.TierHigh, map[string]any{"champion.metrics.1.verdict": nil}, policy.Error},
	{"loss not excluded", "performance.champion", tallystick.TierHigh, map[string]any{"champion.metrics.0.difference.ci": []any{-0.03, 0.01}}, policy.Inconclusive},
	{"drop too large", "performance.champion", tallystick.TierHigh, map[string]any{"champion.metrics.0.difference.ci": []any{-0.05, -0.03}}, policy.Fail},
	{"champion without interval", "performance.champion", tallystick.TierHigh, map[string]any{"champion.metrics.0.difference.ci": []any{nil, nil}}, policy.Insufficient},
	{"champion of another task", "performance.champion", tallystick.TierHigh, map[string]any{"champion.metrics": []any{}}, policy.Insufficient},
	{"no champion", "performance.champion", tallystick.TierHigh, map[string]any{"champion": json.RawMessage("null")}, policy.Skip},

	{"miscalibrated", "calibration.error", tallystick.TierHigh, map[string]any{"limits.calibration.ece.max": 0.01}, policy.Fail},
	{"calibration across", "calibration.error", tallystick.TierHigh, map[string]any{"limits.calibration.ece.max": 0.02}, policy.Inconclusive},
	{"calibration absent", "calibration.error", tallystick.TierHigh, map[string]any{"report.calibration": nil}, policy.Fail},
	{"calibration without labels", "calibration.error", tallystick.TierHigh, map[string]any{"report.labelled_rows": 0}, policy.Insufficient},
	{"no calibration limit", "calibration.error", tallystick.TierHigh, map[string]any{"limits.calibration": map[string]any{}}, policy.Warn},
	{"score is no probability", "calibration.error", tallystick.TierHigh, map[string]any{"report.calibration.skipped": "the score exceeds 1"}, policy.Skip},

	{"gap beyond", "fairness.error-rates", tallystick.TierHigh, map[string]any{"report.fairness.comparisons.1.verdict": "fail"}, policy.Fail},
	{"gap across", "fairness.error-rates", tallystick.TierLimited, map[string]any{"report.fairness.comparisons.0.verdict": "inconclusive"}, policy.Inconclusive},
	{"all groups small", "fairness.error-rates", tallystick.TierHigh, map[string]any{
		"report.fairness.comparisons.0.verdict": "insufficient", "report.fairness.comparisons.1.verdict": "insufficient",
		"report.fairness.comparisons.4.verdict": "insufficient", "report.fairness.comparisons.5.verdict": "insufficient"}, policy.Insufficient},
	{"nothing compared", "fairness.error-rates", tallystick.TierHigh, map[string]any{"report.fairness.comparisons": []any{}}, policy.Insufficient},
	{"unknown fairness metric", "fairness.error-rates", tallystick.TierHigh, map[string]any{"limits.fairness.metrics": []any{"kindness"}}, policy.Insufficient},
	{"groups not compared", "fairness.error-rates", tallystick.TierHigh, map[string]any{"report.fairness": nil}, policy.Fail},
	{"no group has another", "fairness.error-rates", tallystick.TierHigh, map[string]any{"report.fairness.comparisons": json.RawMessage("null")}, policy.Insufficient},
	{"no features", "data.leakage", tallystick.TierHigh, map[string]any{"report.columns.features": json.RawMessage("null")}, policy.Skip},
	{"nothing to drift", "drift.reference", tallystick.TierHigh, map[string]any{"report.drift.features": json.RawMessage("null")}, policy.Pass},
	{"empty contract", "data.contract", tallystick.TierHigh, map[string]any{"report.contract.checks": json.RawMessage("null")}, policy.Pass},
	{"looser gap", "fairness.error-rates", tallystick.TierHigh, map[string]any{"limits.fairness.gap": 0.05}, policy.Fail},
	{"unknown fairness verdict", "fairness.error-rates", tallystick.TierHigh, map[string]any{"report.fairness.comparisons.0.verdict": "ok"}, policy.Error},
	{"four fifths", "fairness.four-fifths", tallystick.TierHigh, map[string]any{"report.fairness.comparisons.3.verdict": "fail"}, policy.Warn},
	{"small group", "fairness.small-groups", tallystick.TierHigh, map[string]any{"report.fairness.comparisons.0.verdict": "insufficient"}, policy.Warn},

	{"drift", "drift.reference", tallystick.TierHigh, map[string]any{"report.drift.verdict": "fail", "report.drift.features.0.verdict": "fail"}, policy.Fail},
	{"drift in a window", "drift.reference", tallystick.TierHigh, map[string]any{"report.windows.1.drift.verdict": "fail"}, policy.Fail},
	{"some drift", "drift.reference", tallystick.TierHigh, map[string]any{"report.drift.verdict": "warn", "report.drift.features.1.verdict": "warn"}, policy.Warn},
	{"little to compare", "drift.reference", tallystick.TierHigh, map[string]any{"report.drift.verdict": "insufficient"}, policy.Insufficient},
	{"no drift part", "drift.reference", tallystick.TierHigh, map[string]any{"report.drift": nil}, policy.Insufficient},
	{"no reference at all", "drift.reference", tallystick.TierHigh, map[string]any{"report.drift": nil, "report.reference": nil}, policy.Skip},
	{"looser drift", "drift.reference", tallystick.TierHigh, map[string]any{"limits.drift.fail_psi": 0.2}, policy.Fail},
	{"failing window", "windows.performance", tallystick.TierLimited, map[string]any{"report.windows.1.performance_verdict": "fail"}, policy.Fail},
	{"uncertain window", "windows.performance", tallystick.TierHigh, map[string]any{"report.windows.1.performance_verdict": "inconclusive"}, policy.Warn},
	{"uncertain windows", "windows.performance", tallystick.TierHigh, map[string]any{
		"report.windows.0.performance_verdict": "insufficient", "report.windows.1.performance_verdict": "inconclusive"}, policy.Inconclusive},
	{"windows without labels", "windows.performance", tallystick.TierHigh, map[string]any{
		"report.windows.0.performance_verdict": nil, "report.windows.1.performance_verdict": nil}, policy.Insufficient},
	{"one window of all rows", "windows.performance", tallystick.TierHigh, map[string]any{"report.windows": []any{
		map[string]any{"index": 0, "label": "all", "performance": map[string]any{}, "verdict": "insufficient", "words": "alone"}}}, policy.Skip},
	{"windows lost", "windows.performance", tallystick.TierHigh, map[string]any{"report.windows": nil}, policy.Error},

	{"not committed", "criteria.committed", tallystick.TierHigh, map[string]any{"criteria.committed": false}, policy.Fail},
	{"not committed, limited", "criteria.committed", tallystick.TierLimited, map[string]any{"criteria.committed": false}, policy.Warn},
	{"not committed, low", "criteria.committed", tallystick.TierLow, map[string]any{"criteria.committed": false}, policy.Skip},
	{"committed late", "criteria.committed", tallystick.TierHigh, map[string]any{"criteria.before_first_audit": false}, policy.Fail},
	{"no audit", "performance.minimum", tallystick.TierLow, map[string]any{"report": json.RawMessage("null")}, policy.Insufficient},
}

func troubled(t testing.TB, i int) map[string]any {
	t.Helper()
	return changed(t, sound(t, trouble[i].tier), trouble[i].change)
}

// changed applies changes to document: nil removes, and a json.RawMessage is null.
func changed(t testing.TB, document map[string]any, change map[string]any) map[string]any {
	t.Helper()
	for _, path := range slices.Sorted(maps.Keys(change)) {
		switch value := change[path].(type) {
		case nil:
			remove(t, document, path)
		case json.RawMessage:
			set(t, document, path, nil)
		default:
			set(t, document, path, value)
		}
	}
	return document
}

func TestEveryRuleInTrouble(t *testing.T) {
	t.Parallel()
	packs := packsByTier(t)
	seen := map[string]bool{}
	for i, test := range trouble {
		decision := evaluate(t, packs[test.tier], troubled(t, i))
		rule := row(t, decision, test.rule)
		seen[test.rule] = true
		if rule.Status != test.want {
			t.Errorf("%s: %s is %s, want %s: %s", test.name, test.rule, rule.Status, test.want, rule.Message)
		}
		if rule.Message == "" || strings.Contains(rule.Message, "%!") {
			t.Errorf("%s: message %q", test.name, rule.Message)
		}
		for _, rule := range decision.Rules {
			if rule.Status == policy.Pass {
				continue
			}
			// A rule without anything to judge need not say what to do about it.
			produces := strings.Contains(rule.Remediation, "tallystick ") || strings.Contains(rule.Remediation, "--")
			if (rule.Status != policy.Skip || rule.Blocking || rule.Remediation != "") && !produces {
				t.Errorf("%s: %s is %s, but its remediation %q names no command", test.name, rule.ID, rule.Status, rule.Remediation)
			}
		}
		if rule.Denies() && decision.Verdict != tallystick.Fail {
			t.Errorf("%s: the gate passes although %s is %s", test.name, rule.ID, rule.Status)
		}
	}
	for _, rule := range packs[tallystick.TierHigh].Rules() {
		if rule.About == policy.AboutAudit && !seen[rule.ID] {
			t.Errorf("no case shows %s in trouble", rule.ID)
		}
	}
}

func packsByTier(t testing.TB) map[tallystick.Tier]*policy.Pack {
	packs := map[tallystick.Tier]*policy.Pack{}
	for _, tier := range allTiers {
		packs[tier] = load(t, "", tier)
	}
	return packs
}

// An empty document passed eight of nine ordinary deny rules in an early trial: undefined is not
// false.
func TestEmptyDocumentsDeny(t *testing.T) {
	t.Parallel()
	hollow := func(tier tallystick.Tier) map[string]any {
		return map[string]any{
			"schema": policy.InputSchema, "model": map[string]any{"tier": string(tier)}, "environment": nil,
			"release": nil, "report": map[string]any{}, "limits": map[string]any{}, "criteria": map[string]any{},
			"champion": nil, "waivers": []any{}, "freeze": []any{},
		}
	}
	for tier, pack := range packsByTier(t) {
		for name, document := range map[string]any{"{}": map[string]any{}, "hollow": hollow(tier), "wrong tier": hollow("medium")} {
			decision := evaluate(t, pack, document)
			if decision.Verdict != tallystick.Fail {
				t.Errorf("%s, %s: %s", tier, name, decision.Words)
			}
			if want := len(pack.Rules()); len(decision.Rules) != want {
				t.Errorf("%s, %s: %d rows for %d rules", tier, name, len(decision.Rules), want)
			}
			for _, rule := range decision.Rules {
				if rule.Blocking && !rule.Denies() {
					t.Errorf("%s, %s: %s is %s: %s", tier, name, rule.ID, rule.Status, rule.Message)
				}
				if name != "hollow" && rule.Status != policy.Error {
					t.Errorf("%s, %s: %s is %s, want error", tier, name, rule.ID, rule.Status)
				}
			}
		}
	}
}

func TestMissingFieldNeverTurnsDenialIntoPass(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds, and minutes under the race detector; run without -short")
	}
	t.Parallel()
	packs := packsByTier(t)
	seen := map[string]bool{}
	for i, test := range trouble {
		// One denial for each rule: an evaluation takes milliseconds.
		if seen[test.rule] || evaluate(t, packs[test.tier], troubled(t, i)).Verdict == tallystick.Pass {
			continue
		}
		seen[test.rule] = true
		for _, path := range fieldsOf(troubled(t, i)) {
			_, changed := test.change[path]
			switch {
			case changed && path != "freeze":
				continue // removed already
			case path == "report.windowing" && test.name == "windows lost":
				continue // without either there were no windows
			case path == "report.contract" && test.tier != tallystick.TierHigh:
				continue // below tier high no contract is asked for
			}
			document := remove(t, troubled(t, i), path)
			if decision := evaluate(t, packs[test.tier], document); decision.Verdict == tallystick.Pass {
				t.Errorf("%s denies, but passes without %s: %s", test.name, path, decision.Words)
			}
		}
	}
}

// fieldsOf lists the top-level fields of document and the parts of its report.
func fieldsOf(document map[string]any) []string {
	paths := slices.Sorted(maps.Keys(document))
	for _, name := range slices.Sorted(maps.Keys(document["report"].(map[string]any))) {
		paths = append(paths, "report."+name)
	}
	return paths
}

func TestSameInputSameBytes(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds, and minutes under the race detector; run without -short")
	}
	t.Parallel()
	for _, i := range []int{0, len(trouble) / 2} {
		var first []byte
		var pack *policy.Pack
		for n := range 50 {
			if n%10 == 0 {
				pack = load(t, "", trouble[i].tier)
			}
			decision := evaluate(t, pack, troubled(t, i))
			data, err := json.Marshal(decision)
			if err != nil {
				t.Fatal(err)
			}
			if n == 0 {
				first = data
			} else if diff := cmp.Diff(string(first), string(data)); diff != "" {
				t.Fatalf("evaluation %d differs:\n%s", n, diff)
			}
		}
	}
}

// Rules walk their evidence once: an audit of many groups, columns and windows stays within the
// steps of a rule.
func TestLargeAuditIsJudged(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds, and minutes under the race detector; run without -short")
	}
	t.Parallel()
	input := sound(t, tallystick.TierHigh)
	many := func(path string, n int, change map[string]any) {
		parts := strings.Split(path, ".")
		var list any = input
		for _, part := range parts {
			list = child(t, list, part)
		}
		element := list.([]any)[0].(map[string]any)
		elements := make([]any, n)
		for i := range elements {
			e := maps.Clone(element)
			e["name"], e["value"], e["label"], e["index"] = fmt.Sprint("n", i), fmt.Sprint("v", i), fmt.Sprint("w", i), i
			maps.Copy(e, change)
			elements[i] = e
		}
		set(t, input, path, elements)
	}
	many("report.fairness.comparisons", 5000, map[string]any{"verdict": "insufficient", "metric": "false_positive_rate"})
	set(t, input, "report.fairness.comparisons.0.verdict", "fail")
	set(t, input, "limits.fairness.metrics", []any{"false_positive_rate"})
	many("report.quality.columns", 2000, map[string]any{"verdict": "warn", "issues": []any{map[string]any{"verdict": "warn", "words": "w"}}})
	many("report.drift.features", 2000, map[string]any{"verdict": "fail"})
	many("report.windows", 2000, map[string]any{"performance_verdict": "fail"})
	for _, rule := range evaluate(t, load(t, "", tallystick.TierHigh), input).Rules {
		if rule.Status == policy.Error || len(rule.Details) > 101 {
			t.Errorf("%s is %s with %d details: %s", rule.ID, rule.Status, len(rule.Details), rule.Message)
		}
	}
}

func TestWaiver(t *testing.T) {
	t.Parallel()
	pack := load(t, "", tallystick.TierHigh)
	waiver := func(expires string) map[string]any {
		return map[string]any{
			"id": "w1", "rule": "fairness.error-rates", "version": "1", "owner": "grace", "reason": "pilot with human review of every case",
			"compensating_control": "two people decide", "expires": expires,
		}
	}
	failing := func(t *testing.T, w map[string]any) map[string]any {
		return set(t, set(t, sound(t, tallystick.TierHigh), "report.fairness.comparisons.1.verdict", "fail"), "waivers", []any{w})
	}
	decision := evaluate(t, pack, failing(t, waiver("2026-11-21T08:00:01Z")))
	if rule := row(t, decision, "fairness.error-rates"); rule.Status != policy.Waived || decision.Verdict != tallystick.Pass {
		t.Errorf("a valid waiver gives %s and %s: %s", rule.Status, decision.Verdict, rule.Message)
	}
	for name, w := range map[string]map[string]any{
		"expired":         waiver("2026-11-21T08:00:00Z"),
		"no date":         waiver(""),
		"other version":   with(waiver("2027-01-01T00:00:00Z"), "version", "2"),
		"other rule":      with(waiver("2027-01-01T00:00:00Z"), "rule", "fairness"),
		"without owner":   with(waiver("2027-01-01T00:00:00Z"), "owner", ""),
		"without control": with(waiver("2027-01-01T00:00:00Z"), "compensating_control", ""),
	} {
		if decision := evaluate(t, pack, failing(t, w)); decision.Verdict != tallystick.Fail {
			t.Errorf("%s: the gate passes", name)
		}
	}
	broken := remove(t, set(t, sound(t, tallystick.TierHigh), "waivers", []any{with(waiver("2027-01-01T00:00:00Z"), "rule", "data.quality")}), "report.quality.verdict")
	if rule := row(t, evaluate(t, pack, broken), "data.quality"); rule.Status != policy.Error {
		t.Errorf("a waiver turned an error into %s", rule.Status)
	}
}

func with(object map[string]any, key string, value any) map[string]any {
	object[key] = value
	return object
}

func TestInputIsBounded(t *testing.T) {
	t.Parallel()
	pack := load(t, "", tallystick.TierLow)
	for name, input := range map[string]any{
		"large": map[string]any{"report": strings.Repeat("x", policy.MaxInput)}, "list": []any{}, "null": nil, "number": 1,
	} {
		if _, err := pack.Evaluate(t.Context(), input, now); tallystick.CodeOf(err) != tallystick.Invalid {
			t.Errorf("%s: %v, want an invalid error", name, err)
		}
	}
}

func TestFactsLeavesOutVerdictAndCharts(t *testing.T) {
	t.Parallel()
	facts, err := policy.Facts(map[string]any{
		"gate": 1, "summary": 2, "rows": 3, "drift": map[string]any{"features": []any{map[string]any{"name": "a", "bins": []int{1}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"rows": json.Number("3"), "drift": map[string]any{"features": []any{map[string]any{"name": "a"}}}}
	if diff := cmp.Diff(want, facts); diff != "" {
		t.Error(diff)
	}
}

func TestCanonicalInputCarriesTime(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.FixedZone("", 3600))
	got, err := policy.Canonical(map[string]any{"b": 1.0, "a": "x", "now": "never"}, at)
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"a":"x","b":1,"now":"2026-01-02T02:04:05Z"}`; string(got) != want {
		t.Errorf("canonical input = %s, want %s", got, want)
	}
}

// BenchmarkEvaluateLarge judges an audit of 50 windows of 30 features.
func BenchmarkEvaluateLarge(b *testing.B) {
	pack := load(b, "", tallystick.TierHigh)
	input := sound(b, tallystick.TierHigh)
	feature := input["report"].(map[string]any)["drift"].(map[string]any)["features"].([]any)[0]
	window := input["report"].(map[string]any)["windows"].([]any)[0].(map[string]any)
	window["drift"].(map[string]any)["features"] = slices.Repeat([]any{feature}, 30)
	windows := make([]any, 50)
	for i := range windows {
		w := maps.Clone(window)
		w["index"], w["label"] = i, "window "+strconv.Itoa(i)
		windows[i] = w
	}
	set(b, input, "report.windows", windows)
	for b.Loop() {
		if _, err := pack.Evaluate(b.Context(), input, now); err != nil {
			b.Fatal(err)
		}
	}
}
