package state

import (
	"regexp"
	"strings"
	"testing"
)

func TestNumbered(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]string{
		"SELECT 1":                               "SELECT 1",
		"INSERT INTO t VALUES (?, ?)":            "INSERT INTO t VALUES ($1, $2)",
		"SELECT '?' || ? || 'it''s ?' -- ? '\n?": "SELECT '?' || $1 || 'it''s ?' -- ? '\n$2",
		`SELECT "a?" /* ? ' */ - ? / ?`:          `SELECT "a?" /* ? ' */ - $1 / $2`,
		"?":                                      "$1",
		"'":                                      "'",
		"-":                                      "-",
		"/*/?":                                   "/*/?",
		"'' ?":                                   "'' $1",
	} {
		if got := numbered(query); got != want {
			t.Errorf("%q became %q, want %q", query, got, want)
		}
	}
}

// FuzzNumbered puts the placeholders back.
func FuzzNumbered(f *testing.F) {
	for _, seed := range []string{"SELECT ? FROM t WHERE a = '?' AND b = ?", "/* ? */ -- ?\n?", `"?"'?'`} {
		f.Add(seed)
	}
	placeholder := regexp.MustCompile(`\$\d+`)
	f.Fuzz(func(t *testing.T, query string) {
		if strings.Contains(query, "$") {
			return
		}
		if back := placeholder.ReplaceAllString(numbered(query), "?"); !looksAlike(back, query) {
			t.Errorf("%q came back as %q", query, back)
		}
		if !strings.ContainsAny(query, "'\"-/") && strings.Contains(numbered(query), "?") {
			t.Errorf("%q has placeholders left", query)
		}
	})
}

// looksAlike compares without digits, which may have stood behind a placeholder.
func looksAlike(a, b string) bool {
	digits := regexp.MustCompile(`\?\d*`)
	return digits.ReplaceAllString(a, "?") == digits.ReplaceAllString(b, "?")
}
