package wire_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/parquet-go/parquet-go/encoding/rle"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"github.com/tallystick/tallystick/internal/wire"
)

var bounds = wire.Bounds{Depth: 32, Structs: 1000}

// footer is the encoding of a footer with n columns, by the library.
func footer(t *testing.T, n int) []byte {
	t.Helper()
	meta := format.FileMetaData{Version: 2, Schema: make([]format.SchemaElement, n), NumRows: 7, CreatedBy: "someone"}
	for i := range meta.Schema {
		meta.Schema[i].Name = "column"
	}
	data, err := thrift.Marshal(new(thrift.CompactProtocol), &meta)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestDecode(t *testing.T) {
	t.Parallel()
	data := footer(t, 300)
	var meta format.FileMetaData
	n, err := wire.Decode(append(slices.Clone(data), "more"...), &meta, bounds)
	if err != nil || n != len(data) || len(meta.Schema) != 300 || meta.CreatedBy != "someone" {
		t.Fatalf("%d bytes of %d: %d columns, %v", n, len(data), len(meta.Schema), err)
	}
	for n := range len(data) {
		if _, err := wire.Decode(data[:n], &meta, bounds); !errors.Is(err, wire.ErrShort) {
			t.Fatalf("the first %d bytes: %v", n, err)
		}
	}
}

// TestDecodeBounds has values that would take memory or a stack if they were believed.
func TestDecodeBounds(t *testing.T) {
	t.Parallel()
	for name, data := range map[string][]byte{
		"nested structs":  bytes.Repeat([]byte{0x1c}, 1<<20),
		"nested lists":    bytes.Repeat([]byte{0x19, 0x19}, 1<<19),
		"list of 2^31":    {0x19, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x07, 0},
		"map of 2^31":     {0x1b, 0xff, 0xff, 0xff, 0xff, 0x07, 0xcc, 0},
		"text of 2^31":    {0x18, 0xff, 0xff, 0xff, 0xff, 0x07, 0},
		"many structs":    footer(t, 1001),
		"many in a map":   append([]byte{0x1b, 0xf0, 0x07, 0xcc}, make([]byte, 4000)...),
		"unknown type":    {0x1e, 0},
		"an endless uint": append([]byte{0x16}, bytes.Repeat([]byte{0xff}, 12)...),
	} {
		var meta format.FileMetaData
		if n, err := wire.Decode(data, &meta, bounds); err == nil {
			t.Errorf("%s: %d bytes were taken", name, n)
		}
	}
}

// TestHybrid holds the reader against the library's encoder, at every width, read in pieces of all sizes.
func TestHybrid(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for width := 1; width <= 31; width++ {
		values := make([]int32, 3000)
		for i := range values {
			if values[i] = int32(random.Uint32() >> (32 - width)); i > 0 && i%1000 < 500 && random.IntN(40) > 0 {
				values[i] = values[i-1] // runs
			}
		}
		data, err := (&rle.Encoding{BitWidth: width}).EncodeInt32(nil, values)
		if err != nil {
			t.Fatal(err)
		}
		h, err := wire.NewHybrid(data, width, wire.Strict)
		if err != nil {
			t.Fatal(err)
		}
		for at := 0; at < len(values); {
			part := make([]uint32, min(1+random.IntN(100), len(values)-at))
			if err := h.Read(part); err != nil {
				t.Fatal(err)
			}
			for i, v := range part {
				if v != uint32(values[at+i]) {
					t.Fatalf("%d bits: value %d is %d, not %d", width, at+i, v, values[at+i])
				}
			}
			at += len(part)
		}
	}
}

// TestHybridRules has what is ours and what others may write.
func TestHybridRules(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name            string
		data            []byte
		width           int
		want            []uint32
		strict, lenient bool
	}{
		{"run", []byte{6, 5}, 3, []uint32{5, 5, 5}, true, true},
		{"packed", []byte{3, 0b10_001_000, 0, 0}, 3, []uint32{0, 1, 2}, true, true},
		{"no padding", []byte{3, 0b10_001_000, 0}, 3, []uint32{0, 1, 2}, false, true},
		{"empty run", []byte{0, 0, 2, 1}, 1, []uint32{1}, false, true},
		{"value too wide", []byte{2, 8}, 3, []uint32{0}, false, false},
		{"too few", []byte{2, 1}, 3, []uint32{1, 1}, false, false},
		{"no bits", []byte{2}, 0, []uint32{0}, true, true},
	} {
		for rule, want := range map[wire.Rule]bool{wire.Strict: c.strict, wire.Lenient: c.lenient} {
			h, err := wire.NewHybrid(c.data, c.width, rule)
			if err != nil {
				t.Fatal(err)
			}
			got := make([]uint32, len(c.want))
			if err := h.Read(got); (err == nil) != want || err == nil && !slices.Equal(got, c.want) {
				t.Errorf("%s, rule %d: %v, %v", c.name, rule, got, err)
			}
		}
	}
	if _, err := wire.NewHybrid(nil, 33, wire.Lenient); err == nil {
		t.Error("values of 33 bits were taken")
	}
}

// FuzzHybrid reads any bytes: no panic, and the same whether read at once or one by one, as values or as levels.
func FuzzHybrid(f *testing.F) {
	f.Add([]byte{3, 0b10_001_000, 0, 0}, uint8(3), uint16(8), true)
	f.Add([]byte{0, 0, 16, 1, 3, 0xaa}, uint8(1), uint16(12), false)
	f.Fuzz(func(t *testing.T, data []byte, width uint8, count uint16, strict bool) {
		rule := wire.Lenient
		if strict {
			rule = wire.Strict
		}
		whole, err := wire.NewHybrid(data, int(width%40), rule)
		if err != nil {
			return
		}
		single, levels := whole, whole
		n := int(count % 5000)
		all, one := make([]uint32, n), make([]uint32, n)
		err = whole.Read(all)
		for i := range one {
			if single.Read(one[i:i+1]) != nil {
				break
			}
		}
		if err == nil && !slices.Equal(all, one) {
			t.Fatalf("at once %v, one by one %v", all, one)
		}
		if width%40 != 1 {
			return
		}
		missing := make([]bool, n)
		present, levelsErr := levels.ReadMissing(missing)
		if (err == nil) != (levelsErr == nil) {
			t.Fatalf("values %v, levels %v", err, levelsErr)
		}
		for i := range missing {
			if err == nil && missing[i] != (all[i] == 0) {
				t.Fatalf("level %d differs", i)
			}
			if !missing[i] {
				present--
			}
		}
		if err == nil && present != 0 {
			t.Fatal("the number of levels differs")
		}
	})
}

// FuzzDecode decodes any bytes: no panic, and nothing taken that is longer than the data.
func FuzzDecode(f *testing.F) {
	f.Add([]byte{0x15, 0x02, 0})
	f.Add([]byte{0x19, 0x1c, 0, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		var meta format.FileMetaData
		if n, err := wire.Decode(data, &meta, bounds); err == nil && (n == 0 || n > len(data)) {
			t.Fatalf("%d bytes of %d", n, len(data))
		}
	})
}

// FuzzAppend reads what was written, strictly.
func FuzzAppend(f *testing.F) {
	f.Add([]byte{1, 2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 9}, uint8(4))
	f.Add(make([]byte, 100), uint8(1))
	f.Fuzz(func(t *testing.T, data []byte, bits uint8) {
		width := int(bits%32) + 1
		values := make([]uint32, len(data))
		for i, c := range data {
			values[i] = uint32(c) * 0x01010101 >> (32 - width)
		}
		h, err := wire.NewHybrid(wire.AppendHybrid(nil, values, width), width, wire.Strict)
		if err != nil {
			t.Fatal(err)
		}
		got := make([]uint32, len(values))
		if err := h.Read(got); err != nil || !slices.Equal(got, values) {
			t.Fatalf("%d bits: %v came back as %v, %v", width, values, got, err)
		}
	})
}
