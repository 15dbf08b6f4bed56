package query_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/query"
	"github.com/tallystick/tallystick/internal/segment"
)

// TestExportBodies: bodies go along if they are asked for, each held against its digest, and not otherwise; and the records
// are the same with them and without.
func TestExportBodies(t *testing.T) {
	t.Parallel()
	h := bare(t)
	bodies := []prediction.Bodies{{Request: []byte("what was asked"), Response: []byte{0xff, 0}}, {}, {Request: []byte(strings.Repeat("long ", 40_000))}}
	var sent [][]byte
	for i, b := range bodies {
		at := began.Add(time.Duration(i) * time.Second)
		r := prediction.Record{ID: prediction.NewID(at), Time: prediction.TimeOf(at), Model: "credit", BodyRule: "whole", Salt: [16]byte{1}}
		if b.Request != nil {
			r.RequestBody = &prediction.Body{Type: "text/plain", Data: b.Request}
		}
		if b.Response != nil {
			r.ResponseBody = &prediction.Body{Data: b.Response}
		}
		encoding, err := r.Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		sent = append(sent, prediction.Kept{Encoding: encoding, Bodies: b}.Append(nil))
	}
	h.shelf.add(t, "s", func(yield func([]byte, error) bool) {
		for _, kept := range sent {
			if !yield(kept, nil) {
				return
			}
		}
	})
	s := query.Selection{Model: "credit"}
	for _, with := range []bool{false, true} {
		var lines, file bytes.Buffer
		if n, err := h.Export(t.Context(), &lines, s, query.Layout{Form: query.NDJSON, Bodies: with}); err != nil || n != 3 {
			t.Fatal(n, err)
		}
		for i, line := range bytes.Split(bytes.TrimSuffix(lines.Bytes(), []byte("\n")), []byte("\n")) {
			r, err := prediction.ParseJSON(line)
			if err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			b := r.Bodies()
			if with && (!bytes.Equal(b.Request, bodies[i].Request) || !bytes.Equal(b.Response, bodies[i].Response)) || !with && (b.Request != nil || b.Response != nil) {
				t.Errorf("bodies %v: line %d has %.40q and %q", with, i, b.Request, b.Response)
			}
		}
		if n, err := h.Export(t.Context(), &file, s, query.Layout{Form: query.Parquet, Bodies: with}); err != nil || n != 3 {
			t.Fatal(n, err)
		}
		f, err := segment.Open(bytes.NewReader(file.Bytes()), int64(file.Len()))
		if err != nil {
			t.Fatal(err)
		}
		i := 0
		for entry, err := range f.Entries() {
			if err != nil {
				t.Fatal(err)
			}
			want := bodies[i]
			if !with {
				want = prediction.Bodies{}
			}
			if kept, err := prediction.ParseKept(sent[i]); err != nil || !bytes.Equal(entry.Encoding, kept.Encoding) || !bytes.Equal(entry.Bodies.Request, want.Request) || !bytes.Equal(entry.Bodies.Response, want.Response) {
				t.Errorf("bodies %v: row %d is another, %v", with, i, err)
			}
			i++
		}
	}
	if _, err := h.Export(t.Context(), &bytes.Buffer{}, s, query.Layout{Form: query.CSV, Bodies: true}); tallystick.CodeOf(err) != tallystick.Invalid {
		t.Errorf("bodies in CSV: %v", err)
	}
}

// TestExportTooMany: more than a Parquet file takes are refused before the first byte, and the other forms take any number.
func TestExportTooMany(t *testing.T) {
	t.Parallel()
	h := made(t, 500)
	s := query.Selection{Model: "credit"}
	n, err := h.Export(t.Context(), &bytes.Buffer{}, s, query.Layout{Form: query.NDJSON})
	if err != nil || n == 0 {
		t.Fatal(n, err)
	}
	var out bytes.Buffer
	h.LimitParquet(int(n))
	if got, err := h.Export(t.Context(), &out, s, query.Layout{Form: query.Parquet}); err != nil || got != n {
		t.Errorf("as many as there may be: %d, %v", got, err)
	}
	out.Reset()
	h.LimitParquet(int(n) - 1)
	if _, err := h.Export(t.Context(), &out, s, query.Layout{Form: query.Parquet}); tallystick.CodeOf(err) != tallystick.Invalid || !strings.Contains(err.Error(), "too many for one Parquet file") || out.Len() > 0 {
		t.Errorf("one more: %v, %d bytes", err, out.Len())
	}
	for _, form := range []query.Form{query.NDJSON, query.CSV} {
		if got, err := h.Export(t.Context(), &bytes.Buffer{}, s, query.Layout{Form: form}); err != nil || got != n {
			t.Errorf("%s: %d, %v", form, got, err)
		}
	}
}
