package health

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tallystick/tallystick"
)

func part(name string, weight int, critical bool) Part {
	return Part{Name: name, Weight: weight, Critical: critical}
}

// What is unknown earns nothing, and a critical part that fails caps the rest.
func TestSettle(t *testing.T) {
	t.Parallel()
	good := func(p Part) Part { return p.known(1, tallystick.Pass, "well") }
	score := func(n int) *int { return &n }
	for _, test := range []struct {
		name  string
		parts []Part
		score *int
		known int
		cap   string
		words string
	}{
		{"all is well", []Part{good(part("a", 60, true)), good(part("b", 40, false))}, score(100), 100, "", "100 of 100."},
		{"nothing is known", []Part{part("a", 60, true).unknown("none"), part("b", 40, false).unknown("none")}, nil, 0, "", "Unknown"},
		{"half is unknown", []Part{good(part("a", 60, true)), part("b", 40, false).unknown("none")}, score(60), 60, "", "Unknown, which earns nothing: b (40 of 100)."},
		{"a critical part fails", []Part{part("a", 20, true).known(0, tallystick.Fail, "bad"), good(part("b", 80, false))}, score(40), 100, "a", "It would be 80, but while a fail it is at most 40."},
		{"another part fails", []Part{part("a", 20, false).known(0, tallystick.Fail, "bad"), good(part("b", 80, true))}, score(80), 100, "", "Failing: a."},
		{"a cap above what there is", []Part{part("a", 80, true).known(0.1, tallystick.Fail, "bad"), good(part("b", 20, true))}, score(28), 100, "a", "28 of 100."},
	} {
		h := Health{Parts: test.parts}
		h.settle()
		if (h.Score == nil) != (test.score == nil) || h.Score != nil && *h.Score != *test.score || h.Known != test.known || h.CappedBy != test.cap || !strings.Contains(h.Words, test.words) {
			t.Errorf("%s: %+v", test.name, h)
		}
	}
}

func TestTallied(t *testing.T) {
	t.Parallel()
	var all tallied
	for _, v := range []tallystick.Verdict{tallystick.Insufficient, tallystick.Inconclusive} {
		all.add("quiet", v)
	}
	if p := all.of(part("x", 10, true), "monitors"); p.Value != nil || p.Verdict != tallystick.Insufficient {
		t.Errorf("of two that say nothing: %+v", p)
	}
	all.add("good", tallystick.Pass)
	all.add("so-so", tallystick.Warn)
	if p := all.of(part("x", 10, true), "monitors"); p.Verdict != tallystick.Warn || *p.Value != 1.5/4 {
		t.Errorf("a pass, a warning and two unknown: %+v", p)
	}
	all.add("bad", tallystick.Fail)
	if p := all.of(part("x", 10, true), "monitors"); p.Verdict != tallystick.Fail || !strings.Contains(p.Reason, "such as bad") {
		t.Errorf("with one that fails: %+v", p)
	}
}

// Every metric that dashboards and rules name is one that a server exports.
func TestDashboardsNameWhatIsExported(t *testing.T) {
	t.Parallel()
	exported := map[string]bool{"tallystick_http_request_duration_seconds_bucket": true} // of internal/server
	descriptions := make(chan *prometheus.Desc, 100)
	NewCollector(nil, nil).Describe(descriptions)
	close(descriptions)
	named := regexp.MustCompile(`fqName: "([a-z_]+)"`)
	for d := range descriptions {
		exported[named.FindStringSubmatch(d.String())[1]] = true
	}
	files, err := filepath.Glob("../../deploy/*/*")
	if err != nil || len(files) < 5 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	seen := map[string]bool{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range regexp.MustCompile(`\btallystick_[a-z_]+`).FindAllString(string(data), -1) {
			if seen[name] = true; !exported[name] {
				t.Errorf("%s names %s, which nothing exports", file, name)
			}
		}
	}
	for name := range exported {
		if !seen[name] {
			t.Errorf("%s is on no dashboard", name)
		}
	}
}
