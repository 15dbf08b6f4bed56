package segment_test

import (
	"bytes"
	"testing"

	"github.com/tallystick/tallystick/internal/segment"
)

// FuzzOpen reads any bytes as a file: no panic, and no record that is not the one of its leaf. What
// was read whole is written again as the same records.
func FuzzOpen(f *testing.F) {
	for _, n := range []int{1, 3} {
		data, _ := written(f, "s", odd(f, 5, n))
		f.Add(data)
	}
	kept, _ := withBodies(f, 3, 50)
	data, _ := written(f, "s", kept)
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		got := readAll(t, data, nil, segment.Hash{})
		if got.err != nil || len(got.entries) == 0 {
			return
		}
		var encodings [][]byte
		for _, e := range got.entries {
			if e.Encoding == nil {
				return
			}
			encodings = append(encodings, e.Encoding)
		}
		var out bytes.Buffer
		if _, err := segment.Write(&out, "s", each(encodings)); err != nil {
			t.Fatal(err)
		}
		for i, e := range entries(t, opened(t, out.Bytes())) {
			if !bytes.Equal(e.Encoding, encodings[i]) {
				t.Fatalf("record %d is another after writing", i)
			}
		}
	})
}

// FuzzPage decodes any bytes as a page of any column: no panic, and as many rows as it states.
func FuzzPage(f *testing.F) {
	f.Add(uint8(0), uint8(8), uint16(4), []byte("\x01\x00\x00\x00a\x01\x00\x00\x00b"), []byte{8, 1}, []byte{1, 3, 0b0110})
	f.Add(uint8(0), uint8(0), uint16(2), []byte{}, []byte{4, 1}, []byte("\x01\x00\x00\x00a\x00\x00\x00\x00"))
	f.Add(uint8(2), uint8(0), uint16(2), []byte{}, []byte{3, 0b10}, make([]byte, 8))
	f.Add(uint8(3), uint8(5), uint16(2), []byte{}, []byte{6, 1}, []byte{0x80, 1, 4, 3, 2, 1, 2, 0, 0, 0, 0b01, 0, 0, 0})
	f.Add(uint8(4), uint8(0), uint16(9), []byte{}, []byte{18, 1}, []byte{0xff, 1})
	f.Add(uint8(10), uint8(0), uint16(1), []byte{}, []byte{2, 1}, make([]byte, 32))
	f.Fuzz(func(t *testing.T, store, encoding uint8, rows uint16, dictionary, levels, values []byte) {
		want := int(rows%(1<<14)) + 1
		if n, err := segment.ReadPageForTest(store, encoding, want, dictionary, levels, values); err == nil && n != want {
			t.Fatalf("%d rows of %d", n, want)
		}
	})
}
