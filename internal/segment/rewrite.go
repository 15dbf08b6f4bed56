package segment

import (
	"io"
	"iter"
	"slices"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/prediction"
)

// Erase writes f anew without the records of these IDs: of each its leaf stays, so that all roots
// and all proofs of others hold. It is a NotFound error if none of them is there. What was written before an
// error is of no use.
func Erase(w io.Writer, f *File, ids []prediction.ID) (*Summary, error) {
	gone := make(map[prediction.ID]bool, len(ids))
	for _, id := range ids {
		gone[id] = true
	}
	found := false
	summary, err := write(w, f.meta.Model, f.segments(), func(yield func(placed, error) bool) {
		for e, err := range f.placed() {
			if id, ok := idOf(e.Encoding); ok && gone[id] {
				e.Encoding, found = nil, true
			}
			if !yield(e, err) {
				return
			}
		}
	})
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, tallystick.Errorf(tallystick.NotFound, "none of the %d records is in the segment file", len(ids))
	}
	return summary, f.meta.same(summary)
}

// idOf returns the ID of a record, which is the first field of every encoding.
func idOf(encoding []byte) (id prediction.ID, ok bool) {
	const before = 4 // version, tag, type, length
	if len(encoding) < before+len(id) {
		return id, false
	}
	return prediction.ID(encoding[before : before+len(id)]), true
}

// Compact writes the records of all files, which must be of one model and of different segments, into one, in
// this order. Every record keeps its segment and its index there, so that its proof lives on. Files of the same columns with
// large row groups are joined without unpacking them; others are written anew, with each record held against its leaf.
func Compact(w io.Writer, files ...*File) (*Summary, error) {
	if len(files) == 0 {
		return nil, tallystick.Errorf(tallystick.Invalid, "there is no segment file to compact")
	}
	want := metadata{Version: 1, Model: files[0].meta.Model}
	for _, f := range files {
		if f.meta.Model != want.Model {
			return nil, tallystick.Errorf(tallystick.Invalid, "segment files of two models, %q and %q, do not go together", want.Model, f.meta.Model)
		}
		want.Parts = append(want.Parts, f.meta.Parts...)
	}
	names := want.segments()
	if sorted := slices.Sorted(slices.Values(names)); len(slices.Compact(sorted)) != len(names) || len(names) > maxParts {
		return nil, tallystick.Errorf(tallystick.Invalid, "the files hold more than %d segments, or one of them twice", maxParts)
	}
	if takeable(files) {
		return take(w, &want, files)
	}
	summary, err := write(w, want.Model, names, joined(files))
	if err != nil {
		return nil, err
	}
	return summary, want.same(summary)
}

// joined yields the entries of all files, with the parts counted through.
func joined(files []*File) iter.Seq2[placed, error] {
	return func(yield func(placed, error) bool) {
		before := 0
		for _, f := range files {
			for e, err := range f.placed() {
				e.part += before
				if !yield(e, err) {
					return
				}
			}
			before += len(f.meta.Parts)
		}
	}
}

func (f *File) segments() []string { return f.meta.segments() }

func (m *metadata) segments() []string {
	names := make([]string, len(m.Parts))
	for i, p := range m.Parts {
		names[i] = p.Segment
	}
	return names
}

// same returns an error unless the trees are what they were.
func (m *metadata) same(s *Summary) error {
	if !slices.Equal(m.Parts, s.Parts) {
		return tallystick.Errorf(tallystick.Internal, "the rewritten segment file has other trees than before")
	}
	return nil
}
