package expectation

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
)

const head = "apiVersion: tallystick/v1\nkind: MonitorTest\nmonitors: [m.yaml]\n"

// input is a file with one input, in its line 7.
func input(text string) string {
	return head + "tests:\n  - name: a\n    windows:\n      - {at: 2026-03-02, input: " + text + ", expect: {verdict: pass}}\n"
}

// TestParse refuses what cannot be a test, and says where.
func TestParse(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"kind: MonitorTest\n":                            "x.yaml:1: the file does not say that it has tests of monitors",
		"apiVersion: tallystick/v1\nkind: MonitorTest\n": "x.yaml:1: the file names no monitor",
		head:                             "x.yaml:1: the file has no tests",
		head + "tests: []\n":             "x.yaml:4: tests must be a list",
		head + "tests:\n  - {name: a}\n": "x.yaml:5: tests[0] has no windows",
		head + "tests:\n  - {name: a, windows: [{at: 2026-03-02}]}\n":                                   "x.yaml:5: tests[0].windows[0] expects nothing",
		head + "tests:\n  - {name: a, windows: [{expect: {verdict: pass}}]}\n":                          "x.yaml:5: tests[0].windows[0] does not say when it is",
		head + "tests:\n  - {name: a, windows: [{at: 2026-03-02, expect: {}}]}\n":                       "x.yaml:5: tests[0].windows[0].expect expects nothing",
		head + "tests:\n  - {name: a, windows: [{at: 2026-03-02, expect: {rows: [{check: drift}]}}]}\n": "x.yaml:5: tests[0].windows[0].expect.rows[0] expects nothing",
		head + "tests:\n  - {name: a, references: {sha256:12: {rows: [{a: 1}]}}, windows: []}\n":        `x.yaml:5: tests[0].references has "sha256:12", which is no digest`,
		input("{n: 5}"):                                        "x.yaml:7: tests[0].windows[0].input needs columns, rows or a file",
		input("{columns: {a: 1}}"):                             "x.yaml:7: tests[0].windows[0].input does not say how many",
		input("{columns: {a: {normal: [1]}}}"):                 "x.yaml:7: tests[0].windows[0].input.columns.a.normal takes 2 numbers, not 1",
		input("{columns: {a: {uniform: [2, 1]}}}"):             "x.yaml:7: tests[0].windows[0].input.columns.a.uniform: 2 is above 1",
		input("{columns: {a: {normal: [1, 2], choice: [x]}}}"): "x.yaml:7: tests[0].windows[0].input.columns.a.choice: values are drawn in one way",
		input("{columns: {a: {choice: {x: -1}}}}"):             "x.yaml:7: tests[0].windows[0].input.columns.a.choice.x is below 0",
		input("{columns: {a: {values: 1x9999999}}}"):           `x.yaml:7: tests[0].windows[0].input.columns.a.values: "1x9999999" has too many values`,
		input("{columns: {a: {values: 1e+ex3}}}"):              `x.yaml:7: tests[0].windows[0].input.columns.a.values: "1e+ex3" is no part of a series`,
		input("{n: 2000000, columns: {a: 1}}"):                 "x.yaml:7: tests[0].windows[0].input has 2000000 predictions, the limit is 1000000",
		input("{rows: [{a: [1]}]}"):                            "x.yaml:7: tests[0].windows[0].input.rows[0].a must be one value, not a list",
		input("{rows: [{a: 1}], skip: [b]}"):                   "x.yaml:7: tests[0].windows[0].input: map and skip are about a file",
	} {
		_, err := Parse([]byte(text), "x.yaml")
		if err == nil || tallystick.CodeOf(err) != tallystick.Invalid || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q:\n%v, want\n%s", text, err, want)
		}
	}
}

// made1 returns the predictions of an input as text: time and features.
func made1(t *testing.T, text string) (all []string) {
	t.Helper()
	f, err := Parse([]byte(input(text)), "x.yaml")
	if err != nil {
		t.Fatal(err)
	}
	from := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	found, err := f.Tests[0].Windows[0].Input.predictions(t.Context(), ".", from, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range found {
		line := p.Time.Time().Sub(from).String() + " " + p.ID.String()
		for _, feature := range p.Features {
			line += fmt.Sprintf(" %s=%s", feature.Name, feature.Value)
		}
		all = append(all, line)
	}
	return all
}

// TestSeries reads series as promtool does (https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/#series).
func TestSeries(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"{columns: {a: {values: -2+4x3}}}":          "-2 2 6 10",
		"{columns: {a: {values: 1-2x4}}}":           "1 -1 -3 -5 -7",
		"{columns: {a: {values: 1x4}}}":             "1 1 1 1 1",
		"{columns: {a: {values: 1 _x3 2}}}":         "1 none none none 2",
		"{n: 5, columns: {a: {values: [x, true]}}}": "x true x true x",
		"{rows: [{a: 1}, {b: 2}, {a: 3}]}":          "1 none 3",
	} {
		var got []string
		for _, line := range made1(t, text) {
			_, value, found := strings.Cut(line, " a=")
			if !found {
				value = "none"
			}
			got = append(got, value)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s is %v, want %s", text, got, want)
		}
	}
}

// TestDrawn shows that the same input draws the same, ids too, that a column beside changes nothing, and another seed all.
func TestDrawn(t *testing.T) {
	t.Parallel()
	const a = "{n: 50, seed: 7, over: 10m, columns: {a: {normal: [40, 10], missing: 10%}}}"
	first := made1(t, a)
	if again := made1(t, a); strings.Join(first, "\n") != strings.Join(again, "\n") {
		t.Error("the same input draws something else")
	}
	missing := 0
	for i, line := range made1(t, strings.Replace(a, "}}}", "}, z: {choice: {x: 1, y: 3}}}}", 1)) {
		if rest, _, _ := strings.Cut(line, " z="); rest != first[i] {
			t.Fatalf("beside another column %q is %q", first[i], rest)
		}
		if !strings.Contains(line, " a=") {
			missing++
		}
	}
	if missing == 0 || missing > 15 {
		t.Errorf("%d of 50 are missing, a tenth should be", missing)
	}
	if !strings.HasPrefix(first[49], "9m48s ") {
		t.Errorf("the last of 50 over ten minutes: %s", first[49])
	}
	if other := made1(t, strings.Replace(a, "seed: 7", "seed: 8", 1)); other[0] == first[0] {
		t.Error("another seed draws the same")
	}
}
