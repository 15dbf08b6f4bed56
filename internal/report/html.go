package report

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/chart"
	"github.com/tallystick/tallystick/internal/figure"
	"github.com/tallystick/tallystick/internal/policy"
	"github.com/tallystick/tallystick/internal/stat"
	"github.com/tallystick/tallystick/internal/wording"
)

//go:embed templates/*.html templates/report.css
var templates embed.FS

// WriteHTML writes the report as one file that needs nothing else: the style sheet is inside,
// charts are inline SVG, and its Content-Security-Policy allows that one style sheet and nothing
// more, neither scripts nor requests. It reads on light and dark screens and prints on A4.
func WriteHTML(w io.Writer, d *Document) error {
	page := newPage(d)
	style, err := templates.ReadFile("templates/report.css")
	if err != nil {
		return fmt.Errorf("write report as HTML: %w", err)
	}
	// The hash is of the text between the tags, line breaks included.
	page.Style = "\n" + chart.Stylesheet() + template.CSS(style) //nolint:gosec // a file of this package
	sum := sha256.Sum256([]byte(page.Style))
	page.Policy = "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'"
	t, err := template.New("report.html").Funcs(functions()).ParseFS(templates, "templates/*.html")
	if err != nil {
		return fmt.Errorf("write report as HTML: %w", err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, page); err != nil {
		return fmt.Errorf("write report as HTML: %w", err)
	}
	// Escaping keeps names from becoming markup; this keeps them from reordering the text around.
	if _, err := w.Write(bytes.Map(wording.Visible, b.Bytes())); err != nil {
		return fmt.Errorf("write report as HTML: %w", err)
	}
	return nil
}

// functions are what templates may call beside the methods of their data.
func functions() template.FuncMap {
	return template.FuncMap{
		"count":      count,
		"bytes":      byteCount,
		"moment":     moment,
		"shape":      shape,
		"word":       verdictWords,
		"judged":     judged,
		"ruled":      func(s policy.Status) tallystick.Verdict { return ruleVerdict(s) },
		"share":      figure.Share,
		"percent":    shareOnly,
		"points":     figure.Points,
		"estimate":   figure.Estimate,
		"difference": figure.Difference,
		"pvalue":     pValue,
		"num":        func(v stat.Number) string { return figure.Plain(float64(v)) },
		"optional":   optional,
		"number":     figure.Plain,
		"metric":     fairnessTitle,
		"title":      metricTitle,
		"capital":    wording.Capital,
		"words":      unbroken,
		"spans":      wording.Spans,
		"more":       func(n, shown int) string { return count(int64(n - shown)) },
		"sentence":   wording.Sentence,
		"join":       func(items []string) string { return strings.Join(items, ", ") },
		"window":     windowName,
		"change":     changeWords,
		"plural":     func(n int, noun string) string { return plural(n, noun) },
		"times100":   func(v float64) string { return figure.Plain(100 * v) },
		"slice":      func(metric string, e stat.Estimate) figure.Figure { return figure.Estimate(sliceMetric(metric), e) },
		"slicediff":  func(metric string, e stat.Estimate) figure.Figure { return figure.Difference(sliceMetric(metric), e) },
	}
}

// sliceMetric returns the name by which the figures of a slice are written: an error rate is a
// share of rows as accuracy is, any other metric a quantity.
func sliceMetric(metric string) string {
	if metric == "error rate" {
		return "accuracy"
	}
	return metric
}

// unbroken keeps a number and its percent sign on one line.
func unbroken(s string) string { return strings.ReplaceAll(s, " %", "\u00a0%") }
