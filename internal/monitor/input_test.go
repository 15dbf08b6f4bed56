package monitor

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/drift"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/rollup"
	"github.com/tallystick/tallystick/internal/window"
)

// fields are the columns of one prediction; those that it lacks are null.
type fields map[string]any

// rows is a block of predictions in memory.
type rows struct {
	columns []string
	all     []fields
}

func (r *rows) Rows() int { return len(r.all) }

func (r *rows) Value(column, k int) (v prediction.Value) {
	switch x := r.all[k][r.columns[column]].(type) {
	case float64:
		return prediction.Number(x)
	case int:
		return prediction.Integer(int64(x))
	case bool:
		return prediction.Boolean(x)
	case string:
		return prediction.String(x)
	}
	return v
}

func (r *rows) Number(column, k int) (float64, bool) {
	v := r.Value(column, k)
	x, _ := v.Float()
	return x, v.IsNumber()
}

func (r *rows) Text(column, k int) ([]byte, bool) {
	v := r.Value(column, k)
	return []byte(v.Text()), v.Kind() == prediction.Text
}

// judged judges rows of the hour from noon as the office would, by a monitor whose checks are given.
func judged(t testing.TB, checks string, reference *window.Reference, all []fields) []Row {
	t.Helper()
	doc, err := Parse([]byte("apiVersion: tallystick/v1\nkind: Monitor\nname: watch\nmodel: credit\nwindow: 1h\nchecks:\n"+checks), "watch.yaml")
	if err != nil {
		t.Fatal(err)
	}
	w := Window{time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC), time.Date(2026, 3, 2, 13, 0, 0, 0, time.UTC)}
	seen := &Seen{}
	if seen.looks, err = doc.Checks.begin(t.Context(), &subject{document: doc, window: w, reference: reference}); err != nil {
		t.Fatal(err)
	}
	rules := doc.Checks.rules(reference)
	c := newCounter(seen, rules, nil)
	for len(all) > 0 {
		part := all[:min(len(all), 300)]
		all = all[len(part):]
		c.count(&rows{c.columns, part})
	}
	seen.take(rules, c.tally)
	return doc.Judge(w, "", seen).Rows
}

// quiet leaves out the checks that compare.
const quiet = "  drift: off\n  new_values: off\n  missing: off\n  range: off\n  constant: off\n"

// usualRow draws a prediction: a number, a category that is missing in one of ten, and one that is nearly constant.
func usualRow(r *rand.Rand) fields {
	row := fields{"f_income": 100 + 10*r.NormFloat64(), "f_kind": []string{"a", "b", "c"}[r.IntN(3)], "f_flag": "no", "time": int(time.Date(2026, 3, 2, 12, 59, 0, 0, time.UTC).UnixMicro())}
	if r.IntN(10) == 0 {
		delete(row, "f_kind")
	}
	if r.IntN(1000) == 0 {
		row["f_flag"] = "yes"
	}
	return row
}

func usualReference(t testing.TB, n int, seed uint64) *window.Reference {
	t.Helper()
	var g Gatherer
	r := rand.New(rand.NewPCG(seed, 1))
	names := []string{"income", "kind", "flag"}
	for _, name := range names {
		g.Column(name, window.RoleFeature, false)
	}
	if err := g.AddRows(int64(n)); err != nil {
		t.Fatal(err)
	}
	for range n {
		block := rows{[]string{"f_income", "f_kind", "f_flag"}, []fields{usualRow(r)}}
		for i := range names {
			g.AddValue(i, block.Value(i, 0))
		}
	}
	reference, _, err := g.Build()
	if err != nil {
		t.Fatal(err)
	}
	return reference
}

func drawn(n int, seed uint64, change func(i int, row fields)) (all []fields) {
	r := rand.New(rand.NewPCG(seed, 2))
	for i := range n {
		row := usualRow(r)
		change(i, row)
		all = append(all, row)
	}
	return all
}

func same(int, fields) {}

// set gives one in n a value, none if it is nil.
func set(n int, column string, value any) func(int, fields) {
	return func(i int, row fields) {
		if i%n != 0 {
			return
		}
		if row[column] = value; value == nil {
			delete(row, column)
		}
	}
}

// spread spreads a thousand predictions over the hour.
func spread(change func(int, fields)) func(int, fields) {
	return func(i int, row fields) {
		change(i, row)
		row["time"] = int(time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC).Add(time.Duration(i) * time.Hour / 1000).UnixMicro())
	}
}

// stuckFrom lets the income stand still from a prediction on.
func stuckFrom(first int) func(int, fields) {
	return func(i int, row fields) {
		if i >= first {
			row["f_income"] = 77.5
		}
	}
}

// TestInputChecks brings one fault after the other, which its check finds and names.
func TestInputChecks(t *testing.T) {
	t.Parallel()
	reference := usualReference(t, 5000, 1)
	digest := func(i int, row fields) {
		row["input_digest"] = string(tallystick.DigestOf([]byte{byte(i), byte(i >> 8)}))
	}
	late := func(age time.Duration) func(int, fields) {
		return func(_ int, row fields) {
			row["f_updated"] = time.Date(2026, 3, 2, 12, 59, 0, 0, time.UTC).Add(-age).Format(time.RFC3339)
		}
	}
	for _, c := range []struct {
		name, checks   string
		n              int
		change         func(int, fields)
		check, subject string
		want           tallystick.Verdict
		words          string
	}{
		{"in range", "", 1000, same, "range", "income", tallystick.Pass, "income is "},
		{"out of range", "", 1000, set(10, "f_income", 1e6), "range", "income", tallystick.Fail, "in 10.0 % of rows: 0 below, 100 above"},
		{"a few out of range", "", 1000, set(40, "f_income", -5.0), "range", "income", tallystick.Warn, "25 below"},
		{"few rows", "", 100, set(10, "f_income", 1e6), "range", "income", tallystick.Insufficient, "too few"},

		{"constant number", "", 1000, set(1, "f_income", 100.0), "constant", "income", tallystick.Fail, "income is 100 in all 1000 rows"},
		{"constant category", "", 1000, set(1, "f_kind", "b"), "constant", "kind", tallystick.Fail, "kind is b in all 1000 rows"},
		{"constant new category", "", 1000, set(1, "f_kind", "z"), "constant", "kind", tallystick.Fail, "kind is z in all"},
		{"constant by chance", "", 1000, set(1, "f_flag", "no"), "constant", "flag", tallystick.Pass, "as can be by chance"},
		{"it varies", "", 1000, same, "constant", "kind", tallystick.Pass, "kind varies"},
		{"nothing to vary", "", 1000, set(1, "f_kind", nil), "constant", "kind", tallystick.Insufficient, "too few values"},

		{"absent", "  schema: on\n", 1000, set(1, "f_kind", nil), "schema", "kind", tallystick.Fail, "kind is absent from all 1000 predictions, and the reference has it in 9"},
		{"text for numbers", "  schema: on\n", 1000, set(20, "f_income", "n/a"), "schema", "income", tallystick.Fail, "something else in 5.0 % of rows, such as n/a"},
		{"one text", "  schema: on\n", 1000, set(1000, "f_income", true), "schema", "income", tallystick.Warn, "such as true"},
		{"as it was", "  schema: on\n", 1000, same, "schema", "income", tallystick.Pass, "of its type"},
		{"contract kept", "  schema: {columns: {income: {type: number, min: 0, max: 200, nulls: 0}}}\n", 1000, same, "schema", "income", tallystick.Pass, "as its contract has it"},
		{"below", "  schema: {columns: {income: {min: 0}}}\n", 1000, set(50, "f_income", -1), "schema", "income", tallystick.Fail, "income is against its contract: below 0 in 2.0 % of rows, such as -1"},
		{"tolerated", "  schema: {columns: {income: {min: 0, tolerance: 5%}}}\n", 1000, set(50, "f_income", -1), "schema", "income", tallystick.Pass, ""},
		{"none of the values", "  schema: {columns: {kind: {values: [a, b], severity: warn}}}\n", 1000, same, "schema", "kind", tallystick.Warn, "none of the values in "},
		{"nulls", "  schema: {columns: {kind: {nulls: 1%}}}\n", 1000, same, "schema", "kind", tallystick.Fail, "missing in "},
		{"integers", "  schema: {columns: {income: {type: integer}}}\n", 1000, same, "schema", "income", tallystick.Fail, "not of type integer in 100 % of rows"},
		{"required", "  schema: {columns: {nobody: {}}}\n", 1000, same, "schema", "nobody", tallystick.Fail, "absent in 100 %"},
		{"not required", "  schema: {columns: {nobody: {required: false}}}\n", 1000, same, "schema", "nobody", tallystick.Pass, "absent, as it may be"},

		{"no digests", "  duplicates: on\n", 1000, same, "duplicates", "", tallystick.Insufficient, "Only 0 of 1000 predictions say what their input was"},
		{"no duplicates", "  duplicates: on\n", 1000, digest, "duplicates", "", tallystick.Pass, "0 % of predictions repeat an input of the window; 1.0 % may"},
		{"duplicates", "  duplicates: {max: 2%}\n", 1000, func(i int, row fields) { digest(i%900, row) }, "duplicates", "", tallystick.Fail, "10.0 % of predictions repeat"},
		{"the same features", "  duplicates: {by: features}\n", 1000, func(i int, row fields) { row["f_income"], row["f_kind"] = float64(i%500), "a" }, "duplicates", "", tallystick.Fail, "50.0 %"},

		{"new enough", "  staleness: {newest: 5m}\n", 1000, same, "staleness", "", tallystick.Pass, "1m0s older"},
		{"ended early", "  staleness: {newest: 30s}\n", 1000, same, "staleness", "", tallystick.Fail, "1m0s older than the end of the window; 30s may be"},
		{"fresh input", "  staleness: {input: {of: updated, age: 24h}}\n", 1000, late(time.Hour), "staleness", "updated", tallystick.Pass, ""},
		{"stale input", "  staleness: {input: {of: updated, age: 24h}}\n", 1000, late(25 * time.Hour), "staleness", "updated", tallystick.Fail, "more than 24h0m0s before the prediction in 100 %"},
		{"seconds", "  staleness: {input: {of: updated, age: 24h}}\n", 1000, set(1, "f_updated", 1_772_000_000), "staleness", "updated", tallystick.Fail, "100 %"},
		{"milliseconds", "  staleness: {input: {of: updated, age: 900h}}\n", 1000, set(1, "f_updated", 1_772_000_000_000), "staleness", "updated", tallystick.Pass, "0 %"},
		{"no times", "  staleness: {input: {of: updated, age: 24h}}\n", 1000, set(1, "f_updated", "yesterday"), "staleness", "updated", tallystick.Insufficient, "Only 0 predictions have a time as updated"},

		{"it changes", "  staleness: {unchanged: {features: [income], for: 10m}}\n", 1000, spread(same), "staleness", "income", tallystick.Pass, "income changes in every 10m0s that tells"},
		{"stuck for a while", "  staleness: {unchanged: {features: [income], for: 10m}}\n", 1000, spread(stuckFrom(500)), "staleness", "income", tallystick.Fail, "income is 77.5 in all 167 predictions from 2026-03-02T12:30:00Z to 2026-03-02T12:40:00Z. In 3 of 6 parts"},
		{"a flag that rarely changes", "  staleness: {unchanged: {features: [flag], for: 10m}}\n", 1000, spread(same), "staleness", "flag", tallystick.Pass, ""},
		{"of an unknown one", "  staleness: {unchanged: {features: [wind], for: 10m}}\n", 1000, spread(same), "staleness", "wind", tallystick.Insufficient, "No reference says how wind varies"},

		{"timeouts", "  error_kinds: {kinds: {timeout: 2%}}\n", 1000, set(10, "status", "timeout"), "error_kinds", "timeout", tallystick.Fail, "10.0 % of predictions have status = timeout; 2.0 % may"},
		{"no errors", "  error_kinds: on\n", 1000, set(1, "status", "ok"), "error_kinds", "", tallystick.Pass, "No prediction has an error"},
		{"a kind of our own", "  error_kinds: {of: extra.error.code}\n", 1000, set(5, "extra", `{"error":{"code":"E42"}}`), "error_kinds", "E42", tallystick.Fail, "20.0 % of predictions have extra.error.code = E42"},

		{"cheap", "  cost: {price: 0.01, unit: EUR, budget: {window: 20}}\n", 1000, same, "cost", "window", tallystick.Pass, "1000 predictions of the window cost 10 EUR, of a budget of 20 EUR"},
		{"nearly spent", "  cost: {price: 0.01, budget: {window: 11}}\n", 1000, same, "cost", "window", tallystick.Warn, "cost 10,"},
		{"dear", "  cost: {of: extra.tokens, budget: {window: 2500}}\n", 1000, set(1, "extra", `{"tokens": 3}`), "cost", "window", tallystick.Fail, "cost 3,000, of a budget of 2,500"},
		{"unknown cost", "  cost: {of: extra.tokens, budget: {window: 2500}}\n", 1000, set(2, "extra", `{"tokens": 3}`), "cost", "window", tallystick.Inconclusive, "What 500 of them cost is not known"},

		{"within", "  kpi: {income: {of: income, min: 95, max: 105}}\n", 1000, same, "kpi", "income", tallystick.Pass, "within the limits"},
		{"below the least", "  kpi: {income: {of: income, min: 110}}\n", 1000, same, "kpi", "income", tallystick.Fail, "below 110"},
		{"nobody knows", "  kpi: {income: {of: income, min: 99.9, max: 100.1}}\n", 1000, same, "kpi", "income", tallystick.Inconclusive, "cannot be told"},
		{"nobody has it", "  kpi: {basket: {of: extra.basket, min: 1}}\n", 1000, same, "kpi", "basket", tallystick.Insufficient, "Only 0 predictions have extra.basket"},
	} {
		var found bool
		for _, r := range judged(t, quietBut(c.checks, c.check), reference, drawn(c.n, 7, c.change)) {
			if r.Check != c.check || r.Subject != c.subject {
				continue
			}
			if found = true; r.Verdict != c.want || !strings.Contains(r.Words, c.words) {
				t.Errorf("%s: %s of %q is %s, want %s: %s", c.name, c.check, c.subject, r.Verdict, c.want, r.Words)
			}
		}
		if !found {
			t.Errorf("%s: no row %s of %q", c.name, c.check, c.subject)
		}
	}
}

// quietBut states checks, and leaves out those that compare but one.
func quietBut(checks, but string) string {
	return strings.Replace(quiet, "  "+but+": off\n", "", 1) + checks
}

// TestInputChecksStayQuiet counts how often a check that is judged of data that do not change says anything else than pass.
func TestInputChecksStayQuiet(t *testing.T) {
	t.Parallel()
	const windows = 600
	checks := "  drift: off\n  new_values: off\n  missing: off\n  schema: on\n  duplicates: {by: features}\n  error_kinds: on\n  kpi: {income: {of: income, min: 97, max: 103}}\n"
	loud := map[string]int64{}
	var reference *window.Reference
	for i := range windows {
		if i%60 == 0 { // windows against one reference share its luck
			reference = usualReference(t, 1000, uint64(i)+100)
		}
		noisy := map[string]bool{}
		for _, r := range judged(t, checks, reference, drawn(1000, uint64(i)+1000, same)) {
			if r.Verdict != tallystick.Pass {
				noisy[r.Check] = true
			}
		}
		for check := range noisy {
			loud[check]++
		}
	}
	for _, check := range []string{"range", "constant", "schema", "duplicates", "error_kinds", "kpi", "telemetry"} {
		bound := upperBound(loud[check], windows)
		if t.Logf("%s: %d of %d windows, upper 99 %% bound %.2f %%", check, loud[check], windows, 100*bound); bound > 0.02 {
			t.Errorf("%s speaks in %d of %d windows of data that do not change", check, loud[check], windows)
		}
	}
}

// upperBound is the exact upper 99 % bound of a proportion (Clopper and Pearson, Biometrika 26 (1934) 404-413): the one at which
// k or fewer of n have a probability of 1 %.
func upperBound(k, n int64) float64 {
	low, high := 0.0, 1.0
	for range 60 {
		p, below := (low+high)/2, 0.0
		for i := range k + 1 {
			a, _ := math.Lgamma(float64(n + 1))
			b, _ := math.Lgamma(float64(i + 1))
			c, _ := math.Lgamma(float64(n - i + 1))
			below += math.Exp(a - b - c + float64(i)*math.Log(p) + float64(n-i)*math.Log1p(-p))
		}
		if below > 0.01 {
			low = p
		} else {
			high = p
		}
	}
	return high
}

// TestInputsAreSampled counts more inputs than are kept: the share of rows that repeat one stays what it is, and memory bounded.
func TestInputsAreSampled(t *testing.T) {
	t.Parallel()
	in := newInputs()
	for i := range 3 * maxInputs {
		in.add(hashOf(fmt.Append(nil, i)))
		if i%4 == 0 {
			in.add(hashOf(fmt.Append(nil, i)))
		}
	}
	again := in.again()
	if in.shift < 1 || len(in.seen) > maxInputs {
		t.Fatalf("%d inputs are kept, 1 in 2^%d", len(in.seen), in.shift)
	}
	if i := again.Wilson(0.9999); i.Low > 0.2 || i.High < 0.2 {
		t.Errorf("%v repeat, a fifth does", again)
	}
}

// TestSkew compares a window with what the model was trained on, whatever is pinned.
func TestSkew(t *testing.T) {
	t.Parallel()
	th := drift.Defaults()
	c := skewCheck{driftCheck: driftCheck{&th}}
	trained := usualReference(t, 5000, 3)
	rules := &rollup.Rules{Reference: trained}
	tally := rules.Tally()
	rollup.NewCounter(rules, 0).Add(tally, nil, &rows{rules.Columns(), drawn(1000, 4, func(_ int, row fields) { row["f_income"] = row["f_income"].(float64) / 100 })})
	doc := &Document{Checks: Checks{Drift: th}}
	found := c.rows(&facts{Seen: &Seen{Predictions: 1000}, document: doc}, tally.Profile)
	for _, r := range found {
		want := tallystick.Pass
		if r.Subject == "income" {
			want = tallystick.Fail
		}
		if r.Check != "skew" || r.Verdict != want {
			t.Errorf("%s of %s is %s: %s", r.Check, r.Subject, r.Verdict, r.Words)
		}
	}
	if len(found) != 3 {
		t.Errorf("%d rows", len(found))
	}
}

// TestChecksRefuse says on which line a check is stated wrongly.
func TestChecksRefuse(t *testing.T) {
	t.Parallel()
	for lines, want := range map[string]string{
		"  telemetry: off\n":                                `watch.yaml:7: checks has no key "telemetry"`,
		"  volume: on\n":                                    "watch.yaml:7: checks.volume states no limit",
		"  kpi: {a: {of: b}}\n":                             "watch.yaml:7: checks.kpi.a has neither min nor max",
		"  cost: {price: 1}\n":                              "watch.yaml:7: checks.cost has no budget",
		"  cost: {price: 1, of: a, budget: {day: 1}}\n":     "watch.yaml:7: checks.cost needs what a prediction cost, or a price",
		"  staleness: {}\n":                                 "watch.yaml:7: checks.staleness does not say what is stale",
		"  staleness: {unchanged: {for: 1m}}\n":             "watch.yaml:7: checks.staleness.unchanged does not say of what, or for how long",
		"  staleness: {input: {of: a}}\n":                   "watch.yaml:7: checks.staleness.input does not say of what, or how old",
		"  skew: {fail_psi: 1}\n":                           "watch.yaml:7: checks.skew does not say what the model was trained on",
		"  skew: {against: latest}\n":                       "watch.yaml:7: checks.skew.against is no digest",
		"  schema:\n    columns: {age: {mean: [1, 2]}}\n":   "watch.yaml:8: checks.schema.columns.age: mean is not judged of predictions",
		"  schema:\n    columns: {age: {min: 3, max: 2}}\n": "watch.yaml:8: checks.schema.columns.age: min 3 is above max 2",
		"  constant: {max: 1}\n":                            `watch.yaml:7: checks.constant has no key "max"`,
		"  duplicates: {by: output}\n":                      `watch.yaml:7: checks.duplicates.by cannot be "output"`,
		"  error_kinds: {kinds: {timeout: 200%}}\n":         "watch.yaml:7: checks.error_kinds.kinds.timeout is 200%, which is no share",
		"  error_kinds: {of: extra..a}\n":                   "watch.yaml:7: checks.error_kinds.of is no name",
		"  range: {warn: 9%}\n":                             "watch.yaml:7: checks.range: warn 0.09 is above fail 0.05",
	} {
		_, err := Parse([]byte("apiVersion: tallystick/v1\nkind: Monitor\nname: watch\nmodel: credit\nwindow: 1h\nchecks:\n"+lines), "watch.yaml")
		if err == nil || tallystick.CodeOf(err) != tallystick.Invalid || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, want %s", lines, err, want)
		}
	}
}
