package policy_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/policy"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var rendering = policy.RenderOptions{Model: "recidivism", Version: "1", File: "predictions.csv", Tool: "0.1.0", Width: 90}

// denied returns a decision with every status but waived; the names in it are hostile.
func denied(t testing.TB) policy.Decision {
	t.Helper()
	input := sound(t, tallystick.TierHigh)
	set(t, input, "report.fairness.comparisons.1.verdict", "fail")
	set(t, input, "report.fairness.comparisons.5.verdict", "fail")
	set(t, input, "report.fairness.comparisons.5.words", "</td><script>alert(1)</script> | `x` \x1b[31m\n::error::@all has 60 %")
	set(t, input, "report.fairness.comparisons.3.verdict", "inconclusive")
	set(t, input, "limits.performance.roc_auc.min", 0.7)
	set(t, input, "report.drift.verdict", "insufficient")
	set(t, input, "report.quality.verdict", "fine")
	set(t, input, "champion", nil)
	return evaluate(t, load(t, "", tallystick.TierHigh), input)
}

func render(t testing.TB, format policy.Format, d policy.Decision, options policy.RenderOptions) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := policy.Render(&out, format, d, options); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestRenderGolden(t *testing.T) {
	t.Parallel()
	d := denied(t)
	// The goldens are about form; digests change with every edit of a rule.
	d.Policy = tallystick.DigestOf([]byte("policy"))
	d.Input = tallystick.DigestOf([]byte("input"))
	d.Engine = "opa 1.0.0"
	for format, name := range map[policy.Format]string{
		policy.Text: "decision.txt", policy.JSON: "decision.json", policy.SARIF: "decision.sarif",
		policy.JUnit: "decision.xml", policy.Markdown: "decision.md", policy.GitHub: "decision.github",
	} {
		got := render(t, format, d, rendering)
		path := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(path, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s differs from %s; -update rewrites it\n%s", format, path, diff)
		}
	}
}

func TestTextIsAlignedAndInert(t *testing.T) {
	t.Parallel()
	d := denied(t)
	text := string(render(t, policy.Text, d, rendering))
	if strings.ContainsRune(text, '\x1b') {
		t.Error("a name from the data brought an escape sequence")
	}
	for line := range strings.Lines(text) {
		if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > rendering.Width && !strings.HasPrefix(line, "policy ") {
			t.Errorf("%d columns: %q", n, line)
		}
	}
	first := strings.Index(text, "! ")
	pass := strings.Index(text, "  pass ")
	if first < 0 || pass < first {
		t.Error("what denies does not come first")
	}
	for _, rule := range d.Rules {
		folded := strings.Contains(rule.Message, "nothing is to be released")
		if !folded && !strings.Contains(text, rule.ID) {
			t.Errorf("%s has no row", rule.ID)
		}
	}
	if !strings.Contains(text, "17 rules") {
		t.Error("the rules that were not asked are not counted in a row")
	}
	colour := rendering
	colour.Colour = true
	if !bytes.Contains(render(t, policy.Text, d, colour), []byte("\x1b[31;1merror")) {
		t.Error("no colour where asked for")
	}
}

// The rules are those of SARIF 2.1.0 that a schema cannot say: sections 3.27.5 (ruleId),
// 3.27.6 (ruleIndex), 3.27.9 (kind) and 3.27.10 (level).
func TestSARIF(t *testing.T) {
	t.Parallel()
	d := denied(t)
	log := readSARIF(t, render(t, policy.SARIF, d, rendering))
	run := log.Runs[0]
	if log.Version != "2.1.0" || run.Tool.Driver.Name == "" || len(run.Results) != len(d.Rules) {
		t.Fatalf("version %q, driver %q, %d results", log.Version, run.Tool.Driver.Name, len(run.Results))
	}
	for i, result := range run.Results {
		rule := run.Tool.Driver.Rules[result.RuleIndex]
		if rule.ID != result.RuleID || rule.ID != d.Rules[i].ID {
			t.Errorf("result %d is of %s, its index points at %s", i, result.RuleID, rule.ID)
		}
		if !slices.Contains([]string{"pass", "fail", "notApplicable"}, result.Kind) ||
			!slices.Contains([]string{"none", "warning", "error"}, result.Level) ||
			(result.Kind == "fail") == (result.Level == "none") {
			t.Errorf("%s: kind %q, level %q", rule.ID, result.Kind, result.Level)
		}
		if (result.Level == "error") != d.Rules[i].Denies() {
			t.Errorf("%s: level %s, denies %v", rule.ID, result.Level, d.Rules[i].Denies())
		}
		if result.Message.Text == "" || len(result.Locations) != 1 || !strings.HasPrefix(rule.HelpURI, "https://") {
			t.Errorf("%s lacks a message, a location or a help address", rule.ID)
		}
	}
	next, other := rendering, rendering
	next.Version, other.Model = "2", "credit"
	fingerprint := func(o policy.RenderOptions) string {
		return readSARIF(t, render(t, policy.SARIF, d, o)).Runs[0].Results[0].PartialFingerprints["ruleAndModel/v1"]
	}
	if fingerprint(next) != fingerprint(rendering) || fingerprint(other) == fingerprint(rendering) {
		t.Error("a fingerprint is not that of rule and model")
	}
}

type sarif struct {
	Version string
	Runs    []struct {
		Tool struct {
			Driver struct {
				Name  string
				Rules []struct{ ID, HelpURI string }
			}
		}
		Results []struct {
			RuleID, Kind, Level string
			RuleIndex           int
			Message             struct{ Text string }
			Locations           []any
			PartialFingerprints map[string]string
		}
	}
}

func readSARIF(t testing.TB, data []byte) sarif {
	t.Helper()
	var log sarif
	if err := json.Unmarshal(data, &log); err != nil {
		t.Fatal(err)
	}
	return log
}

func TestJUnitAgreesWithGate(t *testing.T) {
	t.Parallel()
	type suites struct {
		Suite struct {
			Tests    int `xml:"tests,attr"`
			Failures int `xml:"failures,attr"`
			Errors   int `xml:"errors,attr"`
			Cases    []struct {
				Name    string    `xml:"name,attr"`
				Failure *struct{} `xml:"failure"`
				Error   *struct{} `xml:"error"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	passing := evaluate(t, load(t, "", tallystick.TierLow), sound(t, tallystick.TierLow))
	for _, d := range []policy.Decision{denied(t), passing} {
		var got suites
		if err := xml.Unmarshal(render(t, policy.JUnit, d, rendering), &got); err != nil {
			t.Fatal(err)
		}
		denying := 0
		for _, rule := range d.Rules {
			if rule.Denies() {
				denying++
			}
		}
		red := 0
		for _, c := range got.Suite.Cases {
			if c.Failure != nil || c.Error != nil {
				red++
			}
		}
		if got.Suite.Tests != len(d.Rules) || red != denying || got.Suite.Failures+got.Suite.Errors != denying {
			t.Errorf("%d tests, %d red, %d+%d counted, but %d of %d rules deny", got.Suite.Tests, red, got.Suite.Failures, got.Suite.Errors, denying, len(d.Rules))
		}
	}
}

func TestMarkdownAndGitHubAreInert(t *testing.T) {
	t.Parallel()
	d := denied(t)
	markdown := string(render(t, policy.Markdown, d, rendering))
	for _, bad := range []string{"<script>", "</td>", "@all", "\x1b"} {
		if strings.Contains(markdown, bad) {
			t.Errorf("Markdown carries %q", bad)
		}
	}
	for line := range strings.Lines(string(render(t, policy.GitHub, d, rendering))) {
		if strings.HasPrefix(line, "::error::") {
			t.Errorf("a name from the data became a command: %q", line)
		}
	}
}

func TestParseFormat(t *testing.T) {
	t.Parallel()
	if f, err := policy.ParseFormat("sarif"); err != nil || f != policy.SARIF {
		t.Errorf("ParseFormat(sarif) = %q, %v", f, err)
	}
	if _, err := policy.ParseFormat("yaml"); tallystick.CodeOf(err) != tallystick.Invalid {
		t.Errorf("ParseFormat(yaml): %v", err)
	}
	if err := policy.Render(&bytes.Buffer{}, "yaml", policy.Decision{}, rendering); tallystick.CodeOf(err) != tallystick.Invalid {
		t.Errorf("Render yaml: %v", err)
	}
}
