package report_test

import (
	"strings"
	"testing"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/drift"
	"github.com/tallystick/tallystick/internal/performance"
	"github.com/tallystick/tallystick/internal/policy"
	"github.com/tallystick/tallystick/internal/quality"
	"github.com/tallystick/tallystick/internal/report"
)

func TestHeadline(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		document *report.Document
		want     string
	}{
		"error rates of groups": {compas(), "False positive rate: 44.8 % for race African-American, 23.5 % for Caucasian, 21.4 points more (95 % interval 18.2 to 24.5). In all, 3 of 9 comparisons fail."},
		"a window":              {stream(47, 16, 0), "ROC AUC falls to 0.80 in rows 150,001-155,000 (0.96 in the reference); RELP = 17 rises from 5.0 % to 69.7 % there. 1 other window of 47 is below the baseline too."},
		"all is well":           {quiet(), "Nothing stands out in 7,214 rows; the gate passes."},
		"nothing at all":        {&report.Document{}, "There is no gate verdict."},
	} {
		if got := report.Summarise(test.document).Headline; got != test.want {
			t.Errorf("%s: headline\n%q, want\n%q", name, got, test.want)
		}
	}
}

// TestFindingsAreOrdered holds the summary to its order: what stops the gate, by severity, then
// fails, warnings, what is open, and what is only told.
func TestFindingsAreOrdered(t *testing.T) {
	t.Parallel()
	rank := map[tallystick.Verdict]int{tallystick.Fail: 1, tallystick.Warn: 2, tallystick.Inconclusive: 3, tallystick.Insufficient: 3, tallystick.Pass: 4, "": 4}
	for name, d := range map[string]*report.Document{"compas": compas(), "stream": stream(40, 8, 50), "quiet": quiet()} {
		last, rules := 0, 0
		for _, f := range report.Summarise(d).Findings {
			now := rank[f.Verdict]
			if f.Rule != "" {
				now = 0
				rules++
			}
			if now < last {
				t.Errorf("%s: %s %q comes after something less urgent", name, f.Verdict, f.Words)
			}
			last = now
			if f.Words == "" || f.Area == "" {
				t.Errorf("%s: a finding without words or area: %+v", name, f)
			}
		}
		stopped := 0
		for _, r := range d.Gate.Rules {
			if r.Blocking && r.Status != policy.Pass && r.Status != policy.Warn && r.Status != policy.Waived {
				stopped++
			}
		}
		if rules != stopped {
			t.Errorf("%s: %d findings stop the gate, and %d rules do", name, rules, stopped)
		}
	}
}

// TestGateRuleIsToldOnce checks that a rule about known facts marks their finding, and that a rule
// about anything else is a finding of its own.
func TestGateRuleIsToldOnce(t *testing.T) {
	t.Parallel()
	d := compas()
	d.Gate.Rules = append(d.Gate.Rules, policy.Rule{ID: "evidence.labels", Title: "Labels", Severity: "critical", Blocking: true, Status: policy.Error, Message: "The rule had no result"})
	s := report.Summarise(d)
	if s.Findings[0].Rule != "evidence.labels" || s.Findings[0].Verdict != tallystick.Fail || s.Findings[0].Words != "The rule had no result." {
		t.Errorf("the critical rule is not first: %+v", s.Findings[0])
	}
	told := 0
	for _, f := range s.Findings {
		if f.Rule == "fairness.error-rates" {
			told++
			if !strings.Contains(f.Words, "African-American (805 of 1795)") {
				t.Errorf("the rule's finding does not name the groups: %q", f.Words)
			}
		}
		if strings.Contains(f.Words, "2 of 6 comparisons of error rates fail") {
			t.Errorf("told twice: %q", f.Words)
		}
	}
	if told != 1 {
		t.Errorf("fairness.error-rates is told %d times", told)
	}
}

func TestFindingWords(t *testing.T) {
	t.Parallel()
	calm := stream(3, 4, 0)
	calm.Gate.Rules = nil
	open := stream(3, 4, 0)
	open.Gate.Rules, open.Windows[2].Verdict = nil, tallystick.Inconclusive
	drifted := stream(3, 4, 0)
	drifted.Gate.Rules = nil
	drifted.Windows[1].Drift = comparedAll([]string{"RELP"}, 5000, 0.01, map[string]float64{"RELP": 0.5})
	drifted.Drift = comparedAll([]string{"RELP", "AGEP"}, 5000, 0.01, map[string]float64{"RELP": 1.32, "AGEP": 0.2})
	insufficient := quiet()
	insufficient.Drift = &drift.Drift{Verdict: tallystick.Insufficient, Features: []drift.Feature{{Name: "age", Kind: "number", Role: "feature", PSI: 0.1, Verdict: tallystick.Insufficient, Words: "age: too few rows to judge (12 against 30)"}}}
	leaking := quiet()
	leaking.Leakage = []quality.Leak{{Column: "outcome_date", Verdict: tallystick.Fail, Words: "outcome_date tells the label with a ROC AUC of 1.00"}}
	champion := quiet()
	champion.Baseline = &report.Baseline{Source: "champion", Name: "compas 2015.01", Metrics: []performance.Comparison{
		{Metric: "accuracy", Verdict: tallystick.Pass, Words: "same"}, {Metric: "roc_auc", Verdict: tallystick.Fail, Words: "ROC AUC is 0.7 and 0.8 in the champion"}}}
	skipped := quiet()
	skipped.Calibration = &performance.Calibration{Skipped: "the score is no probability"}
	for name, test := range map[string]struct {
		document *report.Document
		area     string
		want     string
	}{
		"drift":              {drifted, "drift", "2 of 3 columns drift against the reference: RELP (PSI 1.32), AGEP (PSI 0.20). Most of all, RELP = 17 rises from 5.0 % to 69.7 %."},
		"window drift":       {drifted, "windows", "1 of 3 windows drift against the reference, most of all rows 5,001-10,000 in RELP (PSI 0.50): RELP = 17 rises from 5.0 % to 29.5 %."},
		"no drift":           {calm, "drift", "Over the whole file nothing drifts against the reference: of 5 columns the largest PSI is 0.0056 (predicted_probability)."},
		"insufficient drift": {insufficient, "drift", "age: too few rows to judge (12 against 30)."},
		"leakage":            {leaking, "leakage", "outcome_date tells the label with a ROC AUC of 1.00."},
		"champion":           {champion, "performance", "ROC AUC is 0.7 and 0.8 in the champion."},
		"calibration":        {skipped, "calibration", "No calibration: the score is no probability."},
		"slices":             {compas(), "slices", "Of 611 rows with age in (18, 23] and c_charge_degree F, 42.1 % are predicted wrongly, and 33.9 % of all others."},
		"contract":           {compas(), "data", "1 of 3 expectations of the contract pretrial is not kept. 1 row has an age beyond 90."},
		"performance":        {quiet(), "performance", "Over 7,214 labelled rows: accuracy 65.4 % [64.3, 66.5], ROC AUC 0.702 [0.690, 0.714]."},
		"quiet windows":      {calm, "windows", "3 windows: none is below its baseline, none drifts."},
		"one window open":    {open, "windows", "3 windows: none is known to be below its baseline, none drifts; in 1 of them a part is not settled."},
	} {
		var words []string
		for _, f := range report.Summarise(test.document).Findings {
			if f.Area == test.area {
				words = append(words, f.Words)
			}
		}
		if len(words) == 0 || words[0] != test.want {
			t.Errorf("%s: got\n%q, want\n%q", name, words, test.want)
		}
	}
}
