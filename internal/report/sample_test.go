package report_test

import (
	"fmt"
	"math"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/contract"
	"github.com/tallystick/tallystick/internal/drift"
	"github.com/tallystick/tallystick/internal/fairness"
	"github.com/tallystick/tallystick/internal/performance"
	"github.com/tallystick/tallystick/internal/policy"
	"github.com/tallystick/tallystick/internal/quality"
	"github.com/tallystick/tallystick/internal/report"
	"github.com/tallystick/tallystick/internal/stat"
)

var (
	nan        = math.NaN()
	noInterval = stat.Interval{Low: nan, High: nan}
	generated  = time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)
)

func digest(s string) tallystick.Digest { return tallystick.DigestOf([]byte(s)) }

func estimate(value, low, high float64, n int64, method string) *stat.Estimate {
	return &stat.Estimate{Value: value, Interval: stat.Interval{Low: low, High: high}, N: n, Method: method}
}

// rate is k of n with Wilson's interval.
func rate(k, n int64) (stat.Number, stat.Interval) {
	if n == 0 {
		return stat.Number(nan), noInterval
	}
	return stat.Number(float64(k) / float64(n)), stat.Proportion{K: k, N: n}.Wilson(0.95)
}

func share(k, n int64) *stat.Estimate {
	v, i := rate(k, n)
	return &stat.Estimate{Value: float64(v), Interval: i, N: n, Method: "wilson"}
}

func group(attribute, value string, tn, fp, fn, tp int64) fairness.Group {
	g := fairness.Group{Attribute: attribute, Value: value, N: tn + fp + fn + tp, TP: tp, FP: fp, TN: tn, FN: fn}
	g.BaseRate, g.BaseRateCI = rate(tp+fn, g.N)
	g.SelectionRate, g.SelectionRateCI = rate(tp+fp, g.N)
	g.FavourableRate, g.FavourableRateCI = rate(tn+fn, g.N)
	g.Accuracy, g.AccuracyCI = rate(tp+tn, g.N)
	g.TPR, g.TPRCI = rate(tp, tp+fn)
	g.FPR, g.FPRCI = rate(fp, fp+tn)
	g.FNR, g.FNRCI = rate(fn, tp+fn)
	g.TNR, g.TNRCI = rate(tn, fp+tn)
	g.PPV, g.PPVCI = rate(tp, tp+fp)
	g.NPV, g.NPVCI = rate(tn, tn+fn)
	g.FOR, g.FORCI = rate(fn, tn+fn)
	g.ROCAUC, g.ROCAUCCI = stat.Number(nan), noInterval
	return g
}

// comparison sets k of n against kRef of nRef.
func comparison(attribute, value, reference, metric string, k, n, kRef, nRef int64, v tallystick.Verdict) fairness.Comparison {
	r, _ := rate(k, n)
	rRef, _ := rate(kRef, nRef)
	p, q := stat.Proportion{K: k, N: n}, stat.Proportion{K: kRef, N: nRef}
	d := stat.Newcombe(p, q, 0.95)
	c := fairness.Comparison{
		Attribute: attribute, Value: value, Reference: reference, Metric: metric, Rate: r, RateOfRef: rRef, N: n, NRef: nRef,
		Difference: r - rRef, DiffCI: d, Ratio: r / rRef, RatioCI: stat.Ratio(p, q).Interval,
		P: 0.0001, PAdjusted: 0.0003, Threshold: 0.1, Verdict: v, Method: "newcombe-95; holm over the metric",
	}
	c.Words = fmt.Sprintf("%s: %.1f %% of %s (%d of %d) against %.1f %% of %s (%d of %d), a difference of %.1f points (95 %% interval %.1f to %.1f).",
		metric, 100*float64(r), value, k, n, 100*float64(rRef), reference, kRef, nRef, 100*float64(c.Difference), 100*d.Low, 100*d.High)
	return c
}

// compas is an audit with the published counts of COMPAS: ProPublica (2016), all 7,214 rows.
func compas() *report.Document {
	positives := int64(3251)
	d := &report.Document{
		Schema: report.Schema, Tool: report.Tool{Name: "tallystick", Version: "0.1.0"},
		ID: "0195a3c0-0000-7000-8000-000000000001", Generated: generated,
		Model: report.Model{Name: "compas-recidivism", Version: "2016.05", Owner: "Pretrial Services", Tier: tallystick.TierHigh},
		Data: report.Data{Digest: digest("compas"), Rows: 7214, Files: []report.File{
			{Name: "compas-two-years.csv", Format: "csv", Bytes: 1_204_411, Rows: 7214, Digest: digest("compas")}}},
		Columns: report.Roles{Task: performance.Binary, Label: "two_year_recid", PositiveLabel: "1", Prediction: "score_text",
			Positive: []string{"Medium", "High"}, Favourable: "negative", Score: "decile_score", ScoreMax: 10,
			Groups: []string{"race"}, Features: []string{"age", "priors_count", "c_charge_degree"}},
		Guesses: []string{"--features was not given: every column without another role is a feature"},
		Rows:    7214, Labelled: 7214,
		Performance: &performance.Performance{
			Task: performance.Binary, N: 7214, Positives: &positives,
			Confusion: &stat.Confusion{TP: 2035, FP: 1282, TN: 2681, FN: 1216},
			Accuracy:  share(4716, 7214), Precision: share(2035, 3317), Recall: share(2035, 3251),
			FPR: share(1282, 3963), FNR: share(1216, 3251),
			ROCAUC:           estimate(0.7021662544, 0.6903, 0.7140, 7214, "delong"),
			AveragePrecision: estimate(0.6283740292, 0.6101, 0.6463, 7214, "bootstrap-200"),
			Brier:            estimate(0.2294649293, 0.2247, 0.2342, 7214, "normal"),
			ROC:              []stat.Point{{X: 0, Y: 0}, {X: 0.03, Y: 0.11}, {X: 0.1, Y: 0.29}, {X: 0.21, Y: 0.48}, {X: 0.3235, Y: 0.626}, {X: 0.5, Y: 0.79}, {X: 0.74, Y: 0.93}, {X: 1, Y: 1}},
			PR:               []stat.Point{{X: 0, Y: 0.82}, {X: 0.11, Y: 0.76}, {X: 0.29, Y: 0.71}, {X: 0.48, Y: 0.65}, {X: 0.626, Y: 0.6135}, {X: 0.79, Y: 0.56}, {X: 1, Y: 0.4506}},
			Absent:           []performance.Absence{{Metric: "log_loss", Reason: "the score is 1 where the label is 0"}},
		},
		Calibration: &performance.Calibration{
			N: 7214, ECE: estimate(0.0979207097, 0.0871, 0.1089, 7214, "bootstrap-200"), Slope: estimate(0.62, 0.57, 0.67, 7214, "newton"),
			InTheLarge: estimate(0.0003, -0.0105, 0.0111, 7214, "normal"), Method: "10 bins of equal width",
		},
		Criteria: report.Criteria{Words: "No thresholds were committed before this audit. Even a commitment would not show whether the data was looked at elsewhere before."},
		Limits: []string{"The labels are arrests within two years, not offences: a group that is arrested more for the same conduct looks riskier than it is.",
			"An audit of one file says nothing about data that the model has not seen."},
	}
	deciles := []int64{1440, 941, 747, 769, 681, 641, 592, 512, 508, 383}
	recid := []int64{308, 291, 282, 335, 323, 355, 343, 346, 358, 310}
	for i, n := range deciles {
		score := float64(i+1) / 10
		d.Calibration.Table = append(d.Calibration.Table, performance.Reliability{Low: score - 0.1, High: score, N: n, MeanScore: score, Observed: *share(recid[i], n)})
	}
	groups := []fairness.Group{
		group("all", "all", 2681, 1282, 1216, 2035), group("race", "African-American", 990, 805, 532, 1369), group("race", "Caucasian", 1139, 349, 461, 505),
		group("race", "Hispanic", 318, 87, 129, 103), group("race", "Other", 208, 36, 90, 43), group("race", "Asian", 21, 2, 3, 6), group("race", "Native American", 5, 3, 1, 9),
		group("race & sex", "African-American & Male", 749, 641, 458, 1196), group("race & sex", "African-American & Female", 241, 164, 74, 173),
	}
	fail, inconclusive, insufficient := tallystick.Fail, tallystick.Inconclusive, tallystick.Insufficient
	four := comparison("race", "African-American", "Caucasian", "four_fifths", 1522, 3696, 1600, 2454, tallystick.Warn)
	four.Threshold = 0.8
	four.Words = "Of everybody, 41.2 % of African-American (1,522 of 3,696) and 65.2 % of Caucasian (1,600 of 2,454) were predicted neither Medium nor High, the favourable prediction: a ratio of 0.63 (95 % interval 0.60 to 0.66). The whole interval is beyond the four-fifths screen (0.8)."
	d.Fairness = &fairness.Fairness{
		Favourable: "negative", Limits: fairness.Limits{Gap: 0.1, Ratio: 0.8, Shown: 30, Judged: 100, Alpha: 0.05, Origin: "default"}, Groups: groups, Omitted: 4,
		Comparisons: []fairness.Comparison{
			comparison("race", "African-American", "Caucasian", "demographic_parity", 2174, 3696, 854, 2454, fail), four,
			comparison("race", "African-American", "Caucasian", "equal_opportunity", 1369, 1901, 505, 966, fail),
			comparison("race", "African-American", "Caucasian", "false_positive_rate", 805, 1795, 349, 1488, fail),
			comparison("race", "Hispanic", "Caucasian", "false_positive_rate", 87, 405, 349, 1488, tallystick.Pass),
			comparison("race", "Other", "Caucasian", "false_positive_rate", 36, 244, 349, 1488, inconclusive),
			comparison("race", "Asian", "Caucasian", "false_positive_rate", 2, 23, 349, 1488, insufficient),
			comparison("race", "Native American", "Caucasian", "false_positive_rate", 3, 8, 349, 1488, insufficient),
			comparison("race", "African-American", "Caucasian", "predictive_parity", 1369, 2174, 505, 854, tallystick.Pass),
		},
		Summaries: []fairness.Summary{{Attribute: "race", Reference: "Caucasian", DemographicParityDiff: 0.3788, DemographicParityRatio: 0.3561, FavourableRatio: 0.5208,
			EqualizedOddsDiff: 0.3968, EqualizedOddsRatio: 0.3289, EqualOpportunityDiff: 0.3968, PredictiveParityDiff: 0.0876, GroupsJudged: 4, GroupsTooSmall: 2, Verdict: fail}},
	}
	d.Quality = compasQuality()
	d.Contract = compasContract()
	d.Leakage = []quality.Leak{{Column: "priors_count", Statistic: "roc_auc", Value: *estimate(0.67, 0.66, 0.68, 7214, "delong"), Verdict: tallystick.Pass, Words: "priors_count alone ranks the labels with a ROC AUC of 0.67."}}
	d.Slices = []performance.Slice{{Terms: []performance.Term{{Column: "age", Value: "(18, 23]"}, {Column: "c_charge_degree", Value: "F"}}, N: 611, Metric: "error rate",
		Value: *estimate(0.421, 0.382, 0.460, 611, "wilson"), Rest: *estimate(0.339, 0.328, 0.351, 6603, "wilson"), Difference: *estimate(0.082, 0.042, 0.123, 611, "newcombe"),
		PAdjusted: 0.004, Verdict: tallystick.Warn, Words: "Of 611 rows with age in (18, 23] and c_charge_degree F, 42.1 % are predicted wrongly, and 33.9 % of all others."}}
	d.Gate = policy.Decision{
		Verdict: tallystick.Fail, Words: "not passed: 2 of 6 blocking rules stop it", Pack: "high", Policy: digest("policy"), Input: digest("input"),
		Engine: "opa 1.22.0", Tier: tallystick.TierHigh,
		Rules: []policy.Rule{
			{ID: "evidence.required", Title: "The evidence that the tier needs is there", Severity: "critical", Blocking: true, Status: policy.Pass, Message: "Every required part is there", Controls: []string{"eu-ai-act-art-12"}},
			{ID: "fairness.error-rates", Title: "Error rates of groups differ within the accepted gap", Severity: "high", Blocking: true, Status: policy.Fail,
				Message: "2 of 6 comparisons of error rates fail", Details: []string{d.Fairness.Comparisons[3].Words, d.Fairness.Comparisons[2].Words},
				Evidence: []string{"/fairness/comparisons/3", "/fairness/comparisons/2"}, Controls: []string{"eu-ai-act-art-10", "nist-ai-rmf-measure-2-11"},
				Remediation: "find the cause with tallystick audit --group and train a version whose error rates differ less"},
			{ID: "criteria.committed", Title: "Thresholds were fixed before the first look", Severity: "high", Blocking: true, Status: policy.Skip,
				Message: "No criteria were committed", Remediation: "tallystick criteria commit FILE, before the next data is audited", Controls: []string{"sr-26-2-v"}},
			{ID: "data.quality", Title: "The data can be used", Severity: "medium", Blocking: true, Status: policy.Warn, Message: "1 column has a warning"},
			{ID: "fairness.four-fifths", Title: "Four-fifths screen", Severity: "medium", Status: policy.Warn, Message: "Favourable rates of 1 group are below four fifths"},
			{ID: "drift.reference", Title: "Features have not moved from the reference", Severity: "medium", Blocking: false, Status: policy.Skip, Message: "No reference was given", Remediation: "add --reference FILE"},
		},
	}
	d.Summary = report.Summarise(d)
	return d
}

func compasQuality() *quality.Quality {
	n := stat.Number(nan)
	column := func(name, role, kind string, missing int64) quality.Column {
		s, i := rate(missing, 7214)
		return quality.Column{Name: name, Role: role, Kind: kind, Physical: "text", N: 7214, Missing: missing, MissingShare: s, MissingCI: i,
			DistinctExact: true, TopShare: n, Min: n, P05: n, Median: n, P95: n, Max: n, Mean: n, SD: n,
			MissingShareRef: n, UnseenShare: n, OutOfRangeShare: n, Verdict: tallystick.Pass}
	}
	age := column("age", "feature", "number", 0)
	age.Distinct, age.Min, age.P05, age.Median, age.P95, age.Max, age.Mean, age.SD = 65, 18, 21, 31, 57, 96, 34.8175, 11.8889
	days := column("days_b_screening_arrest", "feature", "number", 307)
	days.Distinct, days.Min, days.P05, days.Median, days.P95, days.Max, days.Mean, days.SD = 423, -414, -18, -1, 39, 1057, 3.3046, 75.8095
	days.Verdict = tallystick.Warn
	days.Issues = []quality.Issue{{Check: "missing-rate", Verdict: tallystick.Warn, Words: "4.3 % of days_b_screening_arrest are missing"}}
	race := column("race", "group", "category", 0)
	race.Distinct, race.TopValue, race.TopShare = 6, "African-American", 0.5123
	return &quality.Quality{Rows: 7214, Columns: []quality.Column{age, days, race}, DuplicateRows: 12, DuplicateScope: "all rows", Verdict: tallystick.Warn}
}

func compasContract() *contract.Result {
	return &contract.Result{Contract: digest("contract"), Name: "pretrial", Verdict: tallystick.Fail, Checks: []contract.Check{
		{ID: "age.range", Column: "age", Title: "age lies in its range", Expected: "18 to 90", Found: "18 to 96", Count: 1, Share: 0.0001, Example: "row 4513: 96", Verdict: tallystick.Fail, Words: "1 row has an age beyond 90"},
		{ID: "age.nulls", Column: "age", Title: "age is not missing", Expected: "no missing values", Found: "0", Share: 0, Verdict: tallystick.Pass, Words: "age is never missing"},
		{ID: "rows", Title: "number of rows", Expected: "1,000 or more", Found: "7,214", Share: stat.Number(nan), Verdict: tallystick.Pass, Words: "7,214 rows"},
	}}
}

// stream is an audit over windows of 5,000 rows, of the kind of the ACS employment data: quiet but
// for one window in which RELP, AGEP and SCHL move and performance falls, and a weaker one.
func stream(windows, features, groups int) *report.Document {
	d := compas()
	d.Fairness, d.Slices, d.Leakage, d.Contract, d.Calibration.Groups = nil, nil, nil, nil, nil
	rows := int64(windows) * 5000
	d.Model = report.Model{Name: "employment", Version: "1.4.0", Owner: "Labour Statistics", Tier: tallystick.TierLimited}
	d.Rows, d.Labelled, d.Data.Rows = rows, rows, rows
	d.Data.Files = []report.File{{Name: "employment_MA_analysis.pq", Format: "parquet", Bytes: 2_911_020, Rows: rows, Digest: digest("acs")}}
	d.Reference = &report.Data{Digest: digest("reference"), Rows: 66_000, Files: []report.File{{Name: "employment_MA_reference.pq", Format: "parquet", Bytes: 1_020_000, Rows: 66_000, Digest: digest("reference")}}}
	d.Labels = &report.Labels{Data: report.Data{Digest: digest("labels"), Rows: rows, Files: []report.File{{Name: "employment_MA_analysis_target.pq", Format: "parquet", Bytes: 310_000, Rows: rows, Digest: digest("labels")}}}, ID: "id", Matched: rows}
	d.Columns = report.Roles{Task: performance.Binary, Label: "employed", PositiveLabel: "1", Prediction: "prediction", Positive: []string{"1"}, Score: "predicted_probability", ID: "id", Features: []string{"RELP", "AGEP", "SCHL"}}
	names := []string{"RELP", "AGEP", "SCHL"}
	for i := len(names); i < features; i++ {
		names = append(names, fmt.Sprintf("FEATURE_%02d", i))
	}
	d.Drift = comparedAll(names, rows, 0.004, nil)
	d.Windowing = &report.Windowing{By: "rows", Rows: 5000, Baseline: "the reference"}
	for i := range windows {
		from := i*5000 + 1
		w := report.Window{Index: i, Label: fmt.Sprintf("rows %d-%d", from, from+4999), From: fmt.Sprint(from), To: fmt.Sprint(from + 5000), Rows: 5000, Labelled: 5000,
			Verdict: tallystick.Pass, PerformanceVerdict: tallystick.Pass, Words: "quiet"}
		auc, moved := 0.958+0.005*math.Sin(float64(i)), map[string]float64{}
		switch i {
		case 30:
			auc, moved = 0.80, map[string]float64{"RELP": 1.32, "AGEP": 0.88, "SCHL": 0.35}
			w.Verdict, w.PerformanceVerdict, w.Words = tallystick.Fail, tallystick.Fail, "ROC AUC falls and three features drift"
		case 33:
			auc, moved = 0.86, map[string]float64{"RELP": 0.6, "AGEP": 0.2}
			w.Verdict, w.PerformanceVerdict, w.Words = tallystick.Fail, tallystick.Fail, "ROC AUC falls and two features drift"
		}
		value := estimate(auc, auc-0.011, auc+0.009, 5000, "delong")
		w.Performance = &performance.Performance{Task: performance.Binary, N: 5000, ROCAUC: value, Accuracy: estimate(auc-0.06, auc-0.071, auc-0.05, 5000, "wilson")}
		base := *estimate(0.9609, 0.9595, 0.9623, 66_000, "delong")
		w.Comparisons = []performance.Comparison{{Metric: "roc_auc", Value: *value, Baseline: base,
			Difference: *estimate(auc-0.9609, auc-0.9609-0.012, auc-0.9609+0.01, 5000, "normal"), Verdict: w.PerformanceVerdict,
			Words: fmt.Sprintf("ROC AUC is %.3g and 0.961 in the reference.", auc)}}
		w.Drift = comparedAll(names, 5000, 0.01+0.006*math.Abs(math.Sin(float64(3*i))), moved)
		d.Windows = append(d.Windows, w)
	}
	if groups > 0 {
		d.Fairness = manyGroups(groups)
	}
	d.Gate = policy.Decision{Verdict: tallystick.Fail, Words: "not passed: 1 of 4 blocking rules stops it", Pack: "limited", Policy: digest("policy"), Input: digest("input"), Engine: "opa 1.22.0", Tier: tallystick.TierLimited,
		Rules: []policy.Rule{
			{ID: "windows.performance", Title: "No window falls below its baseline", Severity: "high", Blocking: true, Status: policy.Fail, Message: "2 windows are below their baseline", Remediation: "look at the windows with tallystick audit --chunk and retrain"},
			{ID: "drift.reference", Title: "Features have not moved from the reference", Severity: "medium", Blocking: false, Status: policy.Warn, Message: "2 windows drift"},
			{ID: "performance.minimum", Title: "Performance reaches its stated minimum", Severity: "high", Blocking: true, Status: policy.Pass, Message: "ROC AUC is above 0.7"},
		}}
	d.Summary = report.Summarise(d)
	return d
}

func comparedAll(names []string, rows int64, quiet float64, moved map[string]float64) *drift.Drift {
	d := &drift.Drift{Reference: 66_000, Rows: rows, Thresholds: drift.Defaults(), Verdict: tallystick.Pass}
	for i, name := range append(names, "predicted_probability") {
		psi, verdict := quiet*(1+0.1*float64(i%7)), tallystick.Pass
		if p, ok := moved[name]; ok {
			psi, verdict = p, tallystick.Fail
			if p < 0.25 {
				verdict = tallystick.Warn
			}
			d.Drifted++
		}
		n := stat.Number(nan)
		f := drift.Feature{Name: name, Role: "feature", Kind: "number", NReference: 66_000, N: rows, KS: stat.Number(psi / 3), Wasserstein: stat.Number(psi), WassersteinSD: stat.Number(psi / 2),
			Chi2: n, LInfinity: n, PSI: stat.Number(psi), PSICritical: 0.004, JS: stat.Number(psi / 4), P: 0.2, PAdjusted: 0.6, MissingRef: 0, Missing: 0, UnseenShare: 0,
			Verdict: verdict, Method: "binned-ks; psi-deciles", Words: name + " has not moved"}
		if name == "predicted_probability" {
			f.Role = "score"
		}
		if verdict != tallystick.Pass {
			f.P, f.PAdjusted, f.Words = 0, 0, fmt.Sprintf("%s drifts: PSI %.2f.", name, psi)
		}
		for b := range 10 {
			f.Bins = append(f.Bins, drift.Bin{Label: fmt.Sprintf("(%d, %d]", 10*b, 10*b+10), Reference: 0.1, Current: 0.1 + 0.05*math.Sin(float64(b+i))*min(1, psi)})
		}
		if name == "RELP" {
			f.Kind = "category"
			current := 0.05 + 0.49*psi
			f.Bins = []drift.Bin{{Label: "0", Reference: 0.39, Current: 0.39 - 0.22*psi}, {Label: "1", Reference: 0.18, Current: 0.18 - 0.1*psi}, {Label: "2", Reference: 0.25, Current: 0.25 - 0.12*psi}, {Label: "17", Reference: 0.05, Current: current}, {Label: "other", Reference: 0.13, Current: 0.13 - 0.05*psi}}
			f.Top = &f.Bins[3]
		}
		d.Features = append(d.Features, f)
		d.Verdict = d.Verdict.Worse(verdict)
	}
	return d
}

// manyGroups is an attribute of that many regions, two of them worse off.
func manyGroups(n int) *fairness.Fairness {
	f := &fairness.Fairness{Favourable: "positive", Limits: fairness.Limits{Gap: 0.1, Ratio: 0.8, Shown: 30, Judged: 100, Alpha: 0.05, Origin: "contract"}}
	for i := range n {
		tp, fp := int64(380-2*i), int64(60+i)
		if i == 7 || i == 40 {
			fp = 280
		}
		name := fmt.Sprintf("region %02d", i)
		f.Groups = append(f.Groups, group("region", name, 600-fp, fp, 500-tp, tp))
		if i == 0 {
			continue
		}
		verdict := tallystick.Pass
		switch {
		case i == 7 || i == 40:
			verdict = tallystick.Fail
		case i > 30:
			verdict = tallystick.Inconclusive
		}
		f.Comparisons = append(f.Comparisons,
			comparison("region", name, "region 00", "false_positive_rate", fp, 600, 60, 600, verdict),
			comparison("region", name, "region 00", "equal_opportunity", tp, 500, 380, 500, tallystick.Pass))
	}
	f.Summaries = []fairness.Summary{{Attribute: "region", Reference: "region 00", GroupsJudged: n, EqualizedOddsDiff: 0.37, Verdict: tallystick.Fail}}
	return f
}

// quiet is an audit in which all is well and little was asked.
func quiet() *report.Document {
	d := compas()
	d.Fairness, d.Contract, d.Slices, d.Leakage, d.Calibration, d.Guesses = nil, nil, nil, nil, nil, nil
	d.Quality.Verdict, d.Quality.DuplicateRows = tallystick.Pass, 0
	d.Quality.Columns = d.Quality.Columns[:1]
	d.Columns.Groups = nil
	d.Model.Tier = tallystick.TierLow
	d.Gate.Verdict, d.Gate.Words, d.Gate.Rules = tallystick.Pass, "passed: every blocking rule holds", d.Gate.Rules[:1]
	d.Summary = report.Summarise(d)
	return d
}

// hostileText tries to be a tag, an attribute, a table cell, a terminal command and a sentence
// that runs backwards.
const hostileText = "\"><script>alert(1)</script>' onmouseover=alert(2) | `x` [a](javascript:alert(3)) \x1b[2J\x1b]0;owned\a \u202eevil\u202c\r\nnew: line"

// hostile is a document in which every name and every sentence is hostileText.
func hostile() *report.Document {
	d := stream(34, 4, 4)
	c := compas()
	d.Contract, d.Slices, d.Leakage, d.Calibration = c.Contract, c.Slices, c.Leakage, c.Calibration
	poison(d, hostileText)
	return d
}
