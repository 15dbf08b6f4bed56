package monitor

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/contract"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/stat"
)

// expected counts the rows of a column that are against its contract.
type expected struct {
	want    contract.Column
	values  map[string]bool
	numbers map[float64]bool
	pattern *regexp.Regexp

	rows, nulls, nan, infinite int64
	against                    int64            // rows with a value that is not as wanted
	counts                     map[string]int64 // of those, and of missing ones, by what is wrong
	example                    string
}

// newExpected refuses expectations that are not of single values.
func newExpected(want *contract.Column) (*expected, error) {
	for _, not := range []struct {
		is   bool
		what string
	}{
		{want.Mean != contract.Range{}, "mean"},
		{len(want.Quantiles) > 0, "quantiles"},
		{len(want.Shares) > 0, "shares"},
		{want.Distinct != contract.Range{}, "distinct"},
		{want.Unique, "unique"},
		{want.NotBefore != nil || want.NotAfter != nil || want.MaxAge > 0 || want.Fresh > 0, "times"},
	} {
		if not.is {
			return nil, fmt.Errorf("%s is not judged of predictions", not.what)
		}
	}
	e := &expected{want: *want, counts: map[string]int64{}}
	if want.Pattern != "" {
		e.pattern = regexp.MustCompile(want.Pattern) // the contract's reader has compiled it before
	}
	for _, value := range want.Values {
		if e.values == nil {
			e.values, e.numbers = map[string]bool{}, map[float64]bool{}
		}
		e.values[value] = true
		if x, err := strconv.ParseFloat(value, 64); err == nil {
			e.numbers[x] = true
		}
	}
	return e, nil
}

func (e *expected) count(b block, column int) {
	for k := range b.Rows() {
		e.rows++
		v := b.Value(column, k)
		if v.IsNull() {
			e.nulls++
			continue
		}
		what := e.wrong(v)
		if what == "" {
			continue
		}
		if e.counts[what]++; e.against == 0 {
			e.example = v.String()
		}
		e.against++
	}
}

// wrong says what is wrong with a value, nothing if it is as wanted.
func (e *expected) wrong(v prediction.Value) string {
	x, _ := v.Float()
	if v.IsNumber() && x-x != 0 {
		if math.IsNaN(x) {
			e.nan++
			return ""
		}
		e.infinite++
	}
	if what := e.wrongType(v, x); what != "" {
		return what
	}
	if v.IsNumber() {
		if e.want.Range.Min != nil && x < *e.want.Range.Min {
			return "below " + plainNumber(*e.want.Range.Min)
		}
		if e.want.Range.Max != nil && x > *e.want.Range.Max {
			return "above " + plainNumber(*e.want.Range.Max)
		}
	}
	if e.values != nil && !e.values[v.String()] && !(v.IsNumber() && e.numbers[x]) {
		return "none of the values"
	}
	if e.pattern != nil && !e.pattern.MatchString(v.String()) {
		return "not as the pattern"
	}
	return ""
}

func plainNumber(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }

// wrongType says that a value is not of the type, which a range implies too.
func (e *expected) wrongType(v prediction.Value, x float64) string {
	want := e.want.Type
	if want == "" && e.want.Range != (contract.Range{}) {
		want = contract.TypeNumber
	}
	is := true
	switch want {
	case contract.TypeNumber:
		is = v.IsNumber()
	case contract.TypeInteger:
		is = v.IsNumber() && x == math.Trunc(x)
	case contract.TypeCategory:
		is = !v.IsNumber() || x == math.Trunc(x)
	case contract.TypeText:
		is = v.Kind() == prediction.Text
	case contract.TypeTime:
		_, err := time.Parse(time.RFC3339, v.String())
		is = err == nil
	}
	if is {
		return ""
	}
	return "not of type " + string(want)
}

func (e *expected) row(f *facts) Row {
	values := e.rows - e.nulls
	r := schemaRow(f, e.want.Name, stat.Proportion{K: e.against, N: values})
	r.Origin, r.Threshold = ofMonitor, number(e.want.Tolerance)
	if e.rows < f.document.Checks.Drift.MinRows {
		r.Value, r.Verdict, r.Words = stat.Number(math.NaN()), tallystick.Insufficient, fmt.Sprintf("%d predictions are too few to judge %s.", e.rows, e.want.Name)
		return r
	}
	broken := tallystick.Fail
	if e.want.Warn {
		broken = tallystick.Warn
	}
	counts := map[string]int64{}
	take := func(what string, p stat.Proportion, most float64) {
		if p.K == 0 || p.Exact(confidence).Low <= most {
			return
		}
		counts[what], r.Verdict = p.K, broken
	}
	if i := (stat.Proportion{K: e.against, N: values}).Exact(confidence); values > 0 {
		r.Low, r.High = &i.Low, &i.High
		if e.against > 0 && i.Low > e.want.Tolerance {
			counts, r.Verdict = e.counts, broken
		}
	}
	most := func(share *float64) float64 {
		if share == nil {
			return 1
		}
		return *share
	}
	take("missing", stat.Proportion{K: e.nulls, N: e.rows}, most(e.want.Nulls))
	take("NaN", stat.Proportion{K: e.nan, N: e.rows}, most(e.want.NaN))
	take("infinite", stat.Proportion{K: e.infinite, N: e.rows}, most(e.want.Infinite))
	if values == 0 && !e.want.Optional {
		counts["absent"], r.Verdict = e.rows, broken
	}
	switch {
	case r.Verdict == tallystick.Pass && values == 0:
		r.Value, r.Words = stat.Number(math.NaN()), e.want.Name+" is absent, as it may be."
	case r.Verdict == tallystick.Pass:
		r.Words = e.want.Name + " is as its contract has it."
	default:
		r.Words = fmt.Sprintf("%s is against its contract: %s", e.want.Name, reasons(counts, e.rows))
		if e.against > 0 {
			r.Words += ", such as " + brief(e.example)
		}
		r.Words += "."
	}
	return r
}
