package policy_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/policy"
	"go.yaml.in/yaml/v3"
)

func TestCustomRulesAdd(t *testing.T) {
	t.Parallel()
	dir := writePolicy(t, map[string]string{"owner.rego": ownerRule, "README.md": "no policy", ".git/x.rego": "no Rego"})
	builtin, custom := load(t, "", tallystick.TierHigh), load(t, dir, tallystick.TierHigh)
	if builtin.Digest() == custom.Digest() {
		t.Error("the custom rule does not change the digest")
	}
	input := sound(t, tallystick.TierHigh)
	d := evaluate(t, custom, input)
	if len(d.Rules) != len(builtin.Rules())+1 || !d.Modified || !strings.HasPrefix(d.Pack, "tallystick-high+") {
		t.Errorf("%d rows, custom %v, pack %s", len(d.Rules), d.Modified, d.Pack)
	}
	if rule := row(t, d, "house.owner"); rule.Status != policy.Pass || rule.Message != "ada answers for it." || !rule.Blocking {
		t.Errorf("house.owner: %+v", rule)
	}
	if d := evaluate(t, custom, set(t, input, "model.owner", "")); d.Verdict != tallystick.Fail {
		t.Errorf("a failing custom rule lets pass: %s", d.Words)
	}
}

func TestCustomPackThatReplacesListsWhatItLeavesOut(t *testing.T) {
	t.Parallel()
	dir := writePolicy(t, map[string]string{
		"rules/owner.rego": ownerRule,
		".manifest":        `{"roots": ["house"], "metadata": {"tallystick": {"name": "house", "extends": "none"}}}`,
	})
	pack := load(t, dir, tallystick.TierHigh)
	d := evaluate(t, pack, sound(t, tallystick.TierHigh))
	if !d.Modified || d.Pack != "tallystick-high+house" || !strings.Contains(d.Words, "leaves out 30 built-in rules") {
		t.Errorf("custom %v, pack %s: %s", d.Modified, d.Pack, d.Words)
	}
	for _, rule := range load(t, "", tallystick.TierHigh).Rules() {
		if got := row(t, d, rule.ID); got.Status != policy.Skip || !strings.Contains(got.Message, "leaves this built-in rule out") {
			t.Errorf("%s is %s: %s", rule.ID, got.Status, got.Message)
		}
	}
	explained, err := pack.Explain(t.Context(), policy.ExplainOptions{Input: sound(t, tallystick.TierHigh), Now: now})
	if err != nil || len(explained.LeftOut) != 30 || len(explained.Rules) != 1 {
		t.Errorf("explained %d rules, left out %d: %v", len(explained.Rules), len(explained.LeftOut), err)
	}
}

func TestOverrideIsVisible(t *testing.T) {
	t.Parallel()
	for name, files := range map[string]map[string]string{
		"yaml at the root": {"data.yaml": "tallystick: {tiers: {high: {missing: {criteria: warn}}}}\nhouse: {days: 30}\n"},
		"json in place":    {"tallystick/tiers/high/data.json": `{"missing": {"criteria": "warn"}}`},
	} {
		pack := load(t, writePolicy(t, files), tallystick.TierHigh)
		d := evaluate(t, pack, set(t, sound(t, tallystick.TierHigh), "criteria.committed", false))
		if rule := row(t, d, "criteria.committed"); rule.Status != policy.Warn || d.Verdict != tallystick.Pass {
			t.Errorf("%s: criteria.committed is %s, the gate %s", name, rule.Status, d.Verdict)
		}
		if want := "data.tallystick.tiers.high.missing.criteria is warn instead of fail"; !strings.Contains(d.Words, want) || !d.Modified {
			t.Errorf("%s: %q does not say %q", name, d.Words, want)
		}
	}
}

const head = `# METADATA
# title: T
# custom:
#   id: house.t
#   severity: low
#   remediation: Run x --now.
package house.t

`

func TestBadPacksAreRefusedWithTheirLine(t *testing.T) {
	t.Parallel()
	manifest := `{"metadata": {"tallystick": {"extends": "%s"}}}`
	for name, test := range map[string]struct {
		files map[string]string
		want  string
	}{
		"syntax":             {map[string]string{"a.rego": "package house\n\nresult := {"}, "a.rego:3: "},
		"old syntax":         {map[string]string{"a.rego": "package house\nallow { true }\n"}, "a.rego:2: "},
		"type":               {map[string]string{"a.rego": head + "result := 1 + \"x\"\n"}, "a.rego:9: "},
		"unused variable":    {map[string]string{"a.rego": head + "result := {} if { x := 1 }\n"}, "a.rego:9: "},
		"network":            {map[string]string{"a.rego": head + "result := http.send({})\n"}, "a.rego:9: undefined function http.send"},
		"address":            {map[string]string{"a.rego": head + "result := net.lookup_ip_addr(\"x\")\n"}, "undefined function net.lookup_ip_addr"},
		"environment":        {map[string]string{"a.rego": head + "result := opa.runtime().env\n"}, "undefined function opa.runtime"},
		"clock":              {map[string]string{"a.rego": head + "result := time.now_ns()\n"}, "undefined function time.now_ns"},
		"chance":             {map[string]string{"a.rego": head + "result := rand.intn(\"x\", 2)\n"}, "undefined function rand.intn"},
		"identifier":         {map[string]string{"a.rego": head + "result := uuid.rfc4122(\"x\")\n"}, "undefined function uuid.rfc4122"},
		"token":              {map[string]string{"a.rego": head + "result := io.jwt.decode_verify(\"x\", {})\n"}, "undefined function io.jwt.decode_verify"},
		"trace":              {map[string]string{"a.rego": head + "result := 1 if trace(\"x\")\n"}, "undefined function trace"},
		"much out of little": {map[string]string{"a.rego": head + "result := numbers.range(1, 1000000000)\n"}, "undefined function numbers.range"},
		"remote schema":      {map[string]string{"a.rego": head + "result := json.match_schema({}, {})\n"}, "undefined function json.match_schema"},
		"no result":          {map[string]string{"a.rego": head + "other := 1\n"}, "a.rego:1: rule house.t defines no result"},
		"no remediation":     {map[string]string{"a.rego": strings.Replace(head, "#   remediation: Run x --now.\n", "", 1) + "result := 1\n"}, "has no remediation"},
		"bad severity":       {map[string]string{"a.rego": strings.Replace(head, "low", "mild", 1) + "result := 1\n"}, "severity"},
		"bad tier":           {map[string]string{"a.rego": strings.Replace(head, "#   severity", "#   blocking: [medium]\n#   severity", 1) + "result := 1\n"}, "medium"},
		"bad id":             {map[string]string{"a.rego": strings.Replace(head, "house.t", "House", 1) + "result := 1\n"}, "not of the form"},
		"id is taken":        {map[string]string{"a.rego": strings.Replace(head, "house.t", "data.quality", 1) + "result := 1\n"}, "there is a rule data.quality already"},
		"our package":        {map[string]string{"a.rego": "package tallystick.rules.fairness.error_rates\nresult := 1\n"}, "a.rego:1: package tallystick.rules.fairness.error_rates is reserved"},
		"our library":        {map[string]string{"a.rego": "package tallystick.lib.judge\norder := []\n"}, "is reserved"},
		"no policy":          {map[string]string{"README.md": "x"}, "holds no policy"},
		"nothing left":       {map[string]string{".manifest": fmt.Sprintf(manifest, "none"), "data.json": "{}"}, "has no rule"},
		"bad manifest":       {map[string]string{".manifest": "[", "a.rego": ownerRule}, ".manifest: "},
		"bad extends":        {map[string]string{".manifest": fmt.Sprintf(manifest, "some"), "a.rego": ownerRule}, `extends is "some"`},
		"unknown setting":    {map[string]string{"data.yaml": "tallystick: {tiers: {high: {missing: {critera: warn}}}}"}, "there is no setting data.tallystick.tiers.high.missing.critera"},
		"unknown tier":       {map[string]string{"data.yaml": "tallystick: {tiers: {higher: {}}}"}, "there is no setting data.tallystick.tiers.higher"},
		"setting of no word": {map[string]string{"data.yaml": "tallystick: {tiers: {high: {missing: {criteria: maybe}}}}"}, "must be fail, warn or skip"},
		"setting of no list": {map[string]string{"data.yaml": "tallystick: {tiers: {high: {fairness_metrics: []}}}"}, "must be a list"},
		"settings no object": {map[string]string{"data.yaml": "tallystick: {tiers: 1}"}, "data.tallystick.tiers must be an object"},
		"the tier itself":    {map[string]string{"data.yaml": "tallystick: {tier: low}"}, "there is no setting data.tallystick.tier"},
		"data twice":         {map[string]string{"data.yaml": "a: 1", "data.json": `{"a": 2}`}, "data.a is set twice"},
		"data no object":     {map[string]string{"data.yaml": "- 1"}, "data.yaml: "},
		"huge file":          {map[string]string{"a.rego": "package a\n" + strings.Repeat("#", 1<<20)}, "more than"},
		"empty file":         {map[string]string{"a.rego": "# nothing\n"}, "a.rego"},
	} {
		_, err := policy.Load(writePolicy(t, test.files), tallystick.TierHigh)
		if tallystick.CodeOf(err) != tallystick.Invalid || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want one line with %q", name, err, test.want)
		}
	}
	if _, err := policy.Load(filepath.Join(t.TempDir(), "none"), tallystick.TierHigh); tallystick.CodeOf(err) != tallystick.NotFound {
		t.Errorf("a directory that is not there: %v", err)
	}
	if _, err := policy.Load("", "medium"); tallystick.CodeOf(err) != tallystick.Invalid {
		t.Errorf("tier medium: %v", err)
	}
}

// What a rule returns is checked before it counts.
func TestResultContract(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds, and minutes under the race detector; run without -short")
	}
	t.Parallel()
	for name, test := range map[string]struct {
		body string
		want policy.Status
		says string
	}{
		"undefined":           {`result := {} if input.nothing`, policy.Error, "has no result"},
		"conflict":            {"result := {\"status\": \"pass\", \"message\": \"m\"} if input.report\n\nresult := {\"status\": \"fail\", \"message\": \"m\"} if input.limits", policy.Error, "conflict"},
		"builtin error":       {`result := {"status": "pass", "message": to_number(input.schema)}`, policy.Error, "to_number"},
		"no object":           {`result := true`, policy.Error, "contract"},
		"no message":          {`result := {"status": "pass"}`, policy.Error, "no message"},
		"unknown field":       {`result := {"status": "pass", "message": "m", "blocking": false}`, policy.Error, "blocking"},
		"unknown status":      {`result := {"status": "ok", "message": "m"}`, policy.Error, `"ok"`},
		"waives itself":       {`result := {"status": "waived", "message": "m"}`, policy.Error, "waived"},
		"applies and pass":    {`result := {"status": "pass", "message": "m", "applies": false}`, policy.Error, "skip"},
		"print has no effect": {`result := {"status": "fail", "message": "m"} if print(input.nothing)`, policy.Fail, "m"},
		"skip blocks":         {`result := {"status": "skip", "message": "m"}`, policy.Skip, "m"},
		"too many steps": {`many := [i | some i in input.report.many]
result := {"status": "pass", "message": "m"} if count([1 | some a in many; some b in many; some c in many; a + b + c == 0.5]) == 0`, policy.Error, "steps"},
	} {
		pack := load(t, writePolicy(t, map[string]string{"a.rego": head + test.body + "\n"}), tallystick.TierLow)
		input := set(t, sound(t, tallystick.TierLow), "report.many", slices.Repeat([]any{1.0}, 400))
		d := evaluate(t, pack, input)
		rule := row(t, d, "house.t")
		if rule.Status != test.want || !strings.Contains(rule.Message, test.says) || d.Verdict != tallystick.Fail {
			t.Errorf("%s: %s, gate %s: %s", name, rule.Status, d.Verdict, rule.Message)
		}
		if others := row(t, d, "data.quality"); others.Status != policy.Pass {
			t.Errorf("%s: it took data.quality with it: %s", name, others.Message)
		}
	}
}

func TestCancelledEvaluationDecidesNothing(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	d, err := load(t, "", tallystick.TierLow).Evaluate(ctx, sound(t, tallystick.TierLow), now)
	if tallystick.CodeOf(err) != tallystick.Unavailable || d.Verdict != "" {
		t.Errorf("verdict %q, %v; want none and an unavailable error", d.Verdict, err)
	}
}

func TestDigestIsThatOfSha256sum(t *testing.T) {
	t.Parallel()
	pack := load(t, "", tallystick.TierHigh)
	var lines bytes.Buffer
	for _, file := range pack.Files() {
		sum := sha256.Sum256(file.Data)
		fmt.Fprintf(&lines, "%s  %s\n", hex.EncodeToString(sum[:]), file.Name)
		if strings.HasSuffix(file.Name, "_test.rego") {
			t.Errorf("a test is part of the policy: %s", file.Name)
		}
	}
	if want := tallystick.DigestOf(lines.Bytes()); pack.Digest() != want {
		t.Errorf("digest %s, want %s", pack.Digest(), want)
	}
	if other := load(t, "", tallystick.TierLow); other.Digest() == pack.Digest() {
		t.Error("two tiers have one digest")
	}
}

// A control that a rule cites is in the catalogue, and the catalogue says that evidence can
// support it.
func TestControlsAreInTheCatalogue(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../obligation/controls.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var catalogue struct {
		Frameworks []struct {
			ID       string
			Controls []struct{ Ref, Level, Confidence string }
		}
	}
	if err := yaml.Unmarshal(data, &catalogue); err != nil {
		t.Fatal(err)
	}
	level := map[string]string{}
	for _, framework := range catalogue.Frameworks {
		for _, control := range framework.Controls {
			level[framework.ID+"/"+control.Ref] = control.Level + " " + control.Confidence
		}
	}
	paragraph := regexp.MustCompile(`^(.*/Art\. \d+)\(\d+\)$`)
	for _, rule := range load(t, "", tallystick.TierHigh).Rules() {
		for _, control := range rule.Controls {
			found := level[control]
			if m := paragraph.FindStringSubmatch(control); found == "" && m != nil {
				found = level[m[1]]
			}
			if found == "" || strings.HasPrefix(found, "none") || strings.HasSuffix(found, "low") {
				t.Errorf("%s cites %s, of which the catalogue says %q", rule.ID, control, found)
			}
		}
	}
}

func TestEveryRuleIsDocumented(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("../../docs/policy.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, rule := range load(t, "", tallystick.TierHigh).Rules() {
		if !bytes.Contains(doc, []byte("\n### "+rule.ID+"\n")) {
			t.Errorf("docs/policy.md has no section %s, where SARIF's help points", rule.ID)
		}
	}
}
