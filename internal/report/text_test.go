package report_test

import (
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/tallystick/tallystick/internal/report"
)

func summary(t *testing.T, d *report.Document, width int, colour bool) string {
	t.Helper()
	var b strings.Builder
	if err := report.WriteSummary(&b, d, width, colour); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestSummaryGolden(t *testing.T) {
	t.Parallel()
	for name, d := range map[string]*report.Document{"compas": compas(), "stream": stream(47, 16, 0), "quiet": quiet()} {
		t.Run(name, func(t *testing.T) { compareGolden(t, "testdata/"+name+".txt", summary(t, d, 80, false)) })
	}
}

func TestSummaryFitsTheScreen(t *testing.T) {
	t.Parallel()
	for name, d := range map[string]*report.Document{"compas": compas(), "stream": stream(50, 30, 60), "hostile": hostile(), "empty": {}} {
		for _, width := range []int{0, 40, 80, 132, 1000} {
			lines := strings.Split(strings.TrimSuffix(summary(t, d, width, false), "\n"), "\n")
			if len(lines) > 20 && width != 40 {
				t.Errorf("%s at %d columns has %d lines", name, width, len(lines))
			}
			limit := min(120, max(40, width))
			if width == 0 {
				limit = 80
			}
			for _, line := range lines {
				if n := utf8.RuneCountInString(line); n > limit {
					t.Errorf("%s: %d columns of %d: %q", name, n, limit, line)
				}
			}
		}
	}
}

// TestSummaryLongHeadline: what is cut is seen to be cut.
func TestSummaryLongHeadline(t *testing.T) {
	t.Parallel()
	d := quiet()
	d.Summary.Headline = strings.TrimSpace(strings.Repeat("word ", 80))
	lines := strings.Split(summary(t, d, 80, false), "\n")
	if !strings.HasSuffix(lines[5], "…") || strings.HasSuffix(lines[4], "…") || lines[6] != "" {
		t.Errorf("the headline is %q", lines[3:7])
	}
}

func TestSummaryColours(t *testing.T) {
	t.Parallel()
	plain, coloured := summary(t, compas(), 80, false), summary(t, compas(), 80, true)
	if strings.Contains(plain, "\x1b") {
		t.Error("escape sequences without colour")
	}
	if !strings.Contains(coloured, "\x1b[1;31m✗ FAIL\x1b[0m") {
		t.Error("the verdict has no colour")
	}
	if got := regexp.MustCompile("\x1b\\[[0-9;]*m").ReplaceAllString(coloured, ""); got != plain {
		t.Error("colour changes more than colours")
	}
}

func TestSummaryCannotSteerTheTerminal(t *testing.T) {
	t.Parallel()
	for _, r := range summary(t, hostile(), 80, false) {
		if r != '\n' && unicode.IsControl(r) || r >= 0x202a && r <= 0x202e {
			t.Fatalf("the summary has the character %U", r)
		}
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestWritersReportErrors(t *testing.T) {
	t.Parallel()
	d := compas()
	for name, err := range map[string]error{
		"summary":       report.WriteSummary(broken{}, d, 80, false),
		"Markdown":      report.WriteMarkdown(broken{}, d),
		"HTML":          report.WriteHTML(broken{}, d),
		"JSON":          report.WriteJSON(broken{}, d),
		"contract text": report.WriteContractText(broken{}, *d.Contract, 80, false),
		"contract":      report.WriteContractMarkdown(broken{}, *d.Contract),
		"JUnit":         report.WriteContractJUnit(broken{}, *d.Contract),
	} {
		if !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("%s: error %v, want the writer's", name, err)
		}
	}
}
