package segment

import (
	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/prediction"
)

// A row group ends with the record that makes one of these full, so that its columns fit into memory.
const (
	groupRows   = 1 << 15
	groupBytes  = 24 << 20 // of encodings
	groupValues = 1 << 21
)

// maxNames is how many different names of features the records of a file can have for one of
// them to get a column, and as many of attributions.
const maxNames = 1 << 15

// group has the records of a row group as columns, before it is known which of them the file has.
type group struct {
	model string // of the first record, if it was not given
	view  prediction.View

	values int
	size   int // of the encodings
	rows   []place
	made   blocks // texts that are in no encoding
	erased int    // rows
	stray  []bool // by row, whether a name is not among the names; nil if none is
	json   []byte

	fields                 []field
	columns                []series // of fields
	flags                  *series
	features, attributions names
	leaf, tile             cells
	absent, overflow       cells
	request, response      series // bodies, which are in no encoding
}

// place is where a row has its record.
type place struct {
	encoding []byte // nil if the record is erased
	part     int
	bodies   int // bytes of them
}

// series is one field or name: its values in the present row group, and what is known of those of
// all records.
type series struct {
	tally
	cells
}

// names are series by name. Most records have the names of the one before.
type names struct {
	all    map[string]*series
	last   []*series
	layout int // of the names in last
}

func newGroup(model string) *group {
	g := &group{model: model, fields: fields()}
	g.columns = make([]series, len(g.fields))
	for i, f := range g.fields {
		g.columns[i].lane = i
		if f.tag == prediction.TagFlags {
			g.flags = &g.columns[i]
		}
	}
	g.features.all, g.attributions.all = map[string]*series{}, map[string]*series{}
	return g
}

// each calls do for every series.
func (g *group) each(do func(*series)) {
	for i := range g.columns {
		do(&g.columns[i])
	}
	for _, n := range []*names{&g.features, &g.attributions} {
		for _, s := range n.all {
			do(s)
		}
	}
}

// reset empties g for the next row group.
func (g *group) reset() {
	g.each(func(s *series) { s.reset() })
	for _, c := range []*cells{&g.leaf, &g.tile, &g.absent, &g.overflow, &g.request.cells, &g.response.cells} {
		c.reset()
	}
	g.made.reset()
	clear(g.rows)
	g.rows, g.erased, g.size, g.values, g.stray = g.rows[:0], 0, 0, 0, nil
}

func (g *group) full() bool {
	return len(g.rows) >= groupRows || g.size >= groupBytes || g.values >= groupValues
}

// add adds a row.
func (g *group) add(e placed) error {
	row := len(g.rows)
	if e.Encoding == nil {
		g.rows = append(g.rows, place{nil, e.part, 0})
		g.leaf.addFixed(row, e.Leaf[:])
		g.erased++
		return nil
	}
	if err := g.decode(e.Encoding); err != nil {
		return err
	}
	if e.fleeting {
		e.Encoding, _ = g.made.keep(e.Encoding)
	}
	g.rows = append(g.rows, place{e.Encoding, e.part, 0})
	g.size += len(e.Encoding)
	leaf := prediction.LeafOf(e.Encoding)
	g.leaf.addFixed(row, leaf[:])
	g.spread(row)
	if e.Bodies.Request != nil || e.Bodies.Response != nil {
		return g.keepBodies(e.Bodies)
	}
	return nil
}

// keepBodies adds the bodies of the last row, whose record is in view.
func (g *group) keepBodies(b prediction.Bodies) error {
	if err := g.view.Check(b); err != nil {
		return err
	}
	row := len(g.rows) - 1
	for _, part := range [...]struct {
		into *series
		data []byte
	}{{&g.request, b.Request}, {&g.response, b.Response}} {
		switch n := len(part.data); {
		case n > prediction.MaxBody:
			return tallystick.Errorf(tallystick.Invalid, "a body has %d bytes, the limit is %d", n, prediction.MaxBody)
		case n > 0:
			part.into.addText(g, row, g.keep(part.data))
			g.rows[row].bodies += n
			g.size += n
		}
	}
	return nil
}

// decode makes the record the one in view.
func (g *group) decode(encoding []byte) error {
	v := &g.view
	if err := v.Decode(encoding); err != nil {
		return err
	}
	model := v.Bytes(v.Field(prediction.TagModel))
	if g.model == "" {
		g.model = string(model)
	}
	if string(model) != g.model {
		return tallystick.Errorf(tallystick.Invalid, "the record is of model %q, the segment of %q", model, g.model)
	}
	return nil
}

// spread hands the fields of the decoded record to their columns.
func (g *group) spread(row int) {
	v := &g.view
	for i := range g.fields {
		switch raw := v.Field(g.fields[i].tag); raw.Kind {
		case prediction.Null:
		case prediction.Octets:
			g.columns[i].addFixed(row, v.Bytes(raw))
		default:
			g.columns[i].cells.add(g, row, raw)
			g.values++
		}
	}
	if len(v.Flags) > 0 {
		g.json = appendFlags(g.json[:0], v)
		g.flags.addText(g, row, g.keep(g.json))
	}
	features, attributions := v.Layouts()
	g.spreadNames(g.features.of(v, v.Features, features), row, v.Features)
	g.spreadNames(g.attributions.of(v, v.Attributions, attributions), row, v.Attributions)
}

func (g *group) spreadNames(series []*series, row int, f []prediction.RawFeature) {
	g.values += len(f)
	for i, s := range series {
		if s != nil {
			s.cells.add(g, row, f[i].Value)
			continue
		}
		if g.stray == nil {
			g.stray = make([]bool, groupRows)
		}
		g.stray[row] = true
	}
}

// of returns the series of the names of a record, nil of those that are too many.
func (n *names) of(v *prediction.View, f []prediction.RawFeature, layout int) []*series {
	if len(f) == 0 {
		return nil
	}
	if layout != n.layout || len(f) != len(n.last) {
		n.find(v, f)
		n.layout = layout
	}
	return n.last
}

func (n *names) find(v *prediction.View, f []prediction.RawFeature) {
	n.last = n.last[:min(len(f), len(n.last))]
	for i := range f {
		name := v.Name(f[i])
		if i < len(n.last) && n.last[i] != nil && n.last[i].name == string(name) {
			continue
		}
		s := n.all[string(name)]
		if s == nil && len(n.all) < maxNames {
			s = &series{tally: tally{name: string(name)}, cells: cells{lane: (32 + len(n.all)) % 64}}
			n.all[s.name] = s
		}
		if i < len(n.last) {
			n.last[i] = s
		} else {
			n.last = append(n.last, s)
		}
	}
}

// appendFlags writes the flags as a JSON array.
func appendFlags(dst []byte, v *prediction.View) []byte {
	for i, flag := range v.Flags {
		dst = append(dst, "[,"[min(i, 1)])
		dst = v.Value(flag).AppendJSON(dst)
	}
	return append(dst, ']')
}
