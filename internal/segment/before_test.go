package segment_test

import (
	"os"
	"testing"

	"github.com/tallystick/tallystick/internal/prediction"
)

// TestWrittenBefore reads a file of before integers were written as differences, and IDs without being packed.
func TestWrittenBefore(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/plain-integers.parquet")
	if err != nil {
		t.Fatal(err)
	}
	f := opened(t, data)
	all := entries(t, f) // held against the leaves, and these against the root
	if parts := f.Parts(); len(all) != 24 || len(parts) != 1 || parts[0].Root != "sha256:f8264e26c9264b4793ef813703c4cb25cfc320b82f077196bed6e3e378346144" {
		t.Fatalf("%d records of %+v", len(all), parts)
	}
	for i, e := range all {
		if r, err := prediction.Decode(e.Encoding); err != nil || r.Time != prediction.TimeOf(began)+prediction.Time(i) {
			t.Errorf("record %d: %v, %v", i, r.Time, err)
		}
	}
}
