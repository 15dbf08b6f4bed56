package contract

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/tallystick/tallystick"
)

const head = "apiVersion: tallystick/v1\nkind: Contract\nname: credit\n"

const complete = head + `description: what the scoring model may be fed
rows: {min: 1000, max: 1000000}
extra_columns: forbid
columns:
  age: {type: integer, nulls: 0, min: 18, max: 120, tolerance: 0.1%}
  income:
    type: number
    nulls: 2%
    nan: 0
    infinite: 0
    mean: [20e3, 60000]
    quantiles: {0.9: {max: 2e5}, 50%: [1e4, 5e4]}
    severity: warn
  sex: {type: category, values: [Female, Male], shares: {Female: [0.3, 0.7]}, distinct: {min: 2}}
  applied_at: {type: time, fresh: 30d, max_age: 52w, not_before: 2020-01-01, not_after: now}
  id: {unique: true, pattern: '^[0-9]+$'}
  note: {required: false}
  plain:
limits:
  performance: {roc_auc: {min: 0.70}, log_loss: {max: 0.5}, accuracy: {min: 0.6, max_drop: 0.02}}
  calibration: {ece: {max: 0.05}}
  fairness: {gap: 0.1, four_fifths: 0.8, metrics: [false_positive_rate, equal_opportunity], judged_from: 100}
  drift: {fail_psi: 0.25, warn_psi: 0.1, warn_wasserstein_sd: 0.1, warn_l_infinity: 0.1}
`

func TestParse(t *testing.T) {
	t.Parallel()
	got, err := Parse(strings.NewReader(complete), "credit.yaml")
	if err != nil {
		t.Fatal(err)
	}
	one := func(low, high float64) Range { return Range{&low, &high} }
	p := func(v float64) *float64 { return &v }
	n := int64(100)
	want := &Contract{
		Name: "credit", Description: "what the scoring model may be fed", Rows: one(1000, 1e6), ForbidExtra: true,
		Columns: []Column{
			{Name: "age", Type: TypeInteger, Nulls: p(0), Range: one(18, 120), Tolerance: 0.001},
			{Name: "income", Type: TypeNumber, Warn: true, Nulls: p(0.02), NaN: p(0), Infinite: p(0), Mean: one(20000, 60000),
				Quantiles: []Quantile{{0.5, one(10000, 50000)}, {0.9, Range{Max: p(200000)}}}},
			{Name: "sex", Type: TypeCategory, Values: []string{"Female", "Male"}, Shares: []Share{{"Female", one(0.3, 0.7)}}, Distinct: Range{Min: p(2)}},
			{Name: "applied_at", Type: TypeTime, Fresh: 30 * 24 * time.Hour, MaxAge: 364 * 24 * time.Hour,
				NotBefore: &Moment{At: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)}, NotAfter: &Moment{Now: true}},
			{Name: "id", Unique: true, Pattern: "^[0-9]+$"},
			{Name: "note", Optional: true},
			{Name: "plain"},
		},
		Limits: Limits{
			Performance: map[string]Bound{"roc_auc": {Min: p(0.7)}, "log_loss": {Max: p(0.5)}, "accuracy": {Min: p(0.6), MaxDrop: p(0.02)}},
			Calibration: map[string]Bound{"ece": {Max: p(0.05)}},
			Fairness:    FairnessLimits{Gap: p(0.1), FourFifths: p(0.8), Metrics: []string{"false_positive_rate", "equal_opportunity"}, JudgedFrom: &n},
			Drift:       DriftLimits{WarnPSI: p(0.1), FailPSI: p(0.25), WarnWassersteinSD: p(0.1), WarnLInfinity: p(0.1)},
		},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Contract{})); diff != "" {
		t.Errorf("contract (-want +got):\n%s", diff)
	}
	if got.Digest() != tallystick.DigestOf([]byte(complete)) {
		t.Errorf("digest %s is not that of the file", got.Digest())
	}
	text, categories := got.Reading()
	if diff := cmp.Diff([][]string{{"id"}, {"sex"}}, [][]string{text, categories}); diff != "" {
		t.Errorf("reading (-want +got):\n%s", diff)
	}
	if sex, ok := got.Column("sex"); !ok || sex.Name != "sex" {
		t.Errorf("Column(sex) = %v, %v", sex, ok)
	}
}

func TestParseErrors(t *testing.T) {
	t.Parallel()
	column := func(s string) string { return head + "columns:\n  age: " + s + "\n" }
	limits := func(s string) string { return head + "limits:\n  " + s + "\n" }
	for _, tt := range []struct{ in, want string }{
		{"", `contract c.yaml is empty; write one, or let 'tallystick data infer FILE' write a first one from good data`},
		{"# nothing\n", `contract c.yaml is empty; write one, or let 'tallystick data infer FILE' write a first one from good data`},
		{"- a\n", `c.yaml:1: the contract must be a mapping of keys to values, not a list`},
		{"a: [1\n", `c.yaml: line 1: did not find expected ',' or ']'; correct the YAML; indentation is by spaces`},
		{head, `c.yaml:1: the contract expects nothing; state rows, columns or limits`},
		{head + "---\na: 1\n", `c.yaml:4: a second YAML document begins; keep one contract per file`},
		{"kind: Contract\nname: x\nrows: {min: 1}\n", `c.yaml:1: the contract has no apiVersion; write 'apiVersion: tallystick/v1'`},
		{"apiVersion: tallystick/v2\n", `c.yaml:1: apiVersion cannot be "tallystick/v2"; did you mean "tallystick/v1"?`},
		{"apiVersion: tallystick/v1\nkind: Contract\nname: a b\nrows: {min: 1}\n", `c.yaml: contract name "a b" is not usable; use 1 to 128 letters, digits, '.', '-' or '_', beginning with a letter or digit`},
		{head + "colums: {}\n", `c.yaml:4: the contract has no key "colums"; did you mean "columns"?`},
		{head + "zzz: {}\n", `c.yaml:4: the contract has no key "zzz"; use one of apiVersion, kind, name, description, rows, columns, extra_columns or limits`},
		{head + "rows: {min: 1}\nrows: {min: 2}\n", `c.yaml:5: the contract has the key "rows" twice, first on line 4; keep one of them`},
		{head + "rows: {min: -1}\n", `c.yaml:4: rows.min must be a whole number from 0 upwards, not "-1"`},
		{head + "rows: 12\n", `c.yaml:4: rows must be a range, not "12"; write {min: A, max: B} or [A, B]`},
		{head + "rows: {}\n", `c.yaml:4: rows has neither min nor max`},
		{head + "extra_columns: forbid\nrows: {min: 1}\n", `c.yaml:1: extra_columns is forbid, and no column is named; name the columns under columns`},
		{column("{typ: integer}"), `c.yaml:5: columns.age has no key "typ"; did you mean "type"?`},
		{column("{type: intger}"), `c.yaml:5: columns.age.type cannot be "intger"; did you mean "integer"?`},
		{column("{min: 1, min: 2}"), `c.yaml:5: columns.age has the key "min" twice, first on line 5; keep one of them`},
		{column("{min: 3, max: 2}"), `c.yaml:5: columns.age: min 3 is above max 2`},
		{column("{min: abc}"), `c.yaml:5: columns.age.min must be a number, not "abc"`},
		{column("{max: .inf}"), `c.yaml:5: columns.age.max must be a finite number, not .inf`},
		{column("{nulls: 2}"), `c.yaml:5: columns.age.nulls is 2, which is no share of rows; a share lies between 0 and 1; write two per cent as 0.02 or 2%`},
		{column("{nulls: x%}"), `c.yaml:5: columns.age.nulls must be a share such as 0.02 or 2%, not "x%"`},
		{column("{required: maybe}"), `c.yaml:5: columns.age.required must be true or false, not "maybe"`},
		{column("{mean: [1]}"), `c.yaml:5: columns.age.mean must have two bounds, not 1; write [least, greatest]`},
		{column("{quantiles: {1.5: {min: 1}}}"), `c.yaml:5: a level of columns.age.quantiles is 1.5, which is no share of rows; a share lies between 0 and 1; write two per cent as 0.02 or 2%`},
		{column("{quantiles: {0.5: {min: 1}, 50%: {min: 1}}}"), `c.yaml:5: columns.age.quantiles has the level 0.5 twice; keep one of them`},
		{column("{values: []}"), `c.yaml:5: columns.age.values must be a list of values, not a list; write [A, B]`},
		{column("{values: [a, a]}"), `c.yaml:5: columns.age.values has "a" twice; keep one of them`},
		{column("{values: [null]}"), `c.yaml:5: columns.age.values[0] is empty; missing values are bounded by nulls; quote "null" if it is a word of the data`},
		{column("{type: integer, values: [one]}"), `c.yaml:5: columns.age.values holds "one", which is no number; declare the column as type category`},
		{column("{type: category, min: 1}"), `c.yaml:5: columns.age is of type category, which cannot have min, max, mean, quantiles, nan and infinite; those are for type number or integer`},
		{column("{type: number, fresh: 1d}"), `c.yaml:5: columns.age is of type number, which cannot have not_before, not_after, max_age and fresh; those are for type time`},
		{column("{type: number, pattern: a}"), `c.yaml:5: columns.age is of type number, which cannot have pattern; those are for type category or text`},
		{column("{min: 1, fresh: 1d}"), `c.yaml:5: columns.age has expectations of numbers and of times; state one kind of expectation and the type`},
		{column("{fresh: 1d, values: [a]}"), `c.yaml:5: columns.age has expectations of single values and of times; values, shares and pattern are not for times`},
		{column("{min: 1, pattern: a}"), `c.yaml:5: columns.age has a pattern and expectations of numbers; a pattern is for text and categories`},
		{column("{type: time, values: [a]}"), `c.yaml:5: columns.age is of type time, which cannot have values and shares; those are for type category, integer, number or text`},
		{column("{pattern: '('}"), "c.yaml:5: columns.age.pattern is no regular expression: error parsing regexp: missing closing ): `(`; the syntax is that of RE2, https://github.com/google/re2/wiki/Syntax"},
		{column("{fresh: 30}"), `c.yaml:5: columns.age.fresh must be a duration, not "30"; write 90m, 36h, 30d or 2w`},
		{column("{not_after: tomorrow}"), `c.yaml:5: columns.age.not_after must be a time, not "tomorrow"; write now, 2026-01-31 or 2026-01-31T12:00:00Z`},
		{column("{shares: {a: {min: 0.7}, b: {min: 0.6}}}"), `c.yaml:5: columns.age.shares: the least shares add up to 130 %`},
		{column("&a {min: 1}\n  b: *a"), `c.yaml:6: columns.b is an alias; write the value out: a reviewer should not have to follow references`},
		{limits("performance: {auc: {min: 0.7}}"), `c.yaml:5: limits.performance cannot limit "auc"; use one of accuracy, balanced_accuracy, precision, recall, f1, fpr, fnr, mcc, kappa, roc_auc, average_precision, log_loss, brier, mae, rmse, mape, bias, r2, ndcg, recall_at_k, precision_at_k, map, mrr, hit_rate, coverage or popularity_gini`},
		{limits("performance: {roc_acu: {min: 0.7}}"), `c.yaml:5: limits.performance cannot limit "roc_acu"; did you mean "roc_auc"?`},
		{limits("performance: {roc_auc: {min: 70}}"), `c.yaml:5: limits.performance.roc_auc.min is 70, which is not between 0 and 1`},
		{limits("performance: {roc_auc: {max: 0.7}}"), `c.yaml:5: limits.performance.roc_auc has a max, and roc_auc is better when it is higher; state min`},
		{limits("performance: {log_loss: {min: 0.7}}"), `c.yaml:5: limits.performance.log_loss has a min, and log_loss is better when it is lower; state max`},
		{limits("performance: {roc_auc: {}}"), `c.yaml:5: limits.performance.roc_auc has no min, max or max_drop`},
		{limits("fairness: {metrics: [equal_opportunty]}"), `c.yaml:5: limits.fairness.metrics cannot hold "equal_opportunty"; did you mean "equal_opportunity"?`},
		{limits("drift: {warn_psi: 0.3, fail_psi: 0.2}"), `c.yaml:5: limits.drift: warn_psi 0.3 is above fail_psi 0.2`},
	} {
		_, err := Parse(strings.NewReader(tt.in), "c.yaml")
		if err == nil {
			t.Errorf("%q was accepted", tt.in)
			continue
		}
		if tallystick.CodeOf(err) != tallystick.Invalid {
			t.Errorf("%q: code %q", tt.in, tallystick.CodeOf(err))
		}
		if diff := cmp.Diff(tt.want, err.Error()); diff != "" {
			t.Errorf("%q (-want +got):\n%s", tt.in, diff)
		}
	}
}

func TestParseTooLarge(t *testing.T) {
	t.Parallel()
	_, err := Parse(strings.NewReader(head+"# "+strings.Repeat("x", MaxBytes)), "c.yaml")
	if err == nil || !strings.Contains(err.Error(), "larger than 1048576 bytes") {
		t.Errorf("error %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(complete))
	f.Add([]byte(head + "rows: {min: 1}\n"))
	f.Add([]byte("? [a, b]\n: &x *x\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Parse(strings.NewReader(string(data)), "c.yaml")
		if err != nil {
			if strings.Contains(err.Error(), "\n") || tallystick.CodeOf(err) != tallystick.Invalid {
				t.Fatalf("error is not one clear line: %q", err)
			}
			return
		}
		again, err := Parse(strings.NewReader(string(c.Source())), "c.yaml")
		if err != nil || c.Digest() != again.Digest() {
			t.Fatalf("source does not parse again: %v", err)
		}
		if diff := cmp.Diff(c, again, cmpopts.IgnoreUnexported(Contract{})); diff != "" {
			t.Fatal(diff)
		}
	})
}

// The contract that the documentation shows is one.
func TestDocumentedContract(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("../../docs/contract.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(doc), "```yaml\n")
	yaml, _, found := strings.Cut(after, "```")
	if !found {
		t.Fatal("docs/contract.md shows no contract")
	}
	c := parse(t, yaml)
	if len(c.Columns) != 8 || c.Limits.Empty() {
		t.Errorf("the documented contract has %d columns, limits %+v", len(c.Columns), c.Limits)
	}
	for _, name := range PerformanceMetrics() {
		if !strings.Contains(string(doc), "`"+name+"`") {
			t.Errorf("docs/contract.md does not name the metric %s", name)
		}
	}
}
