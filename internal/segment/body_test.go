package segment_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/segment"
)

// withBodies returns records as they are kept, some of them with one body or both, and the bodies.
func withBodies(tb testing.TB, n, size int) (kept [][]byte, bodies []prediction.Bodies) {
	tb.Helper()
	for i, encoding := range shaped(tb, n) {
		r, err := prediction.Decode(encoding)
		if err != nil {
			tb.Fatal(err)
		}
		if i%3 != 0 {
			r.RequestBody = &prediction.Body{Type: "application/json", Data: bytes.Repeat(fmt.Appendf(nil, `{"row":%06d}`, i), 1+size/14)}
			r.BodyRule = "some"
		}
		if i%3 == 2 {
			r.ResponseBody = &prediction.Body{Data: []byte{0xff, byte(i)}}
		}
		if encoding, err = r.Append(nil); err != nil {
			tb.Fatal(err)
		}
		kept, bodies = append(kept, prediction.Kept{Encoding: encoding, Bodies: r.Bodies()}.Append(nil)), append(bodies, r.Bodies())
	}
	return kept, bodies
}

func equalBodies(a, b prediction.Bodies) bool {
	return bytes.Equal(a.Request, b.Request) && bytes.Equal(a.Response, b.Response) && (a.Request == nil) == (b.Request == nil) && (a.Response == nil) == (b.Response == nil)
}

// TestBodies: bodies come back with their records, go with an erased one, stay through a compaction, and change no leaf.
func TestBodies(t *testing.T) {
	t.Parallel()
	kept, bodies := withBodies(t, 600, 50)
	data, summary := written(t, "s1", kept)
	f := opened(t, data)
	bare := make([][]byte, len(kept))
	for i := range kept {
		k, err := prediction.ParseKept(kept[i])
		if err != nil {
			t.Fatal(err)
		}
		bare[i] = k.Encoding
	}
	if _, without := written(t, "s1", bare); without.Parts[0].Root != summary.Parts[0].Root {
		t.Error("bodies change the root")
	}
	look := func(f *segment.File, first int, gone ...int) {
		t.Helper()
		i := first
		for e, err := range f.Entries() {
			if err != nil {
				t.Fatal(err)
			}
			want := bodies[i%len(bodies)]
			if slices.Contains(gone, i) {
				want = prediction.Bodies{}
			}
			if !equalBodies(e.Bodies, want) {
				t.Fatalf("row %d has the bodies %.40q and %.40q", i, e.Bodies.Request, e.Bodies.Response)
			}
			i++
		}
	}
	look(f, 0)
	for _, row := range []int64{0, 1, 2, 599} {
		e, err := f.At(row)
		if err != nil || e.Bodies.Request != nil || e.Bodies.Response != nil {
			t.Errorf("row %d: %v, with bodies that nobody asked for", row, err)
		}
		if e, err = f.AtWithBodies(row); err != nil || !equalBodies(e.Bodies, bodies[row]) {
			t.Errorf("row %d: %.40q, %v", row, e.Bodies.Request, err)
		}
	}
	second, err := prediction.Decode(bare[2])
	if err != nil {
		t.Fatal(err)
	}
	var erased, joined bytes.Buffer
	if _, err := segment.Erase(&erased, f, []prediction.ID{second.ID}); err != nil {
		t.Fatal(err)
	}
	look(opened(t, erased.Bytes()), 0, 2)
	if bytes.Contains(erased.Bytes(), bodies[2].Request) {
		t.Error("an erased body is in the file")
	}
	more, _ := written(t, "s2", kept)
	if _, err := segment.Compact(&joined, f, opened(t, more)); err != nil {
		t.Fatal(err)
	}
	look(opened(t, joined.Bytes()), 0)
}

// TestLargeBodies: row groups end by bytes, bodies among them.
func TestLargeBodies(t *testing.T) {
	t.Parallel()
	kept, bodies := withBodies(t, 300, prediction.MaxBody-20)
	data, _ := written(t, "s", kept)
	i := 0
	for e, err := range opened(t, data).Entries() {
		if err != nil {
			t.Fatal(err)
		}
		if !equalBodies(e.Bodies, bodies[i]) {
			t.Fatalf("row %d has other bodies", i)
		}
		i++
	}
}

// TestBodyOfAnother: bytes that are not those of the record's digest are neither written nor read.
func TestBodyOfAnother(t *testing.T) {
	t.Parallel()
	kept, _ := withBodies(t, 2, 50)
	k, err := prediction.ParseKept(kept[1])
	if err != nil {
		t.Fatal(err)
	}
	k.Bodies.Request = []byte("another")
	if _, err := segment.Write(&bytes.Buffer{}, "s", each([][]byte{kept[0], k.Append(nil)})); err == nil {
		t.Error("another body was written")
	}
	k.Bodies = prediction.Bodies{Response: []byte("no digest")}
	if _, err := segment.Write(&bytes.Buffer{}, "s", each([][]byte{k.Append(nil)})); err == nil {
		t.Error("a body of which the record has no digest was written")
	}
}
