package segment

import (
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/prediction"
)

// Write writes the records, which must all be of one model, as the segment of the given name, and tells what was
// written. They are encodings, or what [prediction.Kept.Append] makes of those with bodies, and must stay as they are until it returns. Where they are more than a
// row group it goes through them twice, and they must be the same each time. The same records make the same bytes.
func Write(w io.Writer, segment string, records iter.Seq2[[]byte, error]) (*Summary, error) {
	if !validLabel(segment) {
		return nil, tallystick.Errorf(tallystick.Invalid, "%q cannot name a segment", segment).
			WithHint("use up to %d printable ASCII characters without spaces", maxLabel)
	}
	return write(w, "", []string{segment}, func(yield func(placed, error) bool) {
		for record, err := range records {
			var k prediction.Kept
			if err == nil {
				k, err = prediction.ParseKept(record)
			}
			if !yield(placed{Entry: Entry{Encoding: k.Encoding, Bodies: k.Bodies}}, err) {
				return
			}
		}
	})
}

// placed is an entry of one of the parts. Its leaf counts only if it is erased.
type placed struct {
	part     int
	fleeting bool // the encoding is another one when the next entry is asked for
	Entry
}

// errChanged says that the second look was not like the first.
var errChanged = errors.New("write segment: the records are not the same the second time")

// write writes the entries, part by part, as segments of the given names. An empty model is that of
// the first record.
func write(w io.Writer, model string, segments []string, entries iter.Seq2[placed, error]) (*Summary, error) {
	g, s := newGroup(model), &survey{}
	counts := make([]int64, len(segments))
	for e, err := range entries {
		if err != nil {
			return nil, err
		}
		if s.rows++; s.rows > MaxRecords {
			return nil, tallystick.Errorf(tallystick.Invalid, "a segment file holds %d records at most", MaxRecords)
		}
		if s.rows == s.kept+1 && !g.full() {
			s.kept++
			err = g.add(e)
		} else {
			err = s.look(g, e)
		}
		if err != nil {
			return nil, fmt.Errorf("segment %q, record %d: %w", segments[e.part], counts[e.part], err)
		}
		counts[e.part]++
	}
	for i, n := range counts {
		if n == 0 {
			return nil, tallystick.Errorf(tallystick.Invalid, "segment %q has no records", segments[i])
		}
	}
	file, err := newFileWriter(w, g, s.settle(g))
	if err != nil {
		return nil, err
	}
	defer file.release()
	out := &writer{segments: segments, counts: counts, group: g, file: file}
	out.summary.Model = g.model
	if err := out.write(); err != nil {
		return nil, err
	}
	if s.rows > s.kept {
		if err := out.others(s.kept, entries); err != nil {
			return nil, err
		}
	}
	return out.close()
}

// others writes the row groups after the first, which had as many rows as are to be skipped.
func (w *writer) others(skip int64, entries iter.Seq2[placed, error]) error {
	g := w.group
	for e, err := range entries {
		if err != nil {
			return err
		}
		if skip--; skip >= 0 {
			continue
		}
		if g.full() {
			if err := w.write(); err != nil {
				return err
			}
		}
		if err := g.add(e); err != nil {
			return err
		}
	}
	if len(g.rows) == 0 {
		return errChanged
	}
	return w.write()
}

// writer writes row groups.
type writer struct {
	summary  Summary
	segments []string
	counts   []int64 // records that the survey saw
	tree     frontier
	group    *group
	file     *fileWriter
	view     prediction.View
	values   prediction.Features // of one record, for the overflow
}

// write writes the row group and empties it.
func (w *writer) write() error {
	g := w.group
	if err := w.hash(); err != nil {
		return err
	}
	w.markAbsent()
	if err := w.spill(); err != nil {
		return err
	}
	if err := w.file.writeGroup(); err != nil {
		return err
	}
	g.reset()
	return nil
}

// hash makes the tree of the leaves, and gives the last of every 256 their root.
func (w *writer) hash() error {
	g := w.group
	for row := range g.rows {
		part := len(w.summary.Parts)
		if g.rows[row].part != part || part == len(w.counts) {
			return errChanged
		}
		if tile, complete := w.tree.append(Hash(g.leaf.fixed[row*len(Hash{}):])); complete {
			g.tile.addFixed(row, tile[:])
		}
		if n := int64(w.tree.size); n == w.counts[part] {
			w.summary.Parts = append(w.summary.Parts, Part{w.segments[part], n, rootDigest(w.tree.root())})
			w.tree = frontier{}
		}
	}
	w.summary.Count += int64(len(g.rows))
	w.summary.Erased += int64(g.erased)
	return nil
}

// markAbsent fills the column that says which features a record does not have.
func (w *writer) markAbsent() {
	g, features := w.group, w.file.layout.features
	stride := (len(features) + 7) / 8
	var bits []byte
	for i, f := range features {
		if f.n == len(g.rows) {
			continue
		}
		if bits == nil {
			bits = make([]byte, stride*len(g.rows))
		}
		next := 0
		for row := range g.rows {
			if next < f.n && f.row(next) == row {
				next++
			} else {
				bits[row*stride+i/8] |= 1 << (i % 8)
			}
		}
	}
	for row := 0; bits != nil && row < len(g.rows); row++ {
		of := bits[row*stride:][:stride]
		some := byte(0)
		for _, b := range of {
			some |= b
		}
		if some != 0 && g.rows[row].encoding != nil {
			g.absent.addText(g, row, g.keep(of))
		}
	}
}

// spill fills the column for what does not fit the others.
func (w *writer) spill() error {
	g, l := w.group, w.file.layout
	some := g.stray
	mark := func(row int) {
		if some == nil {
			some = make([]bool, groupRows)
		}
		some[row] = true
	}
	for _, c := range l.misfits {
		for i, kind := range c.cells.kinds[:c.cells.n] {
			if kind != prediction.Null && !c.store.fits(kind, c.cells.bits[i]) {
				mark(c.cells.row(i))
			}
		}
	}
	for _, s := range l.dropped {
		for i := range s.n {
			mark(s.row(i))
		}
	}
	for row := 0; some != nil && row < len(g.rows); row++ {
		if !some[row] {
			continue
		}
		if err := w.view.Decode(g.rows[row].encoding); err != nil {
			return err
		}
		w.gather()
		g.json = w.values.AppendJSON(g.json[:0])
		g.overflow.addText(g, row, g.keep(g.json))
	}
	return nil
}

// gather collects what of the record in view no column holds.
func (w *writer) gather() {
	v := &w.view
	w.values = w.values[:0]
	put := func(column string, raw prediction.Raw) {
		store := w.file.layout.stores[column]
		if store == 0 || raw.Kind != prediction.Null && !store.fits(raw.Kind, raw.Bits) {
			w.values = append(w.values, prediction.Feature{Name: column, Value: v.Value(raw)})
		}
	}
	for _, f := range w.group.fields {
		if raw := v.Field(f.tag); f.store == 0 && raw.Kind != prediction.Null {
			put(f.name, raw)
		}
	}
	for _, f := range v.Features {
		put(featurePrefix+string(v.Name(f)), f.Value)
	}
	for _, f := range v.Attributions {
		put(attributionPrefix+string(v.Name(f)), f.Value)
	}
}

// close ends the file.
func (w *writer) close() (*Summary, error) {
	if len(w.summary.Parts) != len(w.segments) {
		return nil, errChanged
	}
	s := &w.summary
	f := w.file
	meta := metadata{Version: 1, Model: s.Model, Parts: s.Parts}
	var err error
	if s.Bytes, s.Digest, err = f.close(meta.encode()); err != nil {
		return nil, err
	}
	s.FirstID, s.LastID, s.FirstTime, s.LastTime = f.firstID, f.lastID, f.firstTime, f.lastTime
	return s, nil
}
