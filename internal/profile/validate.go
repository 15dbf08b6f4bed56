package profile

import (
	"math"
	"unicode/utf8"

	"github.com/tallystick/tallystick"
)

// Validate returns an Invalid error unless p is within the bounds and agrees with itself.
func (p Profile) Validate() error {
	if p.Schema != Schema {
		return tallystick.Errorf(tallystick.Invalid, "profile has schema %q, want %q", p.Schema, Schema)
	}
	if err := p.Digest.Validate(); err != nil {
		return tallystick.Errorf(tallystick.Invalid, "profile: %w", err)
	}
	if p.Rows < 0 || p.Rows > maxRows {
		return tallystick.Errorf(tallystick.Invalid, "profile has %d rows", p.Rows)
	}
	if len(p.Columns) > MaxColumns {
		return tallystick.Errorf(tallystick.Invalid, "profile has %d columns, the limit is %d", len(p.Columns), MaxColumns)
	}
	seen := make(map[string]bool, len(p.Columns))
	for _, c := range p.Columns {
		if seen[c.Name] {
			return tallystick.Errorf(tallystick.Invalid, "profile has two columns %q", c.Name)
		}
		seen[c.Name] = true
		if fault := c.contradiction(p.Rows); fault != "" {
			return tallystick.Errorf(tallystick.Invalid, "profile, column %.80q: %s", c.Name, fault)
		}
	}
	return nil
}

// contradiction says in which way the column cannot be, or nothing.
func (c Column) contradiction(rows int64) string {
	switch c.Kind {
	case Number, Category, Time, Text:
	default:
		return "its kind is not number, category, time or text"
	}
	for _, s := range []string{c.Name, c.Type, c.Fault} {
		if len(s) > maxText || !plain(s) {
			return "a text is too long, or not plain"
		}
	}
	present := rows - c.Missing - c.NonFinite
	switch {
	case c.Name == "":
		return "it has no name"
	case c.Fault != "" && (c.Missing+c.NonFinite+c.Distinct != 0 || c.Numbers != nil || c.Top != nil):
		return "it could not be read, and has values"
	case c.Missing < 0 || c.NonFinite < 0 || c.Distinct < 0 || c.Missing > rows || present < 0:
		return "its counts do not fit the rows"
	case c.Withheld && (c.Numbers != nil || c.Top != nil):
		return "it is withheld, and has values"
	case c.Numbers != nil && (c.Kind != Number && c.Kind != Time || present == 0):
		return "it has no numbers to be spread"
	case len(c.Top) > MaxTop:
		return "it has too many frequent values"
	}
	if c.Numbers != nil {
		if fault := c.Numbers.contradiction(present); fault != "" {
			return fault
		}
	}
	return topContradiction(c.Top, present)
}

func (n Numbers) contradiction(present int64) string {
	if len(n.Percentiles) != steps+1 {
		return "it has not 101 percentiles"
	}
	for i, v := range n.Percentiles {
		if math.IsNaN(v) || math.IsInf(v, 0) || i > 0 && v < n.Percentiles[i-1] {
			return "its percentiles do not ascend"
		}
	}
	if !(n.SD >= 0) || math.IsInf(n.SD, 0) || !(math.Abs(n.Mean) <= math.MaxFloat64) || n.Sampled < 0 || n.Sampled > present {
		return "its mean, spread or sample cannot be"
	}
	return ""
}

func topContradiction(top []Value, present int64) string {
	seen := make(map[string]bool, len(top))
	for i, v := range top {
		switch {
		case len(v.Value) > maxText || !plain(v.Value) || seen[v.Value]:
			return "a frequent value is there twice, too long, or not plain"
		case v.Count <= 0 || v.Count > present || i > 0 && v.Count > top[i-1].Count:
			return "its frequent values do not descend, or do not fit the rows"
		}
		seen[v.Value] = true
		present -= v.Count
	}
	return ""
}

// plain reports whether s is UTF-8 without control characters.
func plain(s string) bool {
	for _, r := range s {
		if r < ' ' {
			return false
		}
	}
	return utf8.ValidString(s)
}
