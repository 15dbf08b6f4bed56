package segment_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/segment"
)

// outcome is what a file gave.
type outcome struct {
	entries []segment.Entry
	err     error
}

// readAll does everything that can be done with a file. It fails the test if something is given back that
// was not written: a record of another leaf, a row that Find is wrong about, a proof that does not hold.
func readAll(t *testing.T, data []byte, encodings [][]byte, root segment.Hash) outcome {
	t.Helper()
	f, err := segment.Open(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return outcome{err: err}
	}
	var out outcome
	for e, err := range f.Entries() {
		if err != nil {
			out.err = err
			break
		}
		if e.Encoding != nil && e.Leaf != prediction.LeafOf(e.Encoding) {
			t.Fatal("a record has another leaf")
		}
		out.entries = append(out.entries, segment.Entry{Encoding: bytes.Clone(e.Encoding), Leaf: e.Leaf})
	}
	for _, row := range []int64{0, 7, f.Count() - 1} {
		if e, err := f.At(row); err == nil && e.Encoding != nil && e.Leaf != prediction.LeafOf(e.Encoding) {
			t.Fatalf("row %d has another leaf", row)
		}
		if p, err := f.Prove(row); err == nil && row < int64(len(encodings)) && rootBytes(t, p.Root) == root && p.Segment == "s" {
			if err := p.Verify(prediction.LeafOf(encodings[row]), root); err != nil && p.Index == uint64(row) {
				t.Fatalf("row %d: a proof that does not hold: %v", row, err)
			}
		}
	}
	for i := 0; i < len(encodings); i += max(1, len(encodings)/3) {
		if row, err := f.Find(prediction.ID(encodings[i][4:20])); err == nil && row != int64(i) {
			t.Fatalf("record %d is found in row %d", i, row)
		}
	}
	var columns []string
	for _, c := range f.Columns() {
		columns = append(columns, c.Name)
	}
	for _, err := range segment.Scan([]*segment.File{f}, columns) {
		if err != nil {
			break
		}
	}
	return out
}

// checkDamaged says that damaged data gives an error of one line, or just what was written.
func checkDamaged(t *testing.T, what string, at int, data []byte, encodings [][]byte, root segment.Hash) {
	t.Helper()
	got := readAll(t, data, encodings, root)
	if got.err != nil {
		if tallystick.CodeOf(got.err) != tallystick.Invalid || strings.Contains(got.err.Error(), "\n") {
			t.Errorf("%s at %d: %v", what, at, got.err)
		}
		return
	}
	same := len(got.entries) == len(encodings)
	for i := 0; same && i < len(encodings); i++ {
		same = bytes.Equal(got.entries[i].Encoding, encodings[i])
	}
	if !same {
		t.Errorf("%s at %d: read without an error, and not what was written", what, at)
	}
}

// TestFlippedBits flips a bit of every byte of the footer and the page indexes, and of many bytes of
// the pages and filters.
func TestFlippedBits(t *testing.T) {
	t.Parallel()
	encodings := odd(t, 9, 300)
	data, summary := written(t, "s", encodings)
	root := rootBytes(t, summary.Parts[0].Root)
	footer := len(data) - 8 - int(binary.LittleEndian.Uint32(data[len(data)-8:]))
	step := 97
	if testing.Short() {
		step = 997
	}
	pages, metadata := 0, 0
	for at := 0; at < len(data); at++ {
		if at < footer-2000 && at%step != 0 || at >= footer-2000 && at%(step/19) != 0 {
			continue
		}
		flipped := bytes.Clone(data)
		flipped[at] ^= 1 << (at % 8)
		checkDamaged(t, "a flipped bit", at, flipped, encodings, root)
		if at < footer {
			pages++
		} else {
			metadata++
		}
	}
	if pages < 50 || metadata < 50 {
		t.Errorf("%d bits of pages and %d of the footer were flipped", pages, metadata)
	}
}

func TestTruncated(t *testing.T) {
	t.Parallel()
	encodings := odd(t, 10, 100)
	data, _ := written(t, "s", encodings)
	for n := 0; n < len(data); n += 1 + n/50 {
		if got := readAll(t, data[:n], encodings, segment.Hash{}); got.err == nil {
			t.Errorf("the first %d bytes of %d are a file", n, len(data))
		}
		if got := readAll(t, append(slices.Clone(data[:n]), data[len(data)-8:]...), encodings, segment.Hash{}); got.err == nil {
			t.Errorf("the first %d bytes of %d with the end of the file are one", n, len(data))
		}
	}
}

// TestSwapped exchanges two records of one file, and takes the leaves of another.
func TestSwapped(t *testing.T) {
	t.Parallel()
	a := odd(t, 11, 50)
	b := slices.Clone(a)
	b[3], b[4] = b[4], b[3]
	_, first := written(t, "s", a)
	_, second := written(t, "s", b)
	if first.Parts[0].Root == second.Parts[0].Root {
		t.Error("records in another order have the same root")
	}
}

// TestHostile opens files made by others, who know the format.
func TestHostile(t *testing.T) {
	t.Parallel()
	type row struct {
		ID    [16]byte `parquet:"id,uuid,optional,zstd"`
		Leaf  []byte   `parquet:"leaf,optional,zstd"`
		Model string   `parquet:"model,optional,zstd"`
	}
	var plain bytes.Buffer
	if err := parquet.Write(&plain, []row{{Leaf: make([]byte, 32), Model: "m"}}); err != nil {
		t.Fatal(err)
	}
	data, _ := written(t, "s", odd(t, 12, 10))
	long := func(n uint32) []byte { // a footer that states n bytes
		c := bytes.Clone(data)
		binary.LittleEndian.PutUint32(c[len(c)-8:], n)
		return c
	}
	lists := append([]byte("PAR1"), 0x19, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x07, 0) // a list of 2^31 structs
	lists = append(binary.LittleEndian.AppendUint32(lists, 8), "PAR1"...)
	for name, data := range map[string][]byte{
		"none of ours": plain.Bytes(), "empty": {}, "short": []byte("PAR1"), "lists": lists,
		"long footer": long(1 << 31), "whole footer": long(uint32(len(data) - 8)), "no footer": long(0),
	} {
		_, err := segment.Open(bytes.NewReader(data), int64(len(data)))
		if tallystick.CodeOf(err) != tallystick.Invalid || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A reader that has less than it says.
	if _, err := segment.Open(io.NewSectionReader(bytes.NewReader(data), 0, int64(len(data)-100)), int64(len(data))); tallystick.CodeOf(err) != tallystick.Invalid {
		t.Errorf("a file that shrank: %v", err)
	}
}

// TestBomb replaces a packed page by one that unpacks to far more, with all checksums right, and measures the memory.
func TestBomb(t *testing.T) {
	encoder, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	bomb := encoder.EncodeAll(make([]byte, 1<<30), nil)
	small := encoder.EncodeAll(make([]byte, 1<<10), nil)
	for name, packed := range map[string][]byte{"one frame": bomb, "two frames": append(slices.Clone(small), bomb...)} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if err := segment.UnpackForTest(packed, 1<<10); err == nil {
			t.Errorf("%s: unpacked", name)
		}
		runtime.ReadMemStats(&after)
		if took := after.TotalAlloc - before.TotalAlloc; took > 64<<20 {
			t.Errorf("%s: took %d MiB", name, took>>20)
		}
	}
	if err := segment.UnpackForTest(small, 1<<10); err != nil {
		t.Errorf("what is no bomb: %v", err)
	}
}
