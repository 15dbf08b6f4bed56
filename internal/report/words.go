package report

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/performance"
	"github.com/tallystick/tallystick/internal/wording"
)

// plural writes n and the noun, with an s unless n is 1.
func plural[N int | int64](n N, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return count(int64(n)) + " " + noun + "s"
}

// are returns the verb that goes with n things.
func are(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

var digitRuns = regexp.MustCompile(`\d+`)

// windowName writes the label of a window, with grouped thousands in a range of rows.
func windowName(w Window) string {
	rest, isRows := strings.CutPrefix(w.Label, "rows ")
	if !isRows {
		return w.Label
	}
	return "rows " + digitRuns.ReplaceAllStringFunc(rest, func(digits string) string {
		n, err := strconv.ParseInt(digits, 10, 64)
		if err != nil {
			return digits
		}
		return count(n)
	})
}

// metricTitle returns the name of a metric as people say it.
func metricTitle(p *performance.Performance, metric string) string {
	if m, ok := p.Metric(metric); ok {
		return m.Title
	}
	return strings.ReplaceAll(metric, "_", " ")
}

// inSentence writes the title of a metric as it stands inside a sentence: lower case, but for
// abbreviations and people's names.
func inSentence(title string) string {
	for _, name := range []string{"Brier", "Matthews", "Cohen"} {
		if strings.HasPrefix(title, name) {
			return title
		}
	}
	first, size := utf8.DecodeRuneInString(title)
	if second, _ := utf8.DecodeRuneInString(title[size:]); unicode.IsLower(second) {
		return string(unicode.ToLower(first)) + title[size:]
	}
	return title
}

// fairnessTitles names the rates in which groups are compared.
var fairnessTitles = map[string]string{
	"demographic_parity": "Selection rate", "four_fifths": "Favourable rate (four-fifths screen)",
	"equal_opportunity": "True positive rate", "false_positive_rate": "False positive rate",
	"false_negative_rate": "False negative rate", "predictive_parity": "Precision (PPV)",
	"false_omission_rate": "False omission rate", "accuracy": "Accuracy",
}

func fairnessTitle(metric string) string {
	if title, ok := fairnessTitles[metric]; ok {
		return title
	}
	return strings.ReplaceAll(metric, "_", " ")
}

// oneLine makes text from data safe for a terminal and for a line of Markdown: white space
// becomes single spaces, and control and bidirectional formatting characters become U+FFFD, so
// that a column name can neither steer a terminal nor reorder a sentence.
func oneLine(s string) string {
	return strings.Join(strings.Fields(strings.Map(wording.Visible, s)), " ")
}

// verdictWords says a verdict as a word of its own.
func verdictWords(v tallystick.Verdict) string {
	if v == "" {
		return "not judged"
	}
	return string(v)
}

func list(items []string, most int) string {
	if len(items) <= most {
		return strings.Join(items, ", ")
	}
	return strings.Join(items[:most], ", ") + fmt.Sprintf(" and %d more", len(items)-most)
}
