package table

import (
	"strings"

	"github.com/tallystick/tallystick"
)

// settle decides the kind once all values have been seen.
func (b *builder) settle() error {
	if b.kind == "" {
		b.kind = Number // nothing but missing values
	}
	if b.forced != "" {
		return nil
	}
	total := b.counts[looksNumber] + b.counts[looksTime] + b.counts[looksOther]
	for _, c := range []class{looksNumber, looksTime} {
		if b.counts[c] == total || total < mixedRows || float64(b.counts[c]) < mixedShare*float64(total) {
			continue
		}
		var odd sighting
		for other := range b.first {
			if s := b.first[other]; class(other) != c && s.row > 0 && (odd.row == 0 || s.seq < odd.seq) {
				odd = s
			}
		}
		what := [...]string{looksNumber: "numbers", looksTime: "times"}[c]
		return tallystick.Errorf(tallystick.Invalid, "%s: row %d (line %d), column %q: %q stands among %s (%d of %d values)",
			odd.path, odd.row, odd.line, b.name, odd.text, what, b.counts[c], total).
			WithHint("correct it, leave the field empty if the value is missing, or declare %q a category in a contract", b.name)
	}
	switch {
	case b.digits():
		b.kind, b.again = Text, true
	case b.again && b.counts[looksTime] == total:
		b.kind = Time // after a NaN that looked like a number
	case b.again:
		b.kind = Category
	}
	return nil
}

// digits reports whether the column holds numbers that are read as text, to keep their digits.
func (b *builder) digits() bool {
	return b.exact && b.inexact && !b.fraction && b.forced == "" && b.counts[looksTime]+b.counts[looksOther] == 0
}

// column describes the settled column.
func (b *builder) column() Column {
	c := Column{Name: b.name, Kind: b.kind, Physical: "string"}
	switch {
	case b.kind == Number && b.counts[looksNumber] == 0 && !b.fraction:
		c.Physical = "null"
	case b.kind == Number && (b.fraction || b.inexact):
		c.Physical, c.Integer = "double", !b.fraction
	case b.kind == Number:
		c.Physical, c.Integer = "int64", true
	case b.kind == Time && b.clock:
		c.Physical = "timestamp"
	case b.kind == Time:
		c.Physical = "date"
	}
	return c
}

// warning returns what a person should know about the settled column, or nothing.
func (b *builder) warning() string {
	switch {
	case b.kind == Number && b.inexact:
		return "column " + quote(b.name) + " holds integers beyond 2^53, which lose digits as numbers: read it as text if they are identifiers"
	case b.kind == Time && b.held:
		return "column " + quote(b.name) + " holds moments outside the years 1678 to 2261, which are moved to the ends of that range"
	case b.kind == Text && b.forced == "":
		return "column " + quote(b.name) + " " + tooManyValues
	}
	return ""
}

// quote puts a name in quotes for a message, shortened if it is very long.
func quote(name string) string {
	return `"` + strings.ToValidUTF8(name[:min(len(name), 80)], "?") + `"`
}
