// Package contract states what each column of a table must be and which limits performance,
// calibration, fairness and drift must keep, as a small YAML file that people review, and checks a
// table against it. The file format is documented in docs/contract.md.
//
// A contract speaks about one file, not about the population behind it: its checks count rows and
// compare shares exactly, with no interval. Limits are different: the gate judges them by interval.
package contract

import (
	"slices"
	"time"

	"github.com/tallystick/tallystick"
)

// APIVersion and Kind are the first two lines of every contract.
const (
	APIVersion = "tallystick/v1"
	Kind       = "Contract"
)

// Contract is one parsed contract.
type Contract struct {
	Name         string
	Description  string
	Rows         Range // of the number of rows; Min is 1 unless stated
	ForbidExtra  bool  // a column that the contract does not name is an offence
	Columns      []Column
	Limits       Limits
	source       []byte
	columnByName map[string]int
}

// Digest is that of the file's bytes, so that sha256sum gives it too.
func (c *Contract) Digest() tallystick.Digest { return tallystick.DigestOf(c.source) }

// Source returns the bytes that were parsed.
func (c *Contract) Source() []byte { return slices.Clone(c.source) }

// Column returns what the contract expects of the column of that name.
func (c *Contract) Column(name string) (Column, bool) {
	i, ok := c.columnByName[name]
	if !ok {
		return Column{}, false
	}
	return c.Columns[i], true
}

// Reading returns the columns that a table must be opened with as text and as categories for the
// contract to see what it speaks about: a unique identifier beyond 2^53 survives only as text, and
// a category may be written with digits.
func (c *Contract) Reading() (text, categories []string) {
	for _, column := range c.Columns {
		switch {
		case column.Type == TypeText, column.Type == "" && column.Unique && !column.numeric() && !column.temporal():
			text = append(text, column.Name)
		case column.Type == TypeCategory:
			categories = append(categories, column.Name)
		}
	}
	return text, categories
}

// Type is what a contract calls the content of a column.
type Type string

// The types. A category is any column of discrete values: strings, booleans, or integers used as
// codes. Text is any column of strings.
const (
	TypeNumber   Type = "number"
	TypeInteger  Type = "integer"
	TypeCategory Type = "category"
	TypeTime     Type = "time"
	TypeText     Type = "text"
)

// Range holds two inclusive bounds; nil is no bound.
type Range struct{ Min, Max *float64 }

func (r Range) empty() bool { return r.Min == nil && r.Max == nil }

// Column is what a contract expects of one column. Nil and empty fields expect nothing.
type Column struct {
	Name     string
	Type     Type
	Optional bool // the column may be absent; what it holds is judged if it is there
	Warn     bool // a broken expectation is a warning, not a failure

	Nulls     *float64 // largest accepted share of missing values
	NaN       *float64 // largest accepted share of NaN
	Infinite  *float64 // largest accepted share of infinities
	Tolerance float64  // share of rows that may break Range, Values, Pattern, NotBefore, NotAfter or MaxAge

	Range     Range      // of each number; infinities lie outside, NaN is not looked at
	Mean      Range      // of the mean of the finite numbers
	Quantiles []Quantile // ascending

	Values   []string // accepted values, as text; numbers compare as numbers
	Pattern  string   // RE2; every value must match it somewhere
	Shares   []Share  // of the values that are not missing
	Distinct Range    // of the number of distinct values
	Unique   bool     // no two rows share a value; missing values are not compared

	NotBefore *Moment       // of each time
	NotAfter  *Moment       // of each time
	MaxAge    time.Duration // no time lies further back; 0 is no bound
	Fresh     time.Duration // the newest time lies no further back; 0 is no bound
}

// Quantile bounds one quantile of a column's finite numbers. The quantile of level p is the least
// value x such that a share p of the values is at most x.
type Quantile struct {
	Level float64
	Range
}

// Share bounds the share of one value among the values that are not missing.
type Share struct {
	Value string
	Range
}

// Moment is a fixed time, or the time of the check.
type Moment struct {
	Now bool
	At  time.Time
}

func (m Moment) resolve(now time.Time) time.Time {
	if m.Now {
		return now
	}
	return m.At
}

func (m Moment) String() string {
	if m.Now {
		return "now"
	}
	return m.At.UTC().Format(time.RFC3339)
}

// numeric reports whether c expects something that only numbers can fulfil.
func (c *Column) numeric() bool {
	return c.NaN != nil || c.Infinite != nil || !c.Range.empty() || !c.Mean.empty() || len(c.Quantiles) > 0
}

// temporal reports whether c expects something that only times can fulfil.
func (c *Column) temporal() bool {
	return c.NotBefore != nil || c.NotAfter != nil || c.MaxAge != 0 || c.Fresh != 0
}

// discrete reports whether c expects something of single values.
func (c *Column) discrete() bool { return len(c.Values) > 0 || len(c.Shares) > 0 || c.Pattern != "" }
