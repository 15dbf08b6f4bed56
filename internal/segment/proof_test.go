package segment_test

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/segment"
)

// TestProve proves records of files with and without complete tiles; a wrong bit, another place and
// another record are refused.
func TestProve(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 2, 3, 255, 256, 257, 511, 512, 513, 1500, 9000} {
		encodings := odd(t, 3, n)
		data, summary := written(t, "s", encodings)
		f := opened(t, data)
		root := rootBytes(t, summary.Parts[0].Root)
		rows := []int{0, n / 3, n / 2, n - 1}
		for _, at := range []int{254, 255, 256, 512} {
			rows = append(rows, min(at, n-1))
		}
		for _, row := range rows {
			p, err := f.Prove(int64(row))
			if err != nil {
				t.Fatalf("row %d of %d: %v", row, n, err)
			}
			if p.Index != uint64(row) || p.Size != uint64(n) || p.Segment != "s" {
				t.Errorf("row %d of %d: %+v", row, n, p)
			}
			if err := p.Verify(prediction.LeafOf(encodings[row]), root); err != nil {
				t.Errorf("row %d of %d: %v", row, n, err)
			}
			flipped := bytes.Clone(encodings[row])
			flipped[len(flipped)-1] ^= 1
			if p.Verify(prediction.LeafOf(flipped), root) == nil {
				t.Errorf("row %d of %d: a changed record is proved", row, n)
			}
			if other := (row + 1) % n; other != row && p.Verify(prediction.LeafOf(encodings[other]), root) == nil {
				t.Errorf("row %d of %d: another record is proved", row, n)
			}
		}
		if _, err := f.Prove(int64(n)); tallystick.CodeOf(err) != tallystick.NotFound {
			t.Errorf("row %d of %d: %v", n, n, err)
		}
	}
}

func rootBytes(t *testing.T, d tallystick.Digest) (root segment.Hash) {
	t.Helper()
	r := prediction.Record{InputDigest: d}
	root, ok := r.InputSum()
	if !ok {
		t.Fatalf("%q is no digest", d)
	}
	return root
}

func TestFindAndAt(t *testing.T) {
	t.Parallel()
	encodings := odd(t, 4, 20_000)
	data, _ := written(t, "s", encodings)
	f := opened(t, data)
	for row := 0; row < len(encodings); row += 997 {
		r, err := prediction.Decode(encodings[row])
		if err != nil {
			t.Fatal(err)
		}
		found, err := f.Find(r.ID)
		if err != nil || found != int64(row) {
			t.Fatalf("record %d is found in row %d, %v", row, found, err)
		}
		e, err := f.At(found)
		if err != nil || !bytes.Equal(e.Encoding, encodings[row]) {
			t.Errorf("row %d: %x, %v", row, e.Encoding, err)
		}
		r.ID[15] ^= 1
		if _, err := f.Find(r.ID); tallystick.CodeOf(err) != tallystick.NotFound {
			t.Errorf("a record that is not there: %v", err)
		}
	}
	for _, row := range []int64{-1, 20_000} {
		if _, err := f.At(row); tallystick.CodeOf(err) != tallystick.NotFound {
			t.Errorf("row %d: %v", row, err)
		}
	}
}

// TestFindInDamagedIndex flips the bits between the pages and the footer, where the page indexes of a
// file of several pages lie: no record is found in a wrong row.
func TestFindInDamagedIndex(t *testing.T) {
	t.Parallel()
	encodings := shaped(t, 20_000)
	data, _ := written(t, "s", encodings)
	footer := len(data) - 8 - int(binary.LittleEndian.Uint32(data[len(data)-8:]))
	id := prediction.ID(encodings[9000][4:20])
	wrong := 0
	for at := footer - 6000; at < footer; at++ {
		f, err := segment.Open(&patched{data, at, data[at] ^ 1<<(at%8)}, int64(len(data)))
		if err != nil {
			t.Fatal(err) // the footer is whole
		}
		switch row, err := f.Find(id); {
		case err == nil && row != 9000:
			t.Fatalf("byte %d: found in row %d", at, row)
		case err != nil:
			wrong++
		}
	}
	if wrong == 0 {
		t.Error("no flipped bit was noticed")
	}
}

// patched is data with one other byte.
type patched struct {
	data []byte
	at   int
	b    byte
}

func (p *patched) ReadAt(into []byte, offset int64) (int, error) {
	n, err := bytes.NewReader(p.data).ReadAt(into, offset)
	if i := p.at - int(offset); 0 <= i && i < n {
		into[i] = p.b
	}
	return n, err
}
