package policy

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"

	"github.com/tallystick/tallystick"
)

// Format is a way to write a decision.
type Format string

// The formats.
const (
	Text     Format = "text"     // for a terminal
	JSON     Format = "json"     // the Decision itself
	SARIF    Format = "sarif"    // SARIF 2.1.0, for code scanning
	JUnit    Format = "junit"    // JUnit XML, for CI servers
	Markdown Format = "markdown" // for pull requests
	GitHub   Format = "github"   // workflow commands that annotate a run
)

var formats = []Format{Text, JSON, SARIF, JUnit, Markdown, GitHub}

// ParseFormat returns s as a Format, or an Invalid error that names them all.
func ParseFormat(s string) (Format, error) {
	if slices.Contains(formats, Format(s)) {
		return Format(s), nil
	}
	return "", tallystick.Errorf(tallystick.Invalid, "format %q is not text, json, sarif, junit, markdown or github", s)
}

// RenderOptions says what a rendering needs besides the decision.
type RenderOptions struct {
	Model   string // name of the audited model
	Version string // of the model
	File    string // the audited file, as results in SARIF name it; may be empty
	Tool    string // version of Tallystick
	Width   int    // of Text, in columns; 0 is 100
	Colour  bool   // Text with ANSI colours
}

// Render writes decision in format. Rules that deny come first in the formats that people read.
func Render(w io.Writer, format Format, decision Decision, options RenderOptions) error {
	var err error
	switch format {
	case Text:
		err = writeText(w, decision, options)
	case JSON:
		err = writeJSON(w, decision)
	case SARIF:
		err = writeJSON(w, sarifLog(decision, options))
	case JUnit:
		err = writeJUnit(w, decision, options)
	case Markdown:
		err = writeMarkdown(w, decision, options)
	case GitHub:
		err = writeGitHub(w, decision)
	default:
		return tallystick.Errorf(tallystick.Invalid, "format %q is not known", string(format))
	}
	if err != nil {
		return fmt.Errorf("write decision as %s: %w", format, err)
	}
	return nil
}

func writeJSON(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}

// byUrgency returns the rules with those that deny first, then others that did not pass, then the
// passes, and what does not apply last.
func byUrgency(rules []Rule) []Rule {
	sorted := slices.Clone(rules)
	slices.SortStableFunc(sorted, func(a, b Rule) int { return urgency(a) - urgency(b) })
	return sorted
}

func urgency(r Rule) int {
	switch {
	case r.Denies():
		return 0
	case r.Status == Waived:
		return 2
	case r.Status == Pass:
		return 3
	case r.Status == Skip:
		return 4
	}
	return 1
}

// tally counts the rules by status, in words: "2 fail, 11 pass, 1 skip".
func tally(rules []Rule) string {
	var parts []string
	for _, status := range []Status{Error, Fail, Insufficient, Inconclusive, Warn, Waived, Pass, Skip} {
		n := 0
		for _, rule := range rules {
			if rule.Status == status {
				n++
			}
		}
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, status))
		}
	}
	return strings.Join(parts, ", ")
}

// printable replaces what could steer a terminal or break a line: messages carry names and values
// from audited files.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\r' || r == '\t':
			return ' '
		case !unicode.IsPrint(r):
			return unicode.ReplacementChar
		}
		return r
	}, text)
}

func headline(d Decision) string {
	answer := "denies"
	if d.Verdict == tallystick.Pass {
		answer = "passes"
	}
	return fmt.Sprintf("The gate %s (tier %s, policy %s)", answer, d.Tier, d.Pack)
}
