package contract

import (
	"fmt"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/stat"
	"github.com/tallystick/tallystick/internal/table"
)

// columnCheck holds what the expectations of one column need to know about the rows seen so far.
type columnCheck struct {
	want    Column
	have    table.Column
	present bool
	near    string // the column that was perhaps meant, if this one is absent
	now     time.Time

	rows   int64
	nulls  offence
	number numberCheck
	value  valueCheck
	time   timeCheck
	unique uniqueCheck
}

// offence counts the rows that break one expectation and remembers the first.
type offence struct {
	count int64
	row   int64 // of the first, from 0
	value string
}

// hit counts one row; describe is called for the first only.
func (o *offence) hit(row int64, describe func() string) {
	if o.count == 0 {
		o.row, o.value = row, describe()
	}
	o.count++
}

// merge adds count rows of which row, with this value, is the first.
func (o *offence) merge(count, row int64, value string) {
	if o.count == 0 || row < o.row {
		o.row, o.value = row, value
	}
	o.count += count
}

// example is the first offending row as people count, from 1 after the header.
func (o *offence) example() string {
	if o.count == 0 {
		return ""
	}
	if o.value == "" {
		return "row " + commas(o.row+1)
	}
	return "row " + commas(o.row+1) + ": " + o.value
}

func newColumnCheck(want Column, now time.Time) *columnCheck {
	return &columnCheck{want: want, now: now}
}

// bind tells the check which column it will see.
func (c *columnCheck) bind(have table.Column, dictionary func() []string) {
	c.have, c.present = have, true
	c.number.prepare(&c.want)
	c.value.prepare(&c.want, have, dictionary)
	c.time.prepare(&c.want, c.now)
	c.unique.prepare(&c.want)
}

// suggest notes the column of the table that was perhaps meant.
func (c *columnCheck) suggest(columns []table.Column) {
	names := make([]string, len(columns))
	for i, have := range columns {
		names[i] = have.Name
	}
	c.near = tallystick.Nearest(c.want.Name, names)
}

// add looks at the n rows from row on.
func (c *columnCheck) add(row int64, n int, v *table.Vector) {
	c.rows += int64(n)
	for i, null := range v.Null {
		if null {
			c.nulls.hit(row+int64(i), func() string { return "" })
		}
	}
	switch v.Kind {
	case table.Number:
		c.number.add(row, v)
	case table.Time:
		c.time.add(row, v)
	}
	c.value.add(row, n, v)
	c.unique.add(row, n, v)
}

// checks returns one check for every expectation of the column, in a fixed order.
func (c *columnCheck) checks() []Check {
	all := []Check{c.checkPresent()}
	if c.want.Type != "" {
		all = append(all, c.checkType())
	}
	if c.want.Nulls != nil {
		all = append(all, c.rate(rowExpectation{
			name: "nulls", title: "Missing values", what: "hold no value",
			offence: c.nulls, looked: c.rows, allowed: *c.want.Nulls, fits: true,
		}))
	}
	all = append(all, c.checkNumbers()...)
	all = append(all, c.checkValues()...)
	all = append(all, c.checkTimes()...)
	if c.want.Unique {
		all = append(all, c.checkUnique())
	}
	return all
}

func (c *columnCheck) checkPresent() Check {
	check := c.check("present", "The column is there", "present")
	switch {
	case c.present:
		check.Found = "present"
		check.Words = fmt.Sprintf("the column %s is there", c.want.Name)
	case c.want.Optional:
		check.Expected, check.Found = "present or absent", "absent"
		check.Words = fmt.Sprintf("the optional column %s is absent", c.want.Name)
	default:
		check.Found = "absent"
		check.Verdict = c.broken()
		check.Words = fmt.Sprintf("missing column %q", c.want.Name)
		if c.near != "" {
			check.Words += fmt.Sprintf("; the table has %q", c.near)
		}
	}
	return check
}

func (c *columnCheck) checkType() Check {
	check := c.check("type", "Type of the column", string(c.want.Type))
	if c.unjudged(&check, true, "") {
		return check
	}
	check.Found = string(c.have.Kind) + " (" + c.have.Physical + ")"
	fits := false
	switch c.want.Type {
	case TypeNumber:
		fits = c.have.Kind == table.Number
	case TypeInteger, TypeCategory:
		fits = c.have.Kind == table.Number && c.number.fraction.count == 0 ||
			c.have.Kind == table.Category && c.want.Type == TypeCategory
		if c.have.Kind == table.Number && !fits {
			check.Count, check.Example = c.number.fraction.count, c.number.fraction.example()
			check.Share = share(check.Count, c.number.finite)
		}
	case TypeTime:
		fits = c.have.Kind == table.Time
	case TypeText:
		fits = c.have.Kind == table.Text || c.have.Kind == table.Category
	}
	check.Words = fmt.Sprintf("%s is of type %s", c.want.Name, c.want.Type)
	if !fits {
		check.Verdict = c.broken()
		check.Words = fmt.Sprintf("%s should be of type %s and is %s", c.want.Name, c.want.Type, check.Found)
		if check.Count > 0 {
			check.Words += fmt.Sprintf("; %s values are not whole, first in %s", commas(check.Count), check.Example)
		}
	}
	return check
}

// check returns a passing check of the expectation called name.
func (c *columnCheck) check(name, title, expected string) Check {
	return Check{
		ID: c.want.Name + "." + name, Column: c.want.Name, Title: title, Expected: expected,
		Share: none, Verdict: tallystick.Pass,
	}
}

// broken is the verdict of an expectation that does not hold.
func (c *columnCheck) broken() tallystick.Verdict {
	if c.want.Warn {
		return tallystick.Warn
	}
	return tallystick.Fail
}

// unjudged fills in check if the column is absent or fits is false, for want of what is needed.
// An optional column may be absent: that is a pass. Anything else is never a pass.
func (c *columnCheck) unjudged(check *Check, fits bool, need string) bool {
	switch {
	case !c.present && c.want.Optional:
		check.Found = "absent"
		check.Words = fmt.Sprintf("nothing to judge: the optional column %s is absent", c.want.Name)
	case !c.present:
		check.Found, check.Verdict = "absent", tallystick.Insufficient
		check.Words = fmt.Sprintf("not judged: there is no column %s", c.want.Name)
	case !fits:
		check.Found, check.Verdict = string(c.have.Kind), tallystick.Insufficient
		check.Words = fmt.Sprintf("not judged: %s holds %s, and this needs %s", c.want.Name, kindNouns[c.have.Kind], need)
	default:
		return false
	}
	return true
}

var kindNouns = map[table.Kind]string{
	table.Number: "numbers", table.Category: "categories", table.Time: "times", table.Text: "text",
}

// rowExpectation is one that rows break one by one.
type rowExpectation struct {
	name, title string
	what        string // completes "3 of 7 rows ..." for the rows that break it
	offence     offence
	looked      int64 // rows that could break it
	allowed     float64
	fits        bool   // the column holds what the expectation speaks of
	need        string // which is this
}

// rate judges the share of offending rows among those looked at.
func (c *columnCheck) rate(r rowExpectation) Check {
	check := c.check(r.name, r.title, "no row "+r.what)
	if r.allowed > 0 {
		check.Expected = fmt.Sprintf("at most %s of rows %s", percent(r.allowed), r.what)
	}
	if c.unjudged(&check, r.fits, r.need) {
		return check
	}
	if r.looked == 0 {
		check.Found, check.Verdict = "no values", tallystick.Insufficient
		check.Words = fmt.Sprintf("not judged: %s has no value to look at", c.want.Name)
		return check
	}
	count := r.offence.count
	check.Count, check.Share, check.Example = count, share(count, r.looked), r.offence.example()
	check.Found = fmt.Sprintf("%s of %s", commas(count), commas(r.looked))
	check.Words = fmt.Sprintf("%s: %s rows %s", c.want.Name, check.Found, r.what)
	if count > 0 {
		check.Found += " (" + percent(float64(check.Share)) + ")"
		check.Words = fmt.Sprintf("%s: %s rows %s, first in %s", c.want.Name, check.Found, r.what, check.Example)
	}
	if r.allowed > 0 {
		check.Words += "; accepted are " + percent(r.allowed)
	}
	if float64(check.Share) > r.allowed {
		check.Verdict = c.broken()
	}
	return check
}

// within judges one figure of the column against a range.
func (c *columnCheck) within(name, title string, found float64, want Range) Check {
	check := c.check(name, title, rangeWords(want))
	check.Found = formatNumber(found)
	check.Words = fmt.Sprintf("%s: %s is %s; expected %s", c.want.Name, lower(title), check.Found, check.Expected)
	if !want.holds(found) {
		check.Verdict = c.broken()
	}
	return check
}

func share(count, of int64) stat.Number { return stat.Number(stat.Proportion{K: count, N: of}.Rate()) }
