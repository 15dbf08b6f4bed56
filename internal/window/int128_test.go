package window

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// Sums and texts agree with those of math/big.
func TestInt128(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 3))
	var sum Int128
	want := new(big.Int)
	for i := range 2000 {
		x := Int128{random.Int64N(1<<40) - 1<<39, random.Uint64()}
		if i%3 == 0 {
			x.hi = -int64(x.lo & 1)
		}
		sum.add(x)
		want.Add(want, x.big())
		if sum.String() != want.String() {
			t.Fatalf("sum is %s, want %s", sum, want)
		}
		var read Int128
		if err := read.UnmarshalText([]byte(sum.String())); err != nil || read != sum {
			t.Fatalf("%s reads as %v, %v", sum, read, err)
		}
		if f, _ := new(big.Float).SetInt(want).Float64(); f != sum.float() && relative(f, sum.float()) > 1e-15 {
			t.Fatalf("%s is %v, want %v", sum, sum.float(), f)
		}
		e := encoder{}
		e.signed(sum)
		d := decoder{data: e.data}
		if got := d.signed(); got != sum || d.left() > 0 || d.wrong != "" {
			t.Fatalf("%s is written as %x and read as %s", sum, e.data, got)
		}
		n, shift := random.Int64N(1<<40), uint(40*(1+i%2))
		limit := new(big.Int).Lsh(big.NewInt(n), shift)
		if got, want := sum.within(n, shift), new(big.Int).Abs(want).Cmp(limit) <= 0; got != want {
			t.Fatalf("%s within %d << %d: %v", sum, n, shift, got)
		}
	}
	for _, text := range []string{"", "1.5", "x", "170141183460469231731687303715884105728", "-99999999999999999999999999999999999999999"} {
		if new(Int128).UnmarshalText([]byte(text)) == nil {
			t.Errorf("%q is read as a number", text)
		}
	}
}

func relative(a, b float64) float64 { return max(a-b, b-a) / max(a, -a) }

// Every edge bounds what the documentation says it does, and the grid finds what a search finds.
func TestPlace(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(2, 3))
	for range 50 {
		var sample []float64
		for range 1 + random.IntN(3000) {
			v := float64(random.IntN(30))
			if random.IntN(3) > 0 {
				v = random.ExpFloat64() * 20
			}
			sample = append(sample, v)
		}
		r, err := newNumberReference(sample)
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Edges) > maxEdges || r.Counts[0] != 0 || r.Counts[len(r.Edges)] != 0 {
			t.Fatalf("%d edges, %d under, %d over", len(r.Edges), r.Counts[0], r.Counts[len(r.Edges)])
		}
		most := int64(len(sample)/quantiles + 1)
		values := append(append([]float64{}, r.Edges...), -1e300, 1e300, 0)
		for i, edge := range r.Edges {
			values = append(values, edge+1e-9, edge-1e-9)
			if single := i > 0 && below(edge)[0] == r.Edges[i-1]; !single && r.Counts[i] > 2*most {
				t.Errorf("bin %d holds %d of %d values and more than one distinct", i, r.Counts[i], len(sample))
			}
		}
		for len(values) > 0 {
			part := values[:min(batch, len(values))]
			values = values[len(part):]
			var at [batch]uint8
			if !r.grid.place(part, &at) {
				t.Error("finite values are not")
			}
			for k, v := range part {
				want := 0
				for want < len(r.Edges) && r.Edges[want] < v {
					want++
				}
				if int(at[k]) != want {
					t.Fatalf("%v is placed in bin %d, want %d", v, at[k], want)
				}
			}
		}
	}
}

// Every number has one form.
func TestVarintForms(t *testing.T) {
	t.Parallel()
	for name, data := range map[string]string{
		"nothing":                  "",
		"no end":                   "\x80",
		"leading zeros":            "\x81\x00",
		"many leading zeros":       "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00",
		"more than 128 bits":       "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x04",
		"far more than 128 bits":   "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
		"a count beyond its limit": "\x81\x80\x80\x80\x80\x20",
	} {
		d := decoder{data: []byte(data)}
		if d.count(maxWindow); d.wrong == "" {
			t.Errorf("%s is read", name)
		}
	}
	e := encoder{}
	e.varint(math.MaxUint64, math.MaxUint64)
	d := decoder{data: e.data}
	if hi, lo := d.varint(); hi != math.MaxUint64 || lo != math.MaxUint64 || d.wrong != "" {
		t.Errorf("the greatest number is written as %x and read as %x %x, %s", e.data, hi, lo, d.wrong)
	}
}
