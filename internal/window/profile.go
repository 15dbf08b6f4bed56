package window

import (
	"slices"

	"github.com/tallystick/tallystick"
)

// maxWindow bounds the rows of a profile.
const maxWindow = 1 << 40

// Profile holds the counts of one window by the rules of a reference. It is for one goroutine.
//
// The index of a feature is its place in Reference.Features; to add values of the other kind is a
// programming error and panics, as an index out of range does. Features that rows lack are counted
// with AddMissing, and rows once with AddRows.
type Profile struct {
	reference *Reference
	rows      int64
	columns   []column
}

// column is what one feature counted: one of the two is set.
type column struct {
	number   *numberCounts
	category *categoryCounts
}

func (c column) rows() int64 {
	if c.number != nil {
		return c.number.rows()
	}
	return c.category.rows()
}

// Reference returns the reference.
func (p *Profile) Reference() *Reference { return p.reference }

// Rows returns the number of rows.
func (p *Profile) Rows() int64 { return p.rows }

// AddRows counts n rows, n being at least 0.
func (p *Profile) AddRows(n int64) { p.rows += n }

// AddNumbers counts the values of a number; NaN and infinite ones are counted apart.
func (p *Profile) AddNumbers(feature int, values []float64) { p.columns[feature].number.add(values) }

// AddMissing counts n missing values of a feature, n being at least 0.
func (p *Profile) AddMissing(feature int, n int64) {
	if c := p.columns[feature]; c.number != nil {
		c.number.missing += n
	} else {
		c.category.missing += n
	}
}

// AddCategories counts the values of a category.
func (p *Profile) AddCategories(feature int, values []string) {
	c := p.columns[feature].category
	for len(values) > 0 {
		run := 1 // sorted and constant columns are common
		for run < len(values) && values[run] == values[0] {
			run++
		}
		c.add(values[0], int64(run))
		values = values[run:]
	}
}

// AddBytes is AddCategories for values that are not strings.
func (p *Profile) AddBytes(feature int, values [][]byte) {
	c := p.columns[feature].category
	for _, value := range values {
		if i, known := c.reference.index[string(value)]; known {
			c.addKnown(i, 1)
		} else {
			c.add(string(value), 1)
		}
	}
}

// AddCodes counts the values of a category of which each is an index into a dictionary. It returns an
// Invalid error, and counts nothing, if one is none.
func (p *Profile) AddCodes(feature int, dictionary []string, codes []uint32) error {
	rows := make([]int64, len(dictionary))
	for i, code := range codes {
		if int(code) >= len(rows) {
			return tallystick.Errorf(tallystick.Invalid, "code %d of row %d is not below %d, the values of the dictionary", code, i, len(rows))
		}
		rows[code]++
	}
	p.AddCounts(feature, dictionary, rows)
	return nil
}

// AddCounts counts rows[i] times values[i] of a category, which are at least 0.
func (p *Profile) AddCounts(feature int, values []string, rows []int64) {
	c := p.columns[feature].category
	for i, value := range values {
		c.add(value, rows[i])
	}
}

// Merge takes in the rows of other, a profile of the same reference: exactly, in any order and any
// tree to the same bytes. It returns an Invalid error, and takes in nothing, if the references differ
// or there would be more than 2^40 rows.
func (p *Profile) Merge(other *Profile) error {
	if p.reference != other.reference && p.reference.digest != other.reference.digest {
		return tallystick.Errorf(tallystick.Invalid, "merge profiles: one has reference %s, the other %s", p.reference.digest.Short(), other.reference.digest.Short()).
			WithHint("count the rows again by one reference")
	}
	if p.rows+other.rows > maxWindow {
		return tallystick.Errorf(tallystick.Invalid, "merge profiles: more than %d rows", int64(maxWindow))
	}
	p.rows += other.rows
	for i, c := range p.columns {
		if c.number != nil {
			c.number.merge(other.columns[i].number)
		} else {
			c.category.merge(other.columns[i].category)
		}
	}
	return nil
}

// Clone returns a copy that shares nothing that changes.
func (p *Profile) Clone() *Profile {
	q := &Profile{p.reference, p.rows, slices.Clone(p.columns)}
	for i, c := range q.columns {
		if c.number != nil {
			q.columns[i].number = c.number.clone()
		} else {
			q.columns[i].category = c.category.clone()
		}
	}
	return q
}

// Number returns what the profile says of a number.
func (p *Profile) Number(feature int) Number { return p.columns[feature].number.read() }

// Category returns what the profile says of a category.
func (p *Profile) Category(feature int) Category {
	return p.columns[feature].category.read(p.reference.Features[feature].Missing)
}

// Missing returns the rows without a usable value of a feature: missing, NaN or infinite.
func (p *Profile) Missing(feature int) int64 {
	if c := p.columns[feature]; c.number != nil {
		return c.number.missing + c.number.nan + c.number.infinite
	}
	return p.columns[feature].category.missing
}

// Clamped returns how many values of a number are counted as a million interquartile ranges away.
func (p *Profile) Clamped(feature int) int64 { return p.columns[feature].number.clamped }
