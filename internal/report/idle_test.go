package report_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/policy"
	"github.com/tallystick/tallystick/internal/report"
)

// TestIdleRulesShareARow tells of rules that nobody asked for one reason in one row, by number in Markdown
// and by name in HTML.
func TestIdleRulesShareARow(t *testing.T) {
	t.Parallel()
	d := compas()
	for i := range 4 {
		d.Gate.Rules = append(d.Gate.Rules, policy.Rule{ID: fmt.Sprintf("release.rule-%d", i), Title: "Rule", Severity: "low", Status: policy.Skip, Message: "Nothing is to be released."})
	}
	var html, markdown bytes.Buffer
	if err := report.WriteHTML(&html, d); err != nil {
		t.Fatal(err)
	}
	if err := report.WriteMarkdown(&markdown, d); err != nil {
		t.Fatal(err)
	}
	for name, got := range map[string]string{"HTML": html.String(), "Markdown": markdown.String()} {
		if n := strings.Count(got, "Nothing is to be released."); n != 1 {
			t.Errorf("%s gives the reason %d times, want once", name, n)
		}
		if !strings.Contains(got, "4 rules") {
			t.Errorf("%s does not say how many rules there are", name)
		}
	}
	if !strings.Contains(html.String(), "<code>release.rule-3</code>") {
		t.Error("HTML does not name the rules")
	}
}
