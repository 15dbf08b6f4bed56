package incident

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/monitor"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// windows returns hourly windows of verdicts, the newest first, as the first letters of p(ass), w(arn), f(ail), i(nsufficient).
func windows(verdicts string) (all []monitor.JudgedWindow) {
	of := map[rune]tallystick.Verdict{'p': tallystick.Pass, 'w': tallystick.Warn, 'f': tallystick.Fail, 'i': tallystick.Insufficient}
	for n, v := range verdicts {
		from := noon.Add(-time.Duration(n) * time.Hour)
		all = append(all, monitor.JudgedWindow{Monitor: "watch", From: from, To: from.Add(time.Hour), Verdict: of[v]})
	}
	return all
}

// The first bad window is the earliest failing one of the streak that leads up to now; what nobody could judge breaks none.
func TestStreak(t *testing.T) {
	t.Parallel()
	for verdicts, want := range map[string][2]int{ // hours before noon of the first bad and the last good window; -1: none
		"": {-1, -1}, "p": {-1, -1}, "pf": {-1, -1}, "f": {0, -1}, "fp": {0, 1}, "ffwf": {1, 2}, "ififp": {3, 4}, "fiip": {0, 3}, "iip": {-1, -1}, "ii": {-1, -1}, "if": {1, -1},
	} {
		first, good := streak(windows(verdicts))
		for n, got := range []*BadWindow{first, good} {
			switch {
			case want[n] < 0 && got != nil, want[n] >= 0 && got == nil:
				t.Errorf("%q: window %d is %+v, want %d", verdicts, n, got, want[n])
			case got != nil && !got.From.Equal(noon.Add(-time.Duration(want[n])*time.Hour)):
				t.Errorf("%q: window %d begins %s, want %d hours before noon", verdicts, n, got.From, want[n])
			}
		}
	}
}

// Times are absent where an event is missing, or where a clock that was set back would make them negative.
func TestTimes(t *testing.T) {
	t.Parallel()
	i := Incident{FirstTo: noon, Detected: noon.Add(90 * time.Second), Acknowledged: noon.Add(5 * time.Minute), Resolved: noon}
	got := i.Times()
	if got.Detect == nil || *got.Detect != 90 || got.Acknowledge == nil || *got.Acknowledge != 210 || got.Mitigate != nil || got.Resolve != nil {
		t.Errorf("times %+v", got)
	}
	if got := (Incident{Detected: noon}).Times(); got.Detect != nil {
		t.Errorf("detected %v after no window", *got.Detect)
	}
}

func TestSpread(t *testing.T) {
	t.Parallel()
	var hundred []float64
	for n := range 100 {
		hundred = append(hundred, float64(100-n))
	}
	for _, c := range []struct {
		of   []float64
		want Spread
	}{
		{nil, Spread{}}, {[]float64{7}, Spread{1, 7, 7, 7}}, {[]float64{4, 1}, Spread{2, 2.5, 4, 4}}, {[]float64{9, 1, 5}, Spread{3, 5, 9, 9}},
		{[]float64{10, 9, 8, 7, 6, 5, 4, 3, 2, 1}, Spread{10, 5.5, 9, 10}}, {hundred, Spread{100, 50.5, 90, 100}},
	} {
		if got := spread(c.of); got != c.want {
			t.Errorf("%v: %+v, want %+v", c.of, got, c.want)
		}
	}
}

// A trace speaks for what the rows show and against what they rule out, and for nothing where there are none.
func TestTraceOfRows(t *testing.T) {
	t.Parallel()
	row := func(check, subject, role string, v tallystick.Verdict) monitor.Row {
		return monitor.Row{Check: check, Subject: subject, Role: role, Verdict: v, Words: check + " of " + subject}
	}
	drift := func(moved, still int) (rows []monitor.Row) {
		for n := range moved + still {
			v := tallystick.Fail
			if n >= moved {
				v = tallystick.Pass
			}
			rows = append(rows, row("drift", string(rune('a'+n)), "feature", v))
		}
		return rows
	}
	for name, c := range map[string]struct {
		rows  []monitor.Row
		first Cause // with most for it; empty: nothing speaks for any
		ruled Cause // spoken against, if not empty
	}{
		"one feature":     {rows: drift(1, 9), first: "feature_bug"},
		"many features":   {rows: drift(6, 4), first: "data_drift"},
		"only the score":  {rows: append(drift(0, 10), row("drift", "score", "score", tallystick.Fail)), first: "model", ruled: "data_drift"},
		"new values":      {rows: []monitor.Row{row("new_values", "job", "feature", tallystick.Fail)}, first: "feature_bug"},
		"slow":            {rows: []monitor.Row{row("latency", "p99", "", tallystick.Fail)}, first: "infrastructure"},
		"worse by labels": {rows: append(drift(0, 10), row("performance", "accuracy", "", tallystick.Fail)), first: "concept_drift", ruled: "data_drift"},
		"nothing":         {},
		"other data":      {rows: []monitor.Row{row("multivariate", "", "", tallystick.Fail)}, first: "data_drift"},
		"kinds of errors": {rows: []monitor.Row{row("error_kinds", "timeout", "", tallystick.Fail)}, first: "infrastructure"},
		"decisions":       {rows: []monitor.Row{row("decisions", "refuse", "", tallystick.Warn)}, first: "model"},
		"contradicted":    {rows: []monitor.Row{row("estimate", "roc_auc realised", "", tallystick.Warn)}, first: "concept_drift"},
		"estimated":       {rows: []monitor.Row{row("estimate", "roc_auc", "", tallystick.Warn)}, first: "data_drift"},
		"a slow slice":    {rows: []monitor.Row{row("slices", "latency p99", "", tallystick.Fail)}, first: "infrastructure"},
		"as every Sunday": {rows: append(drift(5, 10), row("season", "a", "feature", tallystick.Pass), row("agreement", "", "", tallystick.Warn)), first: "metric_flaw"},
		"harm alone":      {rows: []monitor.Row{row("kpi", "basket", "", tallystick.Fail)}},
	} {
		tr := &tracer{brief: &Brief{}}
		tr.rows(monitor.WindowJudgement{Rows: c.rows}, &BadWindow{})
		tr.end()
		if c.first == "" && (tr.Words != "Nothing on record speaks for a cause. That is no finding that there is none." || len(tr.Clues) > 0) {
			t.Errorf("%s: %q, %+v", name, tr.Words, tr.Clues)
		}
		if c.first != "" && (len(tr.Causes) == 0 || tr.Causes[0].Cause != c.first || tr.Causes[0].For == 0) {
			t.Errorf("%s: causes %+v, want %s first", name, tr.Causes, c.first)
		}
		ruled := false
		for _, clue := range tr.Clues {
			ruled = ruled || clue.Against && clue.Cause == c.ruled
		}
		if c.ruled != "" && !ruled {
			t.Errorf("%s: nothing speaks against %s: %+v", name, c.ruled, tr.Clues)
		}
	}
}

// Who owes most is told soonest; where the tier is not known, it is rather too much.
func TestSeverityOfTier(t *testing.T) {
	t.Parallel()
	for tier, want := range map[tallystick.Tier]catalog.Severity{
		tallystick.TierHigh: catalog.SeverityCritical, tallystick.TierLimited: catalog.SeverityHigh, tallystick.TierLow: catalog.SeverityMedium, "": catalog.SeverityHigh,
	} {
		if got := severityOfTier(tier); got != want {
			t.Errorf("tier %q: %s, want %s", tier, got, want)
		}
	}
}

// Each check of a monitor has a row in the table by which a trace reads, and no row is about a check that there is not.
func TestReadings(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for _, c := range monitor.AllChecks() {
		known[c.Key] = true
		is, has := readings[c.Key]
		if !has {
			t.Errorf("a trace does not know the check %s", c.Key)
		}
		if is.cause != "" && !slices.Contains(Causes(), is.cause) {
			t.Errorf("%s speaks for %s, which is no cause", c.Key, is.cause)
		}
	}
	for check := range readings {
		if !known[check] {
			t.Errorf("there is no check %s", check)
		}
	}
	tr := &tracer{brief: &Brief{}}
	var many []monitor.Row
	for range 25 {
		many = append(many, monitor.Row{Check: "slices", Measure: "psi", Verdict: tallystick.Fail, Words: "x"})
	}
	tr.read(many, &BadWindow{})
	if len(tr.Clues) != maxOfCheck || !slices.ContainsFunc(tr.Missing, func(m string) bool { return strings.HasPrefix(m, "15 more rows of slices") }) {
		t.Errorf("%d clues, %q", len(tr.Clues), tr.Missing)
	}
}

// Every runbook that comes with the program reads, is called as its file, and each kind of check has its own.
func TestSuppliedRunbooks(t *testing.T) {
	t.Parallel()
	all, err := Supplied()
	if err != nil || len(all) != 5 {
		t.Fatalf("%d runbooks, %v", len(all), err)
	}
	best := func(check string) (name string) {
		most := -1
		for _, data := range all {
			r, err := ParseRunbook(data, "runbook")
			if err != nil {
				t.Fatal(err)
			}
			if n := r.fits("credit", tallystick.TierHigh, []string{check}); n > most {
				most, name = n, r.Name
			}
		}
		return name
	}
	for name, data := range all {
		if r, err := ParseRunbook(data, name); err != nil || r.Name != name {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
	for check, want := range map[string]string{"drift": "drift", "telemetry": "telemetry-gap", "latency": "service", "fairness": "fairness", "": "general"} {
		if got := best(check); got != want {
			t.Errorf("%q gets the runbook %s, want %s", check, got, want)
		}
	}
}

func TestParseAnswers(t *testing.T) {
	t.Parallel()
	if _, err := ParseAnswers(Blank()); err == nil || !strings.Contains(err.Error(), "harm has no answer") {
		t.Errorf("a blank file: %v", err)
	}
	var file strings.Builder
	for _, q := range Questions() {
		file.WriteString("## " + q.Key + "\r\n" + q.Text + "\r\nAnswer to " + q.Key + ".\r\n\r\nMore.\r\n")
	}
	got, err := ParseAnswers(file.String())
	if err != nil || got["why"] != "Answer to why.\n\nMore." || len(got) != len(Questions()) {
		t.Errorf("%q, %v", got, err)
	}
}
