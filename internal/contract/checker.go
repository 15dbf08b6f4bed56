package contract

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/stat"
	"github.com/tallystick/tallystick/internal/table"
)

// Checker checks the rows of one table as they go by, in memory that does not grow with them but
// for unique columns (see maxUnique). It is for one goroutine.
type Checker struct {
	contract *Contract
	rows     int64
	table    []Check        // that columns are there and no others
	columns  []*columnCheck // one for each of the contract's columns
	position []int          // of each of columns in a Block, -1 if the table lacks it
}

// NewChecker returns a Checker of tables with the given columns. The blocks that it is given have
// these columns in this order. dictionary returns the values of a category column by code and is
// asked when all rows were added; now is what the contract's "now" means.
func NewChecker(c *Contract, columns []table.Column, dictionary func(name string) []string, now time.Time) *Checker {
	ch := &Checker{contract: c}
	for _, want := range c.Columns {
		at := slices.IndexFunc(columns, func(have table.Column) bool { return have.Name == want.Name })
		check := newColumnCheck(want, now)
		if at >= 0 {
			check.bind(columns[at], func() []string { return dictionary(want.Name) })
		} else {
			check.suggest(columns)
		}
		ch.columns, ch.position = append(ch.columns, check), append(ch.position, at)
	}
	if c.ForbidExtra {
		ch.table = append(ch.table, checkExtra(c, columns))
	}
	return ch
}

// Add checks the next rows.
func (ch *Checker) Add(block *table.Block) {
	for i, at := range ch.position {
		if at >= 0 {
			ch.columns[i].add(block.Row, block.N, &block.Cols[at])
		}
	}
	ch.rows += int64(block.N)
}

// Result returns one check for every expectation.
func (ch *Checker) Result() Result {
	r := Result{Contract: ch.contract.Digest(), Name: ch.contract.Name}
	r.Checks = append(r.Checks, checkRows(ch.contract.Rows, ch.rows))
	r.Checks = append(r.Checks, ch.table...)
	for _, column := range ch.columns {
		r.Checks = append(r.Checks, column.checks()...)
	}
	for _, check := range r.Checks {
		r.Verdict = r.Verdict.Worse(check.Verdict)
	}
	return r
}

// checkRows judges the number of rows. A contract that says nothing of it expects one.
func checkRows(want Range, rows int64) Check {
	if want.empty() {
		one := 1.0
		want.Min = &one
	}
	check := Check{
		ID: "rows", Title: "Number of rows", Expected: rangeWords(want), Found: commas(rows),
		Share: none, Verdict: tallystick.Pass,
	}
	check.Words = fmt.Sprintf("the table has %s rows, as expected (%s)", check.Found, check.Expected)
	if !want.holds(float64(rows)) {
		check.Verdict = tallystick.Fail
		check.Words = fmt.Sprintf("the table has %s rows; expected %s", check.Found, check.Expected)
	}
	return check
}

// checkExtra judges columns that the contract does not name. Count is columns, not rows.
func checkExtra(c *Contract, columns []table.Column) Check {
	var extra []string
	for _, have := range columns {
		if _, ok := c.columnByName[have.Name]; !ok {
			extra = append(extra, have.Name)
		}
	}
	check := Check{
		ID: "columns.extra", Title: "No other columns", Expected: "only the columns of the contract",
		Found: "no others", Count: int64(len(extra)), Share: none, Verdict: tallystick.Pass,
		Words: "the table has no column beyond those of the contract",
	}
	if len(extra) > 0 {
		check.Verdict = tallystick.Fail
		check.Found = quoted(extra)
		check.Words = "the contract forbids other columns, and the table has " + check.Found
	}
	return check
}

// none is the share of a check whose rows do not offend one by one.
var none = stat.Number(math.NaN())
