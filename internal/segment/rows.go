package segment

import (
	"encoding/json"
	"iter"
	"strings"

	"github.com/tallystick/tallystick/internal/prediction"
)

// rows puts records together again from the columns.
type rows struct {
	file    *File
	room    *room
	cursors []*cursor // of all known columns
	leaf    *cursor
	tile    *cursor
	id      *cursor // nil if all are erased
	fields  []fieldCursor

	features, attributions []valueCursor
	absent, overflow       *cursor
	request, response      *cursor

	view     prediction.View
	spilled  prediction.Features // of the present row
	encoding []byte
}

type fieldCursor struct {
	field
	cursor *cursor
}

type valueCursor struct {
	name   []byte
	column string
	cursor *cursor
}

// newRows returns the rows of a file, with their bodies or without.
func newRows(f *File, bodies bool) *rows {
	r := &rows{file: f, room: newRoom()}
	cursors := map[string]*cursor{}
	for _, c := range f.columns {
		if !bodies && (c.name == columnRequest || c.name == columnResponse) {
			continue
		}
		cur := newCursor(f, c, r.room)
		r.cursors = append(r.cursors, cur)
		cursors[c.name] = cur
		// The file's columns are in the order of their names, and so are the features.
		if name, ok := strings.CutPrefix(c.name, featurePrefix); ok {
			r.features = append(r.features, valueCursor{[]byte(name), c.name, cur})
		} else if name, ok := strings.CutPrefix(c.name, attributionPrefix); ok {
			r.attributions = append(r.attributions, valueCursor{[]byte(name), c.name, cur})
		}
	}
	for _, field := range fields() {
		if cur := cursors[field.name]; cur != nil {
			r.fields = append(r.fields, fieldCursor{field, cur})
		}
	}
	r.leaf, r.tile, r.id = cursors[columnLeaf], cursors[columnTile], cursors[columnID]
	r.absent, r.overflow = cursors[columnAbsent], cursors[columnOverflow]
	r.request, r.response = cursors[columnRequest], cursors[columnResponse]
	return r
}

// ready returns how many rows all open pages have to come; 0 at the end.
func (r *rows) ready() (int, error) {
	n := maxPageRows
	for _, c := range r.cursors {
		k, err := c.ready()
		if err != nil {
			return 0, faultf("column %q: %v", clip(c.pages.column.name), err)
		}
		n = min(n, k)
	}
	return n, nil
}

// take steps over the present row.
func (r *rows) take() {
	for _, c := range r.cursors {
		c.used++
	}
}

// isNull reports whether the present row has nothing in the column.
func (c *cursor) isNull() bool { return c == nil || c.null[c.used] }

// entry returns what stands in the present row, in memory that is used for the next one too.
func (r *rows) entry() (Entry, error) {
	if r.leaf.isNull() {
		return Entry{}, faultf("a row has no leaf")
	}
	e := Entry{Leaf: prediction.Leaf(r.leaf.bytes[r.leaf.used])}
	if r.id.isNull() {
		for _, c := range r.cursors {
			if !c.isNull() && c != r.leaf && c != r.tile {
				return Entry{}, faultf("an erased record has a value in column %q", clip(c.pages.column.name))
			}
		}
		return e, nil
	}
	if err := r.build(); err != nil {
		return Entry{}, err
	}
	if model := r.view.Bytes(r.view.Field(prediction.TagModel)); string(model) != r.file.meta.Model {
		return Entry{}, faultf("a record is of model %q, the file of %q", clip(string(model)), r.file.meta.Model)
	}
	var err error
	if r.encoding, err = r.view.Append(r.encoding[:0]); err != nil {
		return Entry{}, faultf("%v", err)
	}
	if prediction.LeafOf(r.encoding) != e.Leaf {
		return Entry{}, faultf("a record is not the one of its leaf")
	}
	e.Encoding, e.Bodies = r.encoding, prediction.Bodies{Request: r.request.body(), Response: r.response.body()}
	if e.Bodies.Request != nil || e.Bodies.Response != nil {
		if err := r.view.Check(e.Bodies); err != nil {
			return Entry{}, faultf("%v", err)
		}
	}
	return e, nil
}

// body returns the body in the present row, nil if there is none.
func (c *cursor) body() []byte {
	if c.isNull() {
		return nil
	}
	return c.bytes[c.used]
}

// build makes the view of the present row.
func (r *rows) build() error {
	v := &r.view
	v.Reset()
	r.spilled = r.spilled[:0]
	if !r.overflow.isNull() {
		if err := json.Unmarshal(r.overflow.bytes[r.overflow.used], &r.spilled); err != nil {
			return faultf("the overflow of a record: %v", err)
		}
	}
	for i := range r.fields {
		if f := &r.fields[i]; !f.cursor.isNull() {
			if err := f.put(v); err != nil {
				return err
			}
		}
	}
	var absent []byte
	if !r.absent.isNull() {
		if absent = r.absent.bytes[r.absent.used]; len(absent) != (len(r.features)+7)/8 {
			return faultf("a record does not say which of its %d features are absent", len(r.features))
		}
	}
	for i := range r.features {
		f := &r.features[i]
		switch {
		case !f.cursor.isNull():
			v.PutFeature(f.name, f.cursor.value())
		case absent != nil && absent[i/8]>>(i%8)&1 == 1:
		default:
			if _, spilled := r.spilled.Get(f.column); !spilled {
				v.PutFeature(f.name, prediction.Value{})
			}
		}
	}
	for i := range r.attributions {
		if f := &r.attributions[i]; !f.cursor.isNull() {
			v.PutAttribution(f.name, f.cursor.value())
		}
	}
	return r.gather()
}

// gather adds what was in the overflow.
func (r *rows) gather() error {
next:
	for _, s := range r.spilled {
		if name, ok := strings.CutPrefix(s.Name, featurePrefix); ok {
			r.view.PutFeature([]byte(name), s.Value)
			continue
		}
		if name, ok := strings.CutPrefix(s.Name, attributionPrefix); ok {
			r.view.PutAttribution([]byte(name), s.Value)
			continue
		}
		for _, field := range r.fields {
			if field.name == s.Name && field.isValue() {
				r.view.PutValue(field.tag, s.Value)
				continue next
			}
		}
		return faultf("the overflow of a record has a value of %q", clip(s.Name))
	}
	return nil
}

// isValue reports whether the field holds a value of any type.
func (f field) isValue() bool {
	switch f.tag {
	case prediction.TagOutput, prediction.TagScore, prediction.TagThreshold, prediction.TagOverrideFrom:
		return true
	}
	return false
}

// put gives v the field's value in the present row.
func (f *fieldCursor) put(v *prediction.View) error {
	c := f.cursor
	switch {
	case f.isValue():
		v.PutValue(f.tag, c.value())
	case f.tag == prediction.TagFlags:
		var flags []string
		if err := json.Unmarshal(c.bytes[c.used], &flags); err != nil {
			return faultf("the flags of a record: %v", err)
		}
		for _, flag := range flags {
			v.PutFlag(flag)
		}
	case f.store == asTime || f.store == asInteger || f.store == asBoolean:
		v.PutBits(f.tag, uint64(c.ints[c.used]))
	default:
		v.PutBytes(f.tag, c.bytes[c.used])
	}
	return nil
}

// value returns the value of the present row, which is not null.
func (c *cursor) value() prediction.Value {
	switch c.pages.column.store {
	case asDouble:
		return prediction.Number(c.floats[c.used])
	case asInteger:
		return prediction.Integer(c.ints[c.used])
	case asBoolean:
		return prediction.Boolean(c.ints[c.used] != 0)
	}
	return prediction.String(string(c.bytes[c.used]))
}

// Entries yields what stands in every row, in order; an encoding is valid until the next. Each
// record is held against its leaf, and at the end of each part the leaves against its root: without
// an error the file is what it says. Whether the roots are those that were registered is for the
// caller to see.
func (f *File) Entries() iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for e, err := range f.placed() {
			if !yield(e.Entry, err) {
				return
			}
		}
	}
}

// placed is Entries, with the parts.
func (f *File) placed() iter.Seq2[placed, error] {
	return func(yield func(placed, error) bool) {
		if err := f.each(func(e placed) bool { return yield(e, nil) }); err != nil {
			yield(placed{}, damaged(err))
		}
	}
}

func (f *File) each(yield func(placed) bool) error {
	r := newRows(f, true)
	defer r.room.close()
	part, tree, row := 0, frontier{}, int64(0)
	for {
		n, err := r.ready()
		if err != nil {
			return err
		}
		if n == 0 {
			return nil
		}
		for range n {
			e, err := r.entry()
			if err != nil {
				return faultf("row %d: %v", row, err)
			}
			tile, complete := tree.append(e.Leaf)
			if complete == r.tile.isNull() || complete && Hash(r.tile.bytes[r.tile.used]) != tile {
				return faultf("row %d: the root of a tile is not that of its leaves", row)
			}
			here := placed{part, true, e}
			if p := f.meta.Parts[part]; int64(tree.size) == p.Count {
				if rootDigest(tree.root()) != p.Root {
					return faultf("the records of segment %q are not those of its root", p.Segment)
				}
				part, tree = part+1, frontier{}
			}
			r.take()
			row++
			if !yield(here) {
				return nil
			}
		}
	}
}
