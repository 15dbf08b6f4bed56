package report_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/report"
)

func markdown(t *testing.T, d *report.Document) string {
	t.Helper()
	var b strings.Builder
	if err := report.WriteMarkdown(&b, d); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestMarkdownGolden(t *testing.T) {
	t.Parallel()
	for name, d := range map[string]*report.Document{"compas": compas(), "quiet": quiet()} {
		t.Run(name, func(t *testing.T) { compareGolden(t, "testdata/"+name+".md", markdown(t, d)) })
	}
}

func TestMarkdownFitsAComment(t *testing.T) {
	t.Parallel()
	got := markdown(t, stream(50, 30, 60))
	if len(got) > 60_000 {
		t.Errorf("%d bytes", len(got))
	}
	for _, part := range []string{"and 48 more in report.html", "## Windows", "## Fairness", "RELP = 17 rises from 5.0 % to 69.7 %"} {
		if !strings.Contains(got, part) {
			t.Errorf("no %q", part)
		}
	}
}

// TestMarkdownIsInert checks that text from data cannot become markup, leave its cell, or notify.
func TestMarkdownIsInert(t *testing.T) {
	t.Parallel()
	d := hostile()
	poison(d, hostileText+" @everyone <img src=x>")
	got := markdown(t, d)
	for _, bad := range []string{"<script", "<img", "@everyone", "](javascript"} {
		unescaped := regexp.MustCompile(`(^|[^\\` + "`" + `])` + regexp.QuoteMeta(bad))
		for line := range strings.Lines(got) {
			// Between backticks nothing is markup.
			outside := regexp.MustCompile("`[^`]*`").ReplaceAllString(strings.ReplaceAll(line, "\\`", ""), "")
			if unescaped.MatchString(outside) {
				t.Fatalf("%q is not escaped in %q", bad, line)
			}
		}
	}
	pipes := regexp.MustCompile(`\\\|`)
	width := 0
	for line := range strings.Lines(got) {
		if !strings.HasPrefix(line, "|") {
			width = 0
			continue
		}
		n := strings.Count(pipes.ReplaceAllString(line, ""), "|")
		if width != 0 && n != width {
			t.Fatalf("a row of %d cells in a table of %d: %q", n-1, width-1, line)
		}
		width = n
	}
}
