package policy_test

import (
	"encoding/json"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/policy"
)

// recordings are canonical inputs: every case of the tables of trouble of one tier.
func recordings(t testing.TB, tier tallystick.Tier) [][]byte {
	t.Helper()
	var all [][]byte
	add := func(document map[string]any) {
		canonical, err := policy.Canonical(document, now)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, canonical)
	}
	add(sound(t, tier))
	add(ready(t, tier))
	for i := range trouble {
		if trouble[i].tier == tier {
			add(troubled(t, i))
		}
	}
	for i := range hindered {
		if hindered[i].tier == tier {
			add(hinder(t, i))
		}
	}
	return all
}

func each(inputs [][]byte) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for _, input := range inputs {
			if !yield(input, nil) {
				return
			}
		}
	}
}

// trials are policies of which each changes something else.
var trials = map[string]map[string]string{
	"a rule more":      {"owner.rego": ownerRule},
	"a setting":        {"data.yaml": "tallystick: {tiers: {low: {missing: {data: fail}}}}\n"},
	"a limit":          {"data.yaml": "tallystick: {tiers: {low: {limits: {audit_days: 0}}}}\n"},
	"an approver":      {"data.yaml": "tallystick: {tiers: {low: {approvals: {always: {approver: 2}}}}}\n"},
	"metrics":          {"data.yaml": "tallystick: {tiers: {low: {fairness_metrics: [predictive_parity]}}}\n"},
	"what is left out": {"data.yaml": "tallystick: {left_out: {rollback: [evidence.*]}}\n"},
	"none of ours":     {"owner.rego": ownerRule, ".manifest": `{"metadata": {"tallystick": {"extends": "none"}}}`},
}

// A shadow run asks only the rules that are not the same in both packs; it must say what judging every
// document by both says.
func TestShadowSaysWhatBothPacksDecide(t *testing.T) {
	t.Parallel()
	inputs := recordings(t, tallystick.TierLow)
	from := load(t, "", tallystick.TierLow)
	var before []policy.Decision
	for _, input := range inputs {
		before = append(before, replay(t, from, input))
	}
	for name, files := range trials {
		to := load(t, writePolicy(t, files), tallystick.TierLow)
		got, err := policy.Shadow(t.Context(), from, to, each(inputs))
		if err != nil {
			t.Fatal(err)
		}
		var opened, shut int
		changed := map[string]int{}
		for i, input := range inputs {
			after := replay(t, to, input)
			switch {
			case before[i].Verdict == after.Verdict:
			case after.Verdict == tallystick.Pass:
				opened++
			default:
				shut++
			}
			for _, rule := range before[i].Rules {
				at := slices.IndexFunc(after.Rules, func(r policy.Rule) bool { return r.ID == rule.ID })
				left := at < 0 || strings.Contains(after.Rules[at].Message, "leaves this built-in rule out")
				if left || after.Rules[at].Status != rule.Status || after.Rules[at].Blocking != rule.Blocking {
					changed[rule.ID]++
				}
			}
			for _, rule := range after.Rules {
				if !slices.ContainsFunc(before[i].Rules, func(r policy.Rule) bool { return r.ID == rule.ID }) {
					changed[rule.ID]++
				}
			}
		}
		if got.Decisions != len(inputs) || got.Opened != opened || got.Shut != shut {
			t.Errorf("%s: %d decisions, %d opened, %d shut; want %d, %d, %d", name, got.Decisions, got.Opened, got.Shut, len(inputs), opened, shut)
		}
		for _, rule := range got.Rules {
			if rule.Changed != changed[rule.ID] {
				t.Errorf("%s: %s changed %d times, want %d", name, rule.ID, rule.Changed, changed[rule.ID])
			}
			delete(changed, rule.ID)
		}
		if len(changed) > 0 {
			t.Errorf("%s: not said of %v", name, changed)
		}
		if flips := min(opened+shut, 10); len(got.Examples) != flips {
			t.Errorf("%s: %d examples of %d flips", name, len(got.Examples), flips)
		}
	}
}

func replay(t testing.TB, pack *policy.Pack, canonical []byte) policy.Decision {
	t.Helper()
	decision, err := pack.Replay(t.Context(), canonical)
	if err != nil {
		t.Fatal(err)
	}
	return decision
}

func TestShadowLeavesOtherTiersAside(t *testing.T) {
	t.Parallel()
	pack := load(t, "", tallystick.TierLow)
	got, err := policy.Shadow(t.Context(), pack, pack, each(recordings(t, tallystick.TierHigh)[:2]))
	if err != nil || got.Decisions != 0 || got.OtherTier != 2 {
		t.Errorf("%+v: %v", got, err)
	}
	if _, err := policy.Shadow(t.Context(), pack, load(t, "", tallystick.TierHigh), each(nil)); tallystick.CodeOf(err) != tallystick.Invalid {
		t.Errorf("packs of two tiers: %v", err)
	}
	if _, err := policy.Shadow(t.Context(), pack, pack, each([][]byte{[]byte("{}")})); tallystick.CodeOf(err) != tallystick.Invalid {
		t.Errorf("an input without a time: %v", err)
	}
}

func TestDiff(t *testing.T) {
	t.Parallel()
	from := load(t, "", tallystick.TierHigh)
	to := load(t, writePolicy(t, map[string]string{
		"owner.rego": ownerRule,
		"data.yaml":  "tallystick: {tiers: {high: {missing: {pins: warn}}, low: {missing: {pins: fail}}}}\n",
	}), tallystick.TierHigh)
	d := policy.Diff(from, to)
	want := policy.Difference{
		From: from.Digest(), To: to.Digest(), Tier: tallystick.TierHigh, Removed: []string{},
		Added:    []string{"house.owner: The model has an owner"},
		Changed:  []string{"dependency.pins: its Rego, a library or a setting that it reads is another"},
		Settings: []string{`data.tallystick.tiers.high.missing.pins is "warn" instead of "fail"`},
	}
	if diff := cmp.Diff(want, d); diff != "" {
		t.Error(diff)
	}
	back := policy.Diff(to, from)
	if !slices.Equal(back.Removed, want.Added) || len(back.Added) != 0 {
		t.Errorf("the other way round: %+v", back)
	}
	var out strings.Builder
	if err := policy.Diff(from, from).WriteText(&out, 0); err != nil || !strings.Contains(out.String(), "no difference") {
		t.Errorf("%v: %s", err, out.String())
	}
}

func TestRecordedInputs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	input := recordings(t, tallystick.TierLow)[0]
	for name, data := range map[string][]byte{"b/gate-input.json": input, "report.json": []byte("{}"), "notes.txt": input} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var all []string
	for data, err := range policy.Recorded(dir) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, string(data))
	}
	if diff := cmp.Diff([]string{string(input)}, all); diff != "" {
		t.Error(diff)
	}
	for _, err := range policy.Recorded(filepath.Join(dir, "none")) {
		if tallystick.CodeOf(err) != tallystick.NotFound {
			t.Errorf("a directory that is not there: %v", err)
		}
	}
}

// Decisions that were once recorded replay to the same bytes, by the policy of their time. Recordings
// are added for each released version and never rewritten.
func TestRecordedDecisionsReplay(t *testing.T) {
	t.Parallel()
	const dir = "testdata/recorded/v1"
	if *update {
		record(t, dir)
	}
	pack := recordedPack(t, dir)
	for _, name := range recorded {
		input, err := os.ReadFile(filepath.Join(dir, name+".input.json"))
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(filepath.Join(dir, name+".decision.json"))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(encode(t, replay(t, pack, input)))); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
}

var recorded = []string{"audit", "release", "denied", "rollback"}

func encode(t *testing.T, value any) []byte {
	t.Helper()
	data, err := json.MarshalIndent(value, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return append(data, '\n')
}

// recordedPack restores the policy that was in force.
func recordedPack(t *testing.T, dir string) *policy.Pack {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "policy.json"))
	if err != nil {
		t.Fatal(err)
	}
	var texts map[string]string
	if err := json.Unmarshal(data, &texts); err != nil {
		t.Fatal(err)
	}
	var files []policy.File
	for name, text := range texts {
		files = append(files, policy.File{Name: name, Data: []byte(text)})
	}
	pack, err := policy.Restore(files, "tallystick-high")
	if err != nil {
		t.Fatal(err)
	}
	return pack
}

func TestRestoreKeepsCustomPolicies(t *testing.T) {
	t.Parallel()
	pack := load(t, writePolicy(t, map[string]string{"owner.rego": ownerRule, "data.yaml": "house: {days: 30}\n"}), tallystick.TierLow)
	input := recordings(t, tallystick.TierLow)[0]
	want := replay(t, pack, input)
	again, err := policy.Restore(pack.Files(), pack.Name())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, replay(t, again, input)); diff != "" {
		t.Error(diff)
	}
	for name, files := range map[string][]policy.File{
		"nothing": nil, "no tier": pack.Files()[:3], "another part": {{Name: "extra/a.rego"}},
	} {
		if _, err := policy.Restore(files, "x"); tallystick.CodeOf(err) != tallystick.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// record writes the recordings of a version, unless they are there.
func record(t *testing.T, dir string) {
	t.Helper()
	if _, err := os.Stat(dir); err == nil {
		return
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	write := func(name string, data []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	pack := load(t, "", tallystick.TierHigh)
	texts := map[string]string{}
	for _, file := range pack.Files() {
		texts[file.Name] = string(file.Data)
	}
	write("policy.json", encode(t, texts))
	for _, name := range recorded {
		input := specimen(t, name)
		write(name+".input.json", input)
		write(name+".decision.json", encode(t, replay(t, pack, input)))
	}
}

// specimen returns a canonical input that is worth recording.
func specimen(t *testing.T, name string) []byte {
	t.Helper()
	document := ready(t, tallystick.TierHigh)
	switch name {
	case "audit":
		document = sound(t, tallystick.TierHigh)
	case "denied":
		changed(t, document, map[string]any{
			"release.approvals": []any{}, "release.owed.2.state": "stale", "release.artifacts.0.format": "pickle",
			"release.data.0.consent_basis": "", "freeze": []any{freeze(nil)}, "waivers": []any{waiver(nil)},
		})
	case "rollback":
		changed(t, document, map[string]any{"release.kind": "rollback", "release.version.served": []any{served(nil)}, "report": null})
	}
	canonical, err := policy.Canonical(document, now)
	if err != nil {
		t.Fatal(err)
	}
	return canonical
}
