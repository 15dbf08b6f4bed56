package report_test

import (
	"crypto/sha256"
	"encoding/base64"
	"html"
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/report"
)

func page(t testing.TB, d *report.Document) string {
	t.Helper()
	var b strings.Builder
	if err := report.WriteHTML(&b, d); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// readable is the page as a reader would copy it.
func readable(t testing.TB, d *report.Document) string {
	t.Helper()
	return strings.ReplaceAll(html.UnescapeString(page(t, d)), "\u00a0", " ")
}

// TestHTMLTellsEverything checks that each part of a document is on the page, with the figures as
// people read them.
func TestHTMLTellsEverything(t *testing.T) {
	t.Parallel()
	got := readable(t, compas())
	for _, part := range []string{
		"compas-recidivism 2016.05", "Pretrial Services", "criteria.committed", "tallystick criteria commit FILE", "eu-ai-act-art-10",
		"65.4 %", "[64.3, 66.5]", "0.702", "[0.690, 0.714]", "Reliability table of 10 bins", "0.098",
		"805 of 1795", "44.8 %", "[42.6, 47.2]", "race & sex", "Native American", "42.1 %", "priors_count alone ranks",
		"days_b_screening_arrest", "row 4513: 96", "The labels are arrests", "tallystick verify evidence.tally", "opa 1.22.0", "bootstrap-200",
		"every column without another role", compas().Data.Digest.Hex(),
	} {
		if !strings.Contains(got, part) {
			t.Errorf("no %q", part)
		}
	}
	got = readable(t, stream(50, 30, 60))
	for _, part := range []string{"RELP = 17 rises from 5.0 % to 69.7 %", "ROC AUC by window", "Drift by column and window", "Rows 150,001-155,000", "All of 50 windows", "All of 31 columns",
		"36 other groups are in the table below", "joined by id", "66,000 rows"} {
		if !strings.Contains(got, part) {
			t.Errorf("no %q", part)
		}
	}
}

// TestHTMLStandsAlone checks that the file needs nothing else and that its policy allows exactly
// its own style sheet.
func TestHTMLStandsAlone(t *testing.T) {
	t.Parallel()
	for name, d := range map[string]*report.Document{"compas": compas(), "hostile": hostile(), "empty": {}} {
		got := page(t, d)
		style := regexp.MustCompile(`(?s)<style>(.*?)</style>`).FindStringSubmatch(got)
		if style == nil {
			t.Fatalf("%s: no style sheet", name)
		}
		sum := sha256.Sum256([]byte(style[1]))
		policy := regexp.MustCompile(`Content-Security-Policy" content="([^"]*)"`).FindStringSubmatch(got)
		if policy == nil || !strings.Contains(html.UnescapeString(policy[1]), "style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'") {
			t.Errorf("%s: the policy does not allow the style sheet: %q", name, policy)
		}
		for _, m := range regexp.MustCompile(`<([a-zA-Z][a-zA-Z0-9]*)((?:[^>"]|"[^"]*")*)>`).FindAllStringSubmatch(got, -1) {
			switch m[1] {
			case "script", "link", "iframe", "img", "object", "embed", "form", "base", "audio", "video", "foreignObject", "image", "use":
				t.Errorf("%s: element %s", name, m[0])
			}
			for _, a := range regexp.MustCompile(`([a-zA-Z:-]+)="([^"]*)"`).FindAllStringSubmatch(m[2], -1) {
				switch attribute := strings.ToLower(a[1]); {
				case attribute == "style", attribute == "src", strings.HasPrefix(attribute, "on"), attribute == "href" && !strings.HasPrefix(a[2], "#"):
					t.Errorf("%s: attribute %s in %s", name, a[0], m[0])
				}
			}
		}
		ids := map[string]bool{}
		for _, m := range regexp.MustCompile(` id="([^"]*)"`).FindAllStringSubmatch(got, -1) {
			if ids[m[1]] && name != "hostile" { // whose rules all have one id
				t.Errorf("%s: id %q is there twice", name, m[1])
			}
			ids[m[1]] = true
		}
		for _, m := range regexp.MustCompile(`href="#([^"]*)"`).FindAllStringSubmatch(got, -1) {
			if !ids[m[1]] && name != "hostile" {
				t.Errorf("%s: nothing has the id %q", name, m[1])
			}
		}
	}
}

func TestHTMLIsInert(t *testing.T) {
	t.Parallel()
	got := page(t, hostile())
	for _, bad := range []string{"<script", "\x1b", "\u202e", "\a", `onmouseover=alert(2) |"`} {
		if strings.Contains(got, bad) {
			t.Errorf("%q is in the page", bad)
		}
	}
	if !strings.Contains(got, "&lt;script&gt;alert(1)") {
		t.Error("the hostile name is not shown at all")
	}
}

// TestLargeReportIsBounded keeps a report with many windows, columns and groups at a size that a
// browser opens at once.
func TestLargeReportIsBounded(t *testing.T) {
	t.Parallel()
	if n := len(page(t, stream(50, 30, 60))); n > 1<<20 {
		t.Errorf("50 windows of 30 columns and 60 groups take %d bytes", n)
	}
	if n := len(page(t, stream(2000, 3, 0))); n > 4<<20 {
		t.Errorf("2,000 windows take %d bytes", n)
	}
}

func BenchmarkWriteHTML(b *testing.B) {
	d := stream(50, 30, 60)
	for b.Loop() {
		if err := report.WriteHTML(io.Discard, d); err != nil {
			b.Fatal(err)
		}
	}
}
