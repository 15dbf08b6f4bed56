package rollup

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/query"
	"github.com/tallystick/tallystick/internal/window"
)

// Rules say what is counted of predictions.
type Rules struct {
	Reference *window.Reference // nil: features are not counted
	Counts    []query.Condition // of how many predictions each holds is counted
	Slices    []query.Condition // predictions of which one holds are counted by themselves too
}

// Bounds of rules.
const (
	MaxCounts = 100
	MaxSlices = 50
)

// written is what names rules.
type written struct {
	Reference tallystick.Digest `json:"reference_digest,omitempty"`
	Counts    []string          `json:"counts,omitempty"`
	Slices    []string          `json:"slices,omitempty"`
}

func (r *Rules) written() written {
	var w written
	if r.Reference != nil {
		w.Reference = r.Reference.Digest()
	}
	w.Counts, w.Slices = names(r.Counts), names(r.Slices)
	return w
}

func names(all []query.Condition) (names []string) {
	for _, c := range all {
		names = append(names, c.String())
	}
	return names
}

// series names the series of a model by these rules.
func (r *Rules) series(model string) (name string, document []byte, err error) {
	if document, err = json.Marshal(r.written()); err != nil {
		return "", nil, fmt.Errorf("rules of %s: %w", model, err)
	}
	return tallystick.DigestOf(append([]byte(model+"\n"), document...)).Hex(), document, nil
}

// covers reports whether who counts by these rules has counted what others ask for.
func (w written) covers(r *Rules) bool {
	asked := r.written()
	all := func(have, want []string) bool {
		return !slices.ContainsFunc(want, func(s string) bool { return !slices.Contains(have, s) })
	}
	return w.Reference == asked.Reference && all(w.Slices, asked.Slices) && all(w.Counts, asked.Counts)
}

// Add takes in what other rules of the same reference count too, and reports whether there is room.
func (r *Rules) Add(o *Rules) bool {
	counts, slices := union(r.Counts, o.Counts), union(r.Slices, o.Slices)
	if len(counts) > MaxCounts || len(slices) > MaxSlices {
		return false
	}
	r.Counts, r.Slices = counts, slices
	return true
}

// union returns the conditions of both in the order of their names.
func union(a, b []query.Condition) []query.Condition {
	all := slices.Concat(a, b)
	slices.SortFunc(all, func(x, y query.Condition) int { return strings.Compare(x.String(), y.String()) })
	return slices.CompactFunc(all, func(x, y query.Condition) bool { return x.String() == y.String() })
}

// The columns that a store reads before those of the rules.
const (
	columnVersion = iota
	columnEnvironment
	columnFirst
)

// Columns are the columns of predictions that are counted by the rules, the reference's first.
func (r *Rules) Columns() (columns []string) {
	if r.Reference != nil {
		for i := range r.Reference.Features {
			columns = append(columns, ColumnOf(&r.Reference.Features[i]))
		}
	}
	for _, c := range slices.Concat(r.Counts, r.Slices) {
		columns = append(columns, c.Column)
	}
	return columns
}

func (r *Rules) features() int {
	if r.Reference == nil {
		return 0
	}
	return len(r.Reference.Features)
}

// ColumnOf returns the column of predictions that a feature of a reference is.
func ColumnOf(f *window.Feature) string {
	if f.Role == window.RoleFeature {
		return "f_" + f.Name
	}
	return f.Role
}

// Tally returns an empty tally.
func (r *Rules) Tally() *Tally {
	t := &Tally{Counts: make([]int64, len(r.Counts))}
	if r.Reference != nil {
		t.Profile = r.Reference.Profile()
	}
	return t
}

// Answer returns an empty answer.
func (r *Rules) Answer() *Answer {
	a := &Answer{Tally: r.Tally()}
	for range r.Slices {
		a.Slices = append(a.Slices, r.Tally())
	}
	return a
}

// size bounds the bytes of memory of a tally.
func (r *Rules) size() int64 {
	size := int64(128 + 8*len(r.Counts))
	if r.Reference != nil {
		size += r.Reference.Size().Memory
	}
	return size
}
