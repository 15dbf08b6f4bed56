package web

import (
	"errors"
	"fmt"
	"html/template"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/chart"
	"github.com/tallystick/tallystick/internal/figure"
	"github.com/tallystick/tallystick/internal/wording"
)

// functions are what templates may call beside the methods of their data.
func functions(a assets) template.FuncMap {
	return template.FuncMap{
		"asset":    a.path,
		"capital":  wording.Capital,
		"count":    count,
		"day":      plainDay,
		"dayOf":    dayOf,
		"isDigest": func(s string) bool { return tallystick.Digest(s).Validate() == nil },
		"short":    func(s string) string { return tallystick.Digest(s).Short() },
		"join":     strings.Join,
		"machine":  machineTime,
		"moment":   readableTime,
		"spans":    wording.Spans,
		"outcome":  outcome,
		"plain":    plain,
		"plural":   plural,
		"readable": func(name any) string { return readable(fmt.Sprint(name)) },
		"shape":    shape,
		"share":    figure.Percent,
		"sign":     sign,
		"size":     byteCount,
		"tier":     tier,
		"timeOf":   timeOf,

		"typeOptions": typeOptions,
	}
}

// shape is the sign that goes with a verdict, an outcome or a state, so that none is told by colour
// alone.
func shape(word string) string {
	switch word {
	case "pass", "success", "present", "resolved", "verified", "sealed", "active", "registered", "approve", "approved", "promoted", "in force", "decided", "promote", "done":
		return "✓"
	case "warn", "stale", "medium", "low", "draft", "deprecated", "expired", "disputed", "overdue", "pending", "ticket", "lapsed":
		return "▲"
	case "fail", "denied", "failed", "missing", "critical", "high", "withdrawn", "other digest", "reject", "rejected", "error", "firing", "page", "rollback", "refused":
		return "✕"
	case "waived":
		return "◇"
	case "inconclusive", "insufficient", "recorded", "open", "requested", "second", "hold", "proposed", "begun":
		return "○"
	}
	return "–"
}

// count writes a number of things.
func count(n any) string {
	switch n := n.(type) {
	case int:
		return chart.Count(int64(n))
	case int64:
		return chart.Count(n)
	case *uint64:
		return count(*n)
	case uint64:
		return chart.Count(int64(min(n, 1<<62)))
	}
	return fmt.Sprint(n)
}

// plural writes a number of things with their noun, of which the plural ends in s.
func plural(n any, noun string) string {
	number := count(n)
	if number == "1" {
		return "1 " + noun
	}
	return number + " " + strings.TrimSuffix(noun, "y") + map[bool]string{true: "ies", false: "s"}[strings.HasSuffix(noun, "y")]
}

func byteCount(n int64) string {
	units := []string{"bytes", "kB", "MB", "GB", "TB"}
	v, u := float64(n), 0
	for v >= 1000 && u < len(units)-1 {
		v, u = v/1000, u+1
	}
	if u == 0 {
		return plural(n, "byte")
	}
	return fmt.Sprintf("%.3g %s", v, units[u])
}

// words returns what an error says to a reader of a page, as sentences: what went wrong, without the
// operations that it went wrong in.
func words(err error) (message, hint string) {
	var e *tallystick.Error
	if !errors.As(err, &e) {
		return sentence(err.Error()), ""
	}
	return sentence(e.Message), sentence(e.Hint)
}

// sentence is a whole one.
func sentence(s string) string { return wording.Capital(wording.Sentence(s)) }
