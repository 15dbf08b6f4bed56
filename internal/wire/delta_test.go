package wire_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/parquet-go/parquet-go/encoding/delta"

	"github.com/tallystick/tallystick/internal/wire"
)

// TestDelta holds what is written against what parquet-go reads of it, for all widths and lengths around those of blocks.
func TestDelta(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 3))
	for _, n := range []int{1, 2, 31, 32, 33, 34, 128, 129, 130, 160, 161, 257, 1000} {
		for width := range 65 {
			values := make([]uint64, n)
			for i := range values {
				values[i] = random.Uint64() >> (64 - width)
				if width == 64 && i%7 == 0 {
					values[i] = 1 << 63
				}
			}
			data := wire.AppendDelta([]byte("before"), values)[len("before"):]
			got := make([]int64, n)
			if err := wire.ReadDelta(got, data); err != nil {
				t.Fatalf("%d values of %d bits: %v", n, width, err)
			}
			theirs, err := new(delta.BinaryPackedEncoding).DecodeInt64(nil, data)
			if err != nil || !slices.Equal(theirs, got) {
				t.Fatalf("%d values of %d bits: parquet-go reads %v, %v, not %v", n, width, theirs, err, got)
			}
			for i, v := range values {
				if uint64(got[i]) != v {
					t.Fatalf("%d values of %d bits: number %d is %d, not %d", n, width, i, got[i], int64(v))
				}
			}
			if len(data) > 1 && wire.ReadDelta(got, data[:len(data)-1]) == nil || wire.ReadDelta(got, append(data, 0)) == nil || wire.ReadDelta(make([]int64, n+1), data) == nil {
				t.Fatalf("%d values of %d bits: too few or too many are taken", n, width)
			}
		}
	}
}

// FuzzReadDelta: what is read is written again as the same values.
func FuzzReadDelta(f *testing.F) {
	f.Add(uint16(1), wire.AppendDelta(nil, []uint64{7}))
	f.Add(uint16(40), wire.AppendDelta(nil, slices.Repeat([]uint64{1, 5, math.MaxUint64, 1 << 62}, 10)))
	f.Add(uint16(130), wire.AppendDelta(nil, make([]uint64, 130)))
	f.Fuzz(func(t *testing.T, n uint16, data []byte) {
		values := make([]int64, max(1, n%2048))
		if wire.ReadDelta(values, data) != nil {
			return
		}
		var same []uint64
		for _, v := range values {
			same = append(same, uint64(v))
		}
		again := make([]int64, len(values))
		if err := wire.ReadDelta(again, wire.AppendDelta(nil, same)); err != nil || !slices.Equal(again, values) {
			t.Fatalf("%v came back as %v, %v", values, again, err)
		}
	})
}

// BenchmarkDelta is beside a copy.
func BenchmarkDelta(b *testing.B) {
	values, read := make([]uint64, 8192), make([]int64, 8192)
	for i := range values {
		values[i] = uint64(i*100 + i%17)
	}
	var data []byte
	b.Run("write", func(b *testing.B) {
		for b.Loop() {
			data = wire.AppendDelta(data[:0], values)
		}
	})
	b.Run("read", func(b *testing.B) {
		for b.Loop() {
			_ = wire.ReadDelta(read, data)
		}
	})
	plain := bytes.Repeat([]byte{1}, 8*len(values))
	b.Run("plain", func(b *testing.B) {
		for b.Loop() {
			for i := range read {
				read[i] = int64(binary.LittleEndian.Uint64(plain[8*i:]))
			}
		}
	})
}
