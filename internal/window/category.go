package window

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tallystick/tallystick"
)

const (
	maxUnseen = 64  // unseen values that a profile names
	maxValue  = 128 // bytes of a value
)

// CategoryReference is the vocabulary of a category with its counts: the most frequent values first,
// equal ones in the order of their bytes. Other counts the values beyond MaxVocabulary.
type CategoryReference struct {
	Values []string `json:"values"`
	Counts []int64  `json:"counts"`
	Other  int64    `json:"other"`

	index  map[string]int
	hashes []uint64
}

func newCategoryReference(counts map[string]int64, limit int) *CategoryReference {
	named := make(map[string]int64, len(counts))
	for value, n := range counts {
		if n != 0 {
			named[ValueName(value)] += n
		}
	}
	r := new(CategoryReference)
	for _, value := range slices.SortedFunc(maps.Keys(named), func(a, b string) int {
		return cmp.Or(cmp.Compare(named[b], named[a]), cmp.Compare(a, b))
	}) {
		if len(r.Values) < limit {
			r.Values, r.Counts = append(r.Values, value), append(r.Counts, named[value])
		} else {
			r.Other += named[value]
		}
	}
	return r
}

func (r *CategoryReference) ready() {
	r.index, r.hashes = make(map[string]int, len(r.Values)), make([]uint64, len(r.Values))
	for i, value := range r.Values {
		r.index[value], r.hashes[i] = i, valueHash(value)
	}
}

// Complete reports whether the vocabulary has every value of the reference, so that a value outside
// it is a new one.
func (r *CategoryReference) Complete() bool { return r.Other == 0 }

// validate returns how many values were counted.
func (r *CategoryReference) validate(rows int64) (total int64, err error) {
	if len(r.Values) > MaxVocabulary || len(r.Counts) != len(r.Values) || r.Other < 0 || r.Other > rows {
		return 0, tallystick.Errorf(tallystick.Invalid, "vocabulary and counts do not fit")
	}
	total = r.Other
	seen := make(map[string]bool, len(r.Values))
	for i, value := range r.Values {
		n := r.Counts[i]
		ordered := i == 0 || cmp.Or(cmp.Compare(n, r.Counts[i-1]), cmp.Compare(r.Values[i-1], value)) < 0
		if n < 1 || n > rows || !ordered || seen[value] || ValueName(value) != value {
			return 0, tallystick.Errorf(tallystick.Invalid, "value %.80q of the vocabulary is out of order or out of range", value)
		}
		seen[value] = true
		total += n
	}
	return total, nil
}

// ValueName is the name under which a value is counted: itself, but for bytes that are no UTF-8, and
// for what is longer than 128 bytes, which ends in a part of its SHA-256 instead.
func ValueName(value string) string {
	value = strings.ToValidUTF8(value, "\uFFFD")
	if len(value) <= maxValue {
		return value
	}
	sum := sha256.Sum256([]byte(value))
	mark := "… " + hex.EncodeToString(sum[:16])
	cut := maxValue - len(mark)
	for !utf8.RuneStart(value[cut]) {
		cut--
	}
	return value[:cut] + mark
}

// valueHash is the first 64 bits of SHA-256: what anyone can compute again.
func valueHash(name string) uint64 {
	sum := sha256.Sum256([]byte(name))
	return binary.BigEndian.Uint64(sum[:])
}

// Unseen is a value outside the reference's vocabulary and its rows.
type Unseen struct {
	Value string
	Rows  int64
}

type unseen struct {
	hash uint64
	Unseen
}

func (u unseen) compare(v unseen) int {
	return cmp.Or(cmp.Compare(u.hash, v.hash), cmp.Compare(u.Value, v.Value))
}

// categoryCounts is what a profile holds of a category: 8 bytes for each value of the vocabulary,
// 4 KiB for the sketch, at most 64 unseen values of at most 128 bytes.
type categoryCounts struct {
	reference *CategoryReference
	counts    []int64
	other     int64
	missing   int64
	// The 64 unseen values of smallest hash, in that order, with all their rows: whatever belongs to
	// them at the end has belonged to them in every part that saw it, and so was never dropped.
	unseen []unseen
	sketch sketch
}

func newCategoryCounts(r *CategoryReference) *categoryCounts {
	return &categoryCounts{reference: r, counts: make([]int64, len(r.Values))}
}

func (c *categoryCounts) add(value string, n int64) {
	if n == 0 {
		return
	}
	i, known := c.reference.index[value]
	if !known {
		if name := ValueName(value); name != value {
			value = name
			i, known = c.reference.index[value]
		}
	}
	if !known {
		c.addUnseen(value, n)
		return
	}
	c.addKnown(i, n)
}

func (c *categoryCounts) addKnown(i int, n int64) {
	if c.counts[i] == 0 {
		c.sketch.add(c.reference.hashes[i])
	}
	c.counts[i] += n
}

func (c *categoryCounts) addUnseen(name string, n int64) {
	c.other += n
	u := unseen{valueHash(name), Unseen{name, n}}
	c.sketch.add(u.hash)
	c.keep(u)
}

// keep takes in an unseen value if its hash is small enough.
func (c *categoryCounts) keep(u unseen) {
	if len(c.unseen) == maxUnseen && u.compare(c.unseen[maxUnseen-1]) > 0 {
		return
	}
	at, found := slices.BinarySearchFunc(c.unseen, u, unseen.compare)
	if found {
		c.unseen[at].Rows += u.Rows
		return
	}
	u.Value = strings.Clone(u.Value) // the caller's may be a piece of a large batch
	c.unseen = slices.Insert(c.unseen, at, u)
	c.unseen = c.unseen[:min(len(c.unseen), maxUnseen)]
}

func (c *categoryCounts) merge(o *categoryCounts) {
	for i, n := range o.counts {
		c.counts[i] += n
	}
	c.other += o.other
	c.missing += o.missing
	for _, u := range o.unseen {
		c.keep(u)
	}
	c.sketch.merge(&o.sketch)
}

func (c *categoryCounts) clone() *categoryCounts {
	d := *c
	d.counts, d.unseen, d.sketch.ranks = slices.Clone(c.counts), slices.Clone(c.unseen), slices.Clone(c.sketch.ranks)
	return &d
}

func (c *categoryCounts) rows() int64 {
	n := c.other + c.missing
	for _, k := range c.counts {
		n += k
	}
	return n
}

// Category is what a profile says of a category feature.
type Category struct {
	Values    []string // the reference's vocabulary
	Reference []int64  // rows of the reference by value, then other, then missing
	Current   []int64  // rows of the window likewise
	Unseen    []Unseen // at most 64 of the values in other, most frequent first
	Complete  bool     // the vocabulary has every value of the reference, so that the unseen ones are new
	Distinct  float64  // estimated number of distinct values, standard error 1.6 %
}

func (c *categoryCounts) read(missing int64) Category {
	r := c.reference
	out := Category{
		Values: r.Values, Complete: r.Complete(), Distinct: c.sketch.estimate(),
		Reference: append(slices.Clone(r.Counts), r.Other, missing),
		Current:   append(slices.Clone(c.counts), c.other, c.missing),
	}
	for _, u := range c.unseen {
		out.Unseen = append(out.Unseen, u.Unseen)
	}
	slices.SortFunc(out.Unseen, func(a, b Unseen) int {
		return cmp.Or(cmp.Compare(b.Rows, a.Rows), cmp.Compare(a.Value, b.Value))
	})
	return out
}
