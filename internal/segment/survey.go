package segment

import (
	"cmp"
	"slices"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/prediction"
)

// survey looks at all records before the first is written, because the columns follow from them.
type survey struct {
	model  string
	rows   int64
	erased int64
	view   prediction.View

	fields                 []field
	tallies                []tally // of fields
	flags                  int64
	features, attributions names
}

// tally counts the values of one name by what a column could hold.
type tally struct {
	name      string
	records   int64 // that have the name
	exact     int64 // numbers that a double holds
	fractions int64 // of them, those that are no integers
	large     int64 // integers that a double does not hold
	texts     int64
	booleans  int64

	sampled  int // of the first numbers
	distinct map[uint64]struct{}
}

// sampleNumbers is how many numbers of a name are looked at for how often they repeat.
const sampleNumbers = 2048

// sample looks at one of the first numbers.
func (t *tally) sample(v prediction.Raw) {
	if t.distinct == nil {
		t.distinct = make(map[uint64]struct{})
	}
	t.sampled++
	t.distinct[v.Bits] = struct{}{} // an integer with the bits of a number is rare, and does no harm
}

// repeats reports whether the numbers are better written as a dictionary and indexes into it, as
// counts, codes and shares of a few digits are: they take less then, and are read twice as fast. Numbers
// that hardly repeat would only fill the dictionary for nothing.
func (t *tally) repeats() bool { return len(t.distinct) < t.sampled-t.sampled/16 }

func (t *tally) add(v prediction.Raw) {
	t.records++
	if t.sampled < sampleNumbers && (v.Kind == prediction.Int || v.Kind == prediction.Float) {
		t.sample(v)
	}
	switch v.Kind {
	case prediction.Int:
		if exactly(int64(v.Bits)) {
			t.exact++
		} else {
			t.large++
		}
	case prediction.Float:
		t.exact++
		t.fractions++
	case prediction.Text:
		t.texts++
	case prediction.Bool:
		t.booleans++
	}
}

// exactly reports whether a double holds i.
func exactly(i int64) bool {
	const sure = 1 << 53
	if -sure <= i && i <= sure {
		return true
	}
	_, exact := prediction.Integer(i).Float()
	return exact
}

// store decides how the column holds its values: as the type that most of them have, numbers before
// texts before booleans. Numbers are doubles, unless all are integers and some need all 64 bits.
func (t *tally) store() storage {
	numbers := t.exact + t.large
	switch {
	case t.texts > numbers && t.texts >= t.booleans:
		return asText
	case t.booleans > numbers:
		return asBoolean
	case t.large > 0 && t.fractions == 0:
		return asInteger
	}
	return asDouble
}

// misfits returns how many values do not fit the column.
func (t *tally) misfits() int64 {
	switch t.store() {
	case asText:
		return t.exact + t.large + t.booleans
	case asBoolean:
		return t.exact + t.large + t.texts
	case asInteger:
		return t.texts + t.booleans
	}
	return t.large + t.texts + t.booleans
}

// names are tallies by name. Most records have the names of the one before.
type names struct {
	all    map[string]*tally
	last   []*tally
	layout int // of the names in last
}

func (n *names) add(v *prediction.View, f []prediction.RawFeature, layout int) {
	if len(f) == 0 {
		return
	}
	if layout == n.layout && len(f) == len(n.last) {
		for i, t := range n.last {
			t.add(f[i].Value)
		}
		return
	}
	n.layout, n.last = layout, n.last[:min(len(f), len(n.last))]
	for i := range f {
		name := v.Name(f[i])
		if i < len(n.last) && n.last[i].name == string(name) {
			n.last[i].add(f[i].Value)
			continue
		}
		t := n.all[string(name)]
		if t == nil {
			t = &tally{name: string(name)}
			if n.all == nil {
				n.all = map[string]*tally{}
			}
			n.all[t.name] = t
		}
		if i < len(n.last) {
			n.last[i] = t
		} else {
			n.last = append(n.last, t)
		}
		t.add(f[i].Value)
	}
}

// columns returns the names that get a column, in order, and whether some do not.
func (n *names) columns(prefix string) (columns []valueColumn, overflow bool) {
	var chosen []*tally
	for _, t := range n.all {
		chosen = append(chosen, t)
		overflow = overflow || t.misfits() > 0
	}
	slices.SortFunc(chosen, func(a, b *tally) int {
		return cmp.Or(cmp.Compare(b.records, a.records), strings.Compare(a.name, b.name))
	})
	overflow = overflow || len(chosen) > maxColumns
	for _, t := range chosen[:min(len(chosen), maxColumns)] {
		columns = append(columns, valueColumn{t.name, prefix + t.name, t.store(), t.repeats()})
	}
	slices.SortFunc(columns, func(a, b valueColumn) int { return strings.Compare(a.name, b.name) })
	return columns, overflow
}

// valueColumn is a column for the values of a feature or attribution.
type valueColumn struct {
	name   string
	column string
	store  storage
	coded  bool // numbers by a dictionary
}

func newSurvey(model string) *survey {
	s := &survey{model: model, fields: fields()}
	s.tallies = make([]tally, len(s.fields))
	return s
}

// add looks at one entry.
func (s *survey) add(e Entry) error {
	if s.rows++; s.rows > MaxRecords {
		return tallystick.Errorf(tallystick.Invalid, "a segment file holds %d records at most", MaxRecords)
	}
	if e.Encoding == nil {
		s.erased++
		return nil
	}
	v := &s.view
	if err := v.Decode(e.Encoding); err != nil {
		return err
	}
	model := v.Bytes(v.Field(prediction.TagModel))
	if s.model == "" {
		s.model = string(model)
	}
	if string(model) != s.model {
		return tallystick.Errorf(tallystick.Invalid, "the record is of model %q, the segment of %q", model, s.model)
	}
	for i, f := range s.fields {
		if r := v.Field(f.tag); r.Kind != prediction.Null {
			s.tallies[i].add(r)
		}
	}
	if len(v.Flags) > 0 {
		s.flags++
	}
	features, attributions := v.Layouts()
	s.features.add(v, v.Features, features)
	s.attributions.add(v, v.Attributions, attributions)
	return nil
}

// layout is what the survey decides.
type layout struct {
	fields                 []field // each with its storage
	features, attributions []valueColumn
	absent, overflow       bool // whether these columns are there
}

func (s *survey) settle() layout {
	var l layout
	for i, f := range s.fields {
		t := &s.tallies[i]
		if t.records == 0 && (f.tag != prediction.TagFlags || s.flags == 0) {
			continue
		}
		if f.store == 0 {
			f.store, f.coded = t.store(), t.repeats()
			l.overflow = l.overflow || t.misfits() > 0
		}
		l.fields = append(l.fields, f)
	}
	var more bool
	l.features, more = s.features.columns(featurePrefix)
	l.overflow = l.overflow || more
	l.attributions, more = s.attributions.columns(attributionPrefix)
	l.overflow = l.overflow || more
	for _, c := range l.features {
		l.absent = l.absent || s.features.all[c.name].records < s.rows-s.erased
	}
	return l
}
