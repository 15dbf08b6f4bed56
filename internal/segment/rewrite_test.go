package segment_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/segment"
)

func idAt(t *testing.T, encodings [][]byte, i int) prediction.ID {
	t.Helper()
	r, err := prediction.Decode(encodings[i])
	if err != nil {
		t.Fatal(err)
	}
	return r.ID
}

// TestErase forgets records: nothing of them is left but the leaf, and all proofs hold.
func TestErase(t *testing.T) {
	t.Parallel()
	encodings := shaped(t, 1000)
	data, before := written(t, "s", encodings)
	f := opened(t, data)
	ids := []prediction.ID{idAt(t, encodings, 0), idAt(t, encodings, 300), idAt(t, encodings, 999)}
	var out bytes.Buffer
	after, err := segment.Erase(&out, f, ids)
	if err != nil {
		t.Fatal(err)
	}
	if after.Erased != 3 || after.Count != 1000 || after.Digest == before.Digest {
		t.Errorf("%+v", after)
	}
	if diff := cmp.Diff(before.Parts, after.Parts); diff != "" {
		t.Error(diff)
	}
	erased := opened(t, out.Bytes())
	root := rootBytes(t, before.Parts[0].Root)
	for i, e := range entries(t, erased) {
		gone := i == 0 || i == 300 || i == 999
		if gone != (e.Encoding == nil) || e.Leaf != prediction.LeafOf(encodings[i]) {
			t.Errorf("record %d: %+v", i, e)
		}
		if i%111 == 0 || gone {
			p, err := erased.Prove(int64(i))
			if err != nil {
				t.Fatal(err)
			}
			if err := p.Verify(e.Leaf, root); err != nil {
				t.Errorf("record %d: %v", i, err)
			}
		}
	}
	for _, id := range ids {
		if _, err := erased.Find(id); tallystick.CodeOf(err) != tallystick.NotFound {
			t.Errorf("%s: %v", id, err)
		}
		if bytes.Contains(out.Bytes(), id[:]) {
			t.Errorf("the ID %s is still in the file", id)
		}
	}
	if e, err := erased.At(300); err != nil || e.Encoding != nil {
		t.Errorf("%+v, %v", e, err)
	}
	if _, err := segment.Erase(&out, erased, ids); tallystick.CodeOf(err) != tallystick.NotFound {
		t.Errorf("erased again: %v", err)
	}
	// The last ones can go too.
	all := make([]prediction.ID, 1000)
	for i := range all {
		all[i] = idAt(t, encodings, i)
	}
	out.Reset()
	after, err = segment.Erase(&out, f, all)
	if err != nil || after.Erased != 1000 || after.Model != "credit-risk" {
		t.Fatalf("%+v, %v", after, err)
	}
	none := opened(t, out.Bytes())
	if got := entries(t, none); len(got) != 1000 || got[17].Leaf != prediction.LeafOf(encodings[17]) {
		t.Errorf("%d entries", len(got))
	}
	if _, err := none.Find(ids[0]); tallystick.CodeOf(err) != tallystick.NotFound {
		t.Errorf("%v", err)
	}
}

// TestCompact joins files whose records have different features, one with an erased record, and the
// result with another.
func TestCompact(t *testing.T) {
	t.Parallel()
	var all [][]byte
	var parts []segment.Part
	var files []*segment.File
	for i, n := range []int{300, 1, 9000, 256} {
		encodings := odd(t, uint64(100+i), n)
		data, summary := written(t, string(rune('a'+i)), encodings)
		if i == 0 {
			var out bytes.Buffer
			if _, err := segment.Erase(&out, opened(t, data), []prediction.ID{idAt(t, encodings, 5)}); err != nil {
				t.Fatal(err)
			}
			data = out.Bytes()
		}
		all, parts, files = append(all, encodings...), append(parts, summary.Parts...), append(files, opened(t, data))
	}
	var first, second bytes.Buffer
	if _, err := segment.Compact(&first, files[:3]...); err != nil {
		t.Fatal(err)
	}
	summary, err := segment.Compact(&second, opened(t, first.Bytes()), files[3])
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(parts, summary.Parts); diff != "" || summary.Erased != 1 || summary.Count != int64(len(all)) {
		t.Errorf("%s %+v", diff, summary)
	}
	f := opened(t, second.Bytes())
	for i, e := range entries(t, f) {
		if e.Leaf != prediction.LeafOf(all[i]) || (i == 5) != (e.Encoding == nil) {
			t.Fatalf("row %d: %+v", i, e)
		}
	}
	for row := 0; row < len(all); row += 101 {
		p, err := f.Prove(int64(row))
		if err != nil {
			t.Fatal(err)
		}
		part, index, err := f.Place(int64(row))
		if err != nil || p.Segment != parts[part].Segment || p.Index != uint64(index) {
			t.Fatalf("row %d: part %d, index %d, %v, proof %+v", row, part, index, err, p)
		}
		if err := p.Verify(prediction.LeafOf(all[row]), rootBytes(t, parts[part].Root)); err != nil {
			t.Errorf("row %d: %v", row, err)
		}
	}
	if _, err := segment.Compact(&second, files[0], files[0]); tallystick.CodeOf(err) != tallystick.Invalid {
		t.Errorf("a file with itself: %v", err)
	}
	data, _ := written(t, "other", shaped(t, 3))
	if _, err := segment.Compact(&second, files[0], opened(t, data)); tallystick.CodeOf(err) != tallystick.Invalid {
		t.Errorf("files of two models: %v", err)
	}
}

func TestWriteRefuses(t *testing.T) {
	t.Parallel()
	a, b := odd(t, 1, 2), shaped(t, 1)
	calls := 0
	changing := func(yield func([]byte, error) bool) { // more than a row group
		calls++
		for range 1<<16 + 2 - calls {
			if !yield(a[0], nil) {
				return
			}
		}
	}
	failing := func(yield func([]byte, error) bool) {
		yield(nil, tallystick.Errorf(tallystick.Unavailable, "gone"))
	}
	for name, write := range map[string]func() error{
		"no records": func() error { _, err := segment.Write(&bytes.Buffer{}, "s", each(nil)); return err },
		"no name":    func() error { _, err := segment.Write(&bytes.Buffer{}, "", each(a)); return err },
		"two models": func() error { _, err := segment.Write(&bytes.Buffer{}, "s", each([][]byte{a[0], b[0]})); return err },
		"no record": func() error {
			_, err := segment.Write(&bytes.Buffer{}, "s", each([][]byte{a[0], {1, 2, 3}}))
			return err
		},
		"other second": func() error { _, err := segment.Write(&bytes.Buffer{}, "s", changing); return err },
		"failure":      func() error { _, err := segment.Write(&bytes.Buffer{}, "s", failing); return err },
	} {
		if err := write(); err == nil {
			t.Errorf("%s: written", name)
		}
	}
}

// TestStrayNames writes records that hardly have a name in common: names beyond a limit get no column, and
// all values come back.
func TestStrayNames(t *testing.T) {
	t.Parallel()
	var encodings [][]byte
	for i, base := range shaped(t, 40) {
		r, err := prediction.Decode(base)
		if err != nil {
			t.Fatal(err)
		}
		features := map[string]prediction.Value{"common": prediction.Integer(int64(i))}
		for k := range 1000 {
			features[fmt.Sprintf("n%d", 1000*i+k)] = prediction.Integer(int64(k))
		}
		r.Features = prediction.NewFeatures(features)
		encoding, err := r.Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		encodings = append(encodings, encoding)
	}
	data, _ := written(t, "s", encodings)
	f := opened(t, data)
	if n := len(f.Columns()); n > 1100 {
		t.Errorf("%d columns", n)
	}
	for i, e := range entries(t, f) {
		if !bytes.Equal(e.Encoding, encodings[i]) {
			t.Fatalf("record %d came back as another", i)
		}
	}
}
