package segment

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"math"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/prediction"
)

// Write writes the records, whose encodings must all be of one model, as the segment of the given
// name, and tells what was written. It goes through records twice, which must give the same each
// time; an encoding is not looked at after the next one is asked for. The same records make the
// same bytes.
func Write(w io.Writer, segment string, records iter.Seq2[[]byte, error]) (*Summary, error) {
	if !validLabel(segment) {
		return nil, tallystick.Errorf(tallystick.Invalid, "%q cannot name a segment", segment).
			WithHint("use up to %d printable ASCII characters without spaces", maxLabel)
	}
	return write(w, "", []string{segment}, func(yield func(placed, error) bool) {
		for encoding, err := range records {
			if !yield(placed{0, Entry{Encoding: encoding}}, err) {
				return
			}
		}
	})
}

// placed is an entry of one of the parts. Its leaf counts only if it is erased.
type placed struct {
	part int
	Entry
}

// errChanged says that the second look was not like the first.
var errChanged = errors.New("write segment: the records are not the same the second time")

// write writes the entries, part by part, as segments of the given names. An empty model is that of
// the first record.
func write(w io.Writer, model string, segments []string, entries iter.Seq2[placed, error]) (*Summary, error) {
	s := newSurvey(model)
	counts := make([]int64, len(segments))
	for e, err := range entries {
		if err != nil {
			return nil, err
		}
		if err := s.add(e.Entry); err != nil {
			return nil, fmt.Errorf("segment %q, record %d: %w", segments[e.part], counts[e.part], err)
		}
		counts[e.part]++
	}
	for i, n := range counts {
		if n == 0 {
			return nil, tallystick.Errorf(tallystick.Invalid, "segment %q has no records", segments[i])
		}
	}
	out := &writer{segments: segments, counts: counts, file: newFileWriter(w, s.settle())}
	out.summary.Model = s.model
	for e, err := range entries {
		if err != nil {
			return nil, err
		}
		if err := out.add(e); err != nil {
			return nil, err
		}
	}
	return out.close()
}

// writer turns records into rows.
type writer struct {
	summary  Summary
	segments []string
	counts   []int64 // records that the survey saw
	tree     frontier
	file     *fileWriter
	view     prediction.View

	features, attributions mapping

	overflow prediction.Features
	text     []byte
}

// add writes one entry and ends the part with its last.
func (w *writer) add(e placed) error {
	part := len(w.summary.Parts)
	if e.part != part || part == len(w.counts) {
		return errChanged
	}
	if e.Encoding != nil {
		e.Leaf = prediction.LeafOf(e.Encoding)
	}
	tile, complete := w.tree.append(e.Leaf)
	if err := w.row(e.Entry, tile, complete); err != nil {
		return err
	}
	if n := int64(w.tree.size); n == w.counts[part] {
		w.summary.Parts = append(w.summary.Parts, Part{w.segments[part], n, rootDigest(w.tree.root())})
		w.tree = frontier{}
	}
	return nil
}

func (w *writer) row(e Entry, tile Hash, complete bool) error {
	f := w.file
	f.setBytes(f.leafAt, f.keep(e.Leaf[:]))
	if complete {
		f.setBytes(f.tileAt, f.keep(tile[:]))
	}
	w.summary.Count++
	if e.Encoding == nil {
		w.summary.Erased++
		return f.endRow(0)
	}
	v := &w.view
	if err := v.Decode(f.keep(e.Encoding)); err != nil {
		return err
	}
	if string(v.Bytes(v.Field(prediction.TagModel))) != w.summary.Model {
		return errChanged
	}
	w.summary.see(v)
	if !w.fill(v) {
		return errChanged
	}
	return f.endRow(len(e.Encoding))
}

// see takes a record into account.
func (s *Summary) see(v *prediction.View) {
	id := prediction.ID(v.Bytes(v.Field(prediction.TagID)))
	at := prediction.Time(v.Field(prediction.TagTime).Bits)
	if s.Count-s.Erased == 1 {
		s.FirstID, s.LastID, s.FirstTime, s.LastTime = id, id, at, at
		return
	}
	if string(id[:]) < string(s.FirstID[:]) {
		s.FirstID = id
	}
	if string(id[:]) > string(s.LastID[:]) {
		s.LastID = id
	}
	s.FirstTime, s.LastTime = min(s.FirstTime, at), max(s.LastTime, at)
}

// fill sets the cells of a record that are not empty. It returns false if there is no column for
// something, which the survey cannot have seen then.
func (w *writer) fill(v *prediction.View) bool {
	f := w.file
	w.overflow = w.overflow[:0]
	for i, field := range f.layout.fields {
		at := f.fieldAt[i]
		switch raw := v.Field(field.tag); {
		case field.tag == prediction.TagFlags:
			if len(v.Flags) > 0 {
				w.text = appendFlags(w.text[:0], v)
				f.setBytes(at, f.keep(w.text))
			}
		case raw.Kind != prediction.Null:
			w.set(at, field.store, field.name, v, raw)
		}
	}
	features, attributions := v.Layouts()
	w.features.find(v, v.Features, features, f.layout.features)
	w.values(v, v.Features, &w.features, f.layout.features, f.featureAt, featurePrefix)
	missing := w.features.some
	if missing {
		f.setBytes(f.absentAt, f.keep(w.features.absent))
	}
	w.attributions.find(v, v.Attributions, attributions, f.layout.attributions)
	w.values(v, v.Attributions, &w.attributions, f.layout.attributions, f.attributionAt, attributionPrefix)
	if len(w.overflow) > 0 {
		w.text = w.overflow.AppendJSON(w.text[:0])
		f.setBytes(f.overflowAt, f.keep(w.text))
	}
	return (!missing || f.layout.absent) && (len(w.overflow) == 0 || f.layout.overflow)
}

// set gives a value to its column, or to the overflow if it does not fit there.
func (w *writer) set(at int, store storage, column string, v *prediction.View, raw prediction.Raw) {
	switch f := w.file; {
	case raw.Kind == prediction.Null:
	case store == asDouble && raw.Kind == prediction.Float:
		f.setFloat(at, math.Float64frombits(raw.Bits))
	case store == asDouble && raw.Kind == prediction.Int && exactly(int64(raw.Bits)):
		f.setFloat(at, float64(int64(raw.Bits)))
	case raw.Kind == prediction.Octets, raw.Kind == prediction.Text && (store == asText || store == asJSON):
		f.setBytes(at, v.Bytes(raw))
	case store == asTime || store == asInteger && raw.Kind == prediction.Int, store == asBoolean && raw.Kind == prediction.Bool:
		f.setBits(at, raw.Bits)
	default:
		w.overflow = append(w.overflow, prediction.Feature{Name: column, Value: v.Value(raw)})
	}
}

// mapping tells which columns the names of a record have. Most records have those of the one before.
type mapping struct {
	layout int
	of     []int // by feature; -1 where there is no column
	absent []byte
	some   bool // columns are absent
}

// find settles the mapping for the features of v.
func (m *mapping) find(v *prediction.View, f []prediction.RawFeature, layout int, columns []valueColumn) {
	if len(f) > 0 && len(f) == len(m.of) && layout == m.layout {
		return
	}
	*m = mapping{layout: layout, of: m.of[:0], absent: append(m.absent[:0], make([]byte, (len(columns)+7)/8)...)}
	next := 0
	for i := range columns {
		for next < len(f) && string(v.Name(f[next])) < columns[i].name {
			m.of = append(m.of, -1)
			next++
		}
		if next < len(f) && string(v.Name(f[next])) == columns[i].name {
			m.of = append(m.of, i)
			next++
			continue
		}
		m.absent[i/8] |= 1 << (i % 8)
		m.some = true
	}
	for ; next < len(f); next++ {
		m.of = append(m.of, -1)
	}
}

// values sets the cells of all features or attributions.
func (w *writer) values(v *prediction.View, f []prediction.RawFeature, m *mapping, columns []valueColumn, at []int, prefix string) {
	for i, k := range m.of {
		if k < 0 {
			w.spill(v, f[i], prefix)
		} else {
			w.set(at[k], columns[k].store, columns[k].column, v, f[i].Value)
		}
	}
}

// spill puts a feature that has no column into the overflow.
func (w *writer) spill(v *prediction.View, f prediction.RawFeature, prefix string) {
	w.overflow = append(w.overflow, prediction.Feature{Name: prefix + string(v.Name(f)), Value: v.Value(f.Value)})
}

// appendFlags writes the flags as a JSON array.
func appendFlags(dst []byte, v *prediction.View) []byte {
	for i, flag := range v.Flags {
		dst = append(dst, "[,"[min(i, 1)])
		dst = v.Value(flag).AppendJSON(dst)
	}
	return append(dst, ']')
}

// close ends the file.
func (w *writer) close() (*Summary, error) {
	if len(w.summary.Parts) != len(w.segments) {
		return nil, errChanged
	}
	meta := metadata{Version: 1, Model: w.summary.Model, Parts: w.summary.Parts}
	var err error
	w.summary.Bytes, w.summary.Digest, err = w.file.close(meta.encode())
	if err != nil {
		return nil, err
	}
	return &w.summary, nil
}
