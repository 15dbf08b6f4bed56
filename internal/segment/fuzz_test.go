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
