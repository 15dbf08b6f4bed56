package segment

import (
	"cmp"
	"slices"
	"strings"

	"github.com/tallystick/tallystick/internal/prediction"
)

// tally counts the values of one name by what a column could hold, in all row groups.
type tally struct {
	name      string
	records   int64 // that have the name
	exact     int64 // numbers that a double holds
	fractions int64 // of them, those that are no integers
	large     int64 // integers that a double does not hold
	texts     int64
	booleans  int64

	sample []uint64 // the first numbers
}

// sampleNumbers is how many numbers of a name are looked at for how often they repeat.
const sampleNumbers = 2048

// repeats reports whether the numbers are better written as a dictionary and indexes into it, as
// counts, codes and shares of a few digits are: they take less then, and are read twice as fast. Numbers
// that hardly repeat would only fill the dictionary for nothing.
func (t *tally) repeats() bool {
	distinct := slices.Clone(t.sample) // an integer with the bits of a number is rare, and does no harm
	slices.Sort(distinct)
	return len(slices.Compact(distinct)) < len(t.sample)-len(t.sample)/16
}

func (t *tally) add(kind prediction.Kind, bits uint64) {
	t.records++
	switch kind {
	case prediction.Int:
		if exactly(int64(bits)) {
			t.exact++
		} else {
			t.large++
		}
	case prediction.Float:
		t.exact++
		t.fractions++
	case prediction.Text:
		t.texts++
		return
	case prediction.Bool:
		t.booleans++
		return
	default:
		return
	}
	if len(t.sample) < sampleNumbers {
		t.sample = append(t.sample, bits)
	}
}

// count takes the values of the row group into account.
func (s *series) count() {
	n := int64(s.n)
	switch {
	case s.n == 0:
	case len(s.fixed) > 0:
		s.records += n
	case s.met.only(prediction.Text):
		s.records += n
		s.tally.texts += n
	default:
		for i, kind := range s.kinds[:s.n] {
			s.tally.add(kind, s.bits[i])
		}
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

// survey looks at all records before the first is written, because the columns follow from them. Those of the
// first row group are kept, and in most files there are no others.
type survey struct {
	rows    int64
	kept    int64 // of them
	records int64 // that are not kept and not erased
	strays  bool  // among their names
}

// look takes a record into account that is not kept.
func (s *survey) look(g *group, e placed) error {
	if e.Encoding == nil {
		return nil
	}
	if err := g.decode(e.Encoding); err != nil {
		return err
	}
	s.records++
	v := &g.view
	for i := range g.fields {
		if raw := v.Field(g.fields[i].tag); raw.Kind != prediction.Null {
			g.columns[i].tally.add(raw.Kind, raw.Bits)
		}
	}
	if len(v.Flags) > 0 {
		g.flags.records++
	}
	if e.Bodies.Request != nil {
		g.request.records++
	}
	if e.Bodies.Response != nil {
		g.response.records++
	}
	features, attributions := v.Layouts()
	s.lookAt(g.features.of(v, v.Features, features), v.Features)
	s.lookAt(g.attributions.of(v, v.Attributions, attributions), v.Attributions)
	return nil
}

func (s *survey) lookAt(series []*series, f []prediction.RawFeature) {
	for i, at := range series {
		if at == nil {
			s.strays = true
			continue
		}
		at.tally.add(f[i].Value.Kind, f[i].Value.Bits)
	}
}

// layout is what the survey decides.
type layout struct {
	columns  []outColumn // by name
	features []*series   // of the columns for features, by name
	stores   map[string]storage
	misfits  []outColumn // columns of which some values have to go into the overflow
	dropped  []*series   // that have no column
	absent   bool        // whether there is such a column
	overflow bool
}

// outColumn is a column of the file.
type outColumn struct {
	name  string
	store storage
	coded bool // numbers by a dictionary
	bare  bool // without bounds: nobody looks for a range of these
	cells *cells
}

func (s *survey) settle(g *group) *layout {
	g.each(func(s *series) { s.count() })
	records := s.records + int64(len(g.rows)-g.erased)
	l := &layout{stores: map[string]storage{}, overflow: s.strays || g.stray != nil}
	for i, f := range g.fields {
		c := &g.columns[i]
		if c.records == 0 {
			continue
		}
		if f.store != 0 {
			l.columns = append(l.columns, outColumn{name: f.name, store: f.store, bare: f.bare, cells: &c.cells})
			continue
		}
		l.value(f.name, c)
	}
	l.features = l.choose(&g.features, featurePrefix)
	l.choose(&g.attributions, attributionPrefix)
	for _, f := range l.features {
		l.absent = l.absent || f.records < records
	}
	l.columns = append(l.columns, outColumn{name: columnLeaf, store: as32, bare: true, cells: &g.leaf},
		outColumn{name: columnTile, store: as32, bare: true, cells: &g.tile})
	for name, s := range map[string]*series{columnRequest: &g.request, columnResponse: &g.response} {
		if s.records+int64(s.n) > 0 {
			l.columns = append(l.columns, outColumn{name: name, store: asBytes, bare: true, cells: &s.cells})
		}
	}
	if l.absent {
		l.columns = append(l.columns, outColumn{name: columnAbsent, store: asBytes, bare: true, cells: &g.absent})
	}
	if l.overflow {
		l.columns = append(l.columns, outColumn{name: columnOverflow, store: asJSON, bare: true, cells: &g.overflow})
	}
	slices.SortFunc(l.columns, func(a, b outColumn) int { return strings.Compare(a.name, b.name) })
	return l
}

// value gives a series a column of the type that its values need.
func (l *layout) value(column string, s *series) {
	c := outColumn{name: column, store: s.store(), coded: s.repeats(), cells: &s.cells}
	l.columns = append(l.columns, c)
	l.stores[column] = c.store
	if s.misfits() > 0 {
		l.overflow = true
		l.misfits = append(l.misfits, c)
	}
}

// choose gives columns to the names that most records have, and returns them by name.
func (l *layout) choose(n *names, prefix string) []*series {
	var all []*series
	for _, s := range n.all {
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b *series) int {
		return cmp.Or(cmp.Compare(b.records, a.records), strings.Compare(a.name, b.name))
	})
	chosen := all[:min(len(all), maxColumns)]
	if l.dropped = append(l.dropped, all[len(chosen):]...); len(all) > len(chosen) {
		l.overflow = true
	}
	slices.SortFunc(chosen, func(a, b *series) int { return strings.Compare(a.name, b.name) })
	for _, s := range chosen {
		l.value(prefix+s.name, s)
	}
	return chosen
}
