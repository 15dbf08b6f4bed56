package contract

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/table"
	"go.yaml.in/yaml/v3"
	"golang.org/x/sync/errgroup"
)

// Infer writes a first contract from a table whose data are good. Its Source is YAML with comments
// that say where each bound comes from; a person should read and tighten it. The table itself
// keeps it.
//
// The slack it leaves, per expectation:
//   - rows: at least half as many.
//   - nulls, nan, infinite: 0 where there is none, else the upper bound of the share's 99 % Wilson
//     interval; the last two not of whole numbers that have neither.
//   - min, max: the observed range, widened by a tenth of its width at either end and rounded
//     outwards, but across zero, and for what looks like a share across 1, only if the data do.
//   - mean: the observed one, give or take the larger of a quarter of the standard deviation and four
//     standard errors.
//   - values: those of a category with at most 50, each of which occurs ten times on average.
//   - shares: of the ten commonest values of such a category, or of whole numbers with at most five
//     values, that make up at least a twentieth: give or take the larger of 0.1 and the 99.9 %
//     Wilson interval.
//   - unique: where at least 100 rows, none missing, all differ and are whole numbers or words; there
//     is no range then, for identifiers grow.
//   - not_before: as far before the earliest time as the latest is after it.
func Infer(ctx context.Context, t *table.Table, name string) (*Contract, error) {
	if err := tallystick.ValidateName("contract", name); err != nil {
		return nil, err
	}
	columns := t.Columns()
	observed := make([]*observation, len(columns))
	g, scanning := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, column := range columns {
		observed[i] = newObservation(column)
		g.Go(func() error {
			err := t.Scan(scanning, []string{column.Name}, func(b *table.Block) error {
				observed[i].add(b.N, &b.Cols[0])
				return nil
			})
			if err != nil {
				return fmt.Errorf("infer contract of column %q: %w", column.Name, err)
			}
			observed[i].dictionary = t.Dictionary(column.Name)
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}

	doc := newMapping()
	doc.add("apiVersion", word(APIVersion))
	doc.add("kind", word(Kind))
	doc.add("name", word(name))
	doc.add("rows", newFlow().add("min", whole(max(1, t.Rows()/2))).node(), fmt.Sprintf("half of the %s rows seen", commas(t.Rows())))
	expected := newMapping()
	for _, o := range observed {
		if o.column.Name != "" {
			expected.add(o.column.Name, o.expect())
		}
	}
	doc.add("columns", expected.node())
	doc.add("extra_columns", word("allow"))

	var out bytes.Buffer
	fmt.Fprintf(&out, "# A first contract, written from %s rows of data on the assumption that they are good.\n", commas(t.Rows()))
	fmt.Fprintf(&out, "# Read it, tighten it, and add limits; docs/contract.md says what each key means.\n")
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	if err := enc.Encode(doc.node()); err != nil {
		return nil, fmt.Errorf("infer contract %q: %w", name, err)
	}
	if err := enc.Close(); err != nil {
		return nil, fmt.Errorf("infer contract %q: %w", name, err)
	}
	out.WriteString(suggestions)
	if out.Len() > MaxBytes {
		return nil, tallystick.Errorf(tallystick.Invalid, "the contract of %d columns would be larger than %d bytes", len(columns), MaxBytes).
			WithHint("write one by hand for the columns that matter")
	}
	return Parse(&out, name+".yaml")
}

// suggestions are limits that nobody can infer.
const suggestions = `# limits:
#   performance: {roc_auc: {min: 0.70, max_drop: 0.02}}
#   calibration: {ece: {max: 0.05}}
#   fairness: {gap: 0.1, four_fifths: 0.8, metrics: [equal_opportunity, false_positive_rate]}
#   drift: {warn_psi: 0.1, fail_psi: 0.25}
`

// observation gathers what Infer needs to know of a column.
type observation struct {
	column     table.Column
	dictionary []string

	n, null int64
	number  numberCheck
	moments moments
	codes   []int64
	first   int64 // times, nanoseconds since 1970 UTC
	last    int64
	unique  uniqueCheck
	few     map[float64]int64 // rows of each number, nil once there are more than maxClasses
}

const (
	maxShares    = 10   // values whose shares are stated
	minShare     = 0.05 // share from which it is stated
	maxClasses   = 5    // whole numbers that are taken for classes
	maxValues    = 50   // values that are listed
	minUniqueRow = 100  // rows from which uniqueness is no accident
)

func newObservation(column table.Column) *observation {
	o := &observation{column: column, few: map[float64]int64{}, first: 1<<63 - 1, last: -1 << 63}
	o.number.prepare(&Column{})
	o.unique.prepare(&Column{Unique: true})
	return o
}

func (o *observation) add(n int, v *table.Vector) {
	o.n += int64(n)
	for _, null := range v.Null {
		if null {
			o.null++
		}
	}
	switch v.Kind {
	case table.Number:
		o.number.add(0, v)
		o.moments.add(v.Float)
		o.addFew(v.Float)
	case table.Category:
		for _, code := range v.Code {
			if code == table.NoCode {
				continue
			}
			if int(code) >= len(o.codes) {
				o.codes = append(o.codes, make([]int64, int(code)+1-len(o.codes))...)
			}
			o.codes[code]++
		}
	case table.Time:
		for i, at := range v.Time {
			if v.Null == nil || !v.Null[i] {
				o.first, o.last = min(o.first, at), max(o.last, at)
			}
		}
	}
	if o.unique.repeated.count == 0 && !o.unique.full && o.number.fraction.count == 0 {
		o.unique.add(0, n, v)
	}
}

func (o *observation) addFew(values []float64) {
	if o.few == nil {
		return
	}
	for _, x := range values {
		if x == x {
			o.few[x+0]++
		}
		if len(o.few) > maxClasses {
			o.few = nil
			return
		}
	}
}

// isUnique reports whether the column looks like an identifier.
func (o *observation) isUnique() bool {
	whole := o.column.Kind != table.Number || o.number.fraction.count == 0 && o.number.nan.count == 0
	return whole && o.null == 0 && o.n >= minUniqueRow && o.unique.repeated.count == 0 && !o.unique.full && o.column.Kind != table.Time
}

// expect returns the expectations of the column.
func (o *observation) expect() *yaml.Node {
	m := newMapping()
	if o.null == o.n {
		// A column without a value has no type that means anything.
		return m.add("nulls", whole(1), "no value seen").node()
	}
	m.add("type", word(string(o.kind())))
	m.add("nulls", o.rate(o.null, o.n), o.seen(o.null))
	switch {
	case o.isUnique():
		m.add("unique", &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: "true"})
	case o.column.Kind == table.Number:
		o.expectNumbers(m)
	case o.column.Kind == table.Category:
		o.expectCategories(m)
	case o.column.Kind == table.Time && o.first <= o.last:
		first, last := time.Unix(0, o.first).UTC(), time.Unix(0, o.last).UTC()
		note := fmt.Sprintf("seen %s to %s; consider not_after: now, fresh: 30d", first.Format(time.DateOnly), last.Format(time.DateOnly))
		if before := first.Add(-last.Sub(first)); before.Year() >= 1700 && !before.After(first) {
			m.add("not_before", &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!timestamp", Value: before.Format(time.DateOnly)}, note)
		}
	}
	return m.node()
}

func (o *observation) kind() Type {
	switch {
	case o.column.Kind == table.Number && o.number.fraction.count == 0 && o.number.finite > 0:
		return TypeInteger
	case o.column.Kind == table.Number:
		return TypeNumber
	}
	return Type(o.column.Kind)
}
