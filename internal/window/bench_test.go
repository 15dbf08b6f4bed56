//go:build unix

package window_test

import (
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/window"
)

// columns are 20 numbers and 5 categories, as a table of predictions has them.
type columns struct {
	numbers    [][]float64
	dictionary []string
	codes      [][]uint32
	texts      [][]string
}

func newColumns(rows int, shift float64) columns {
	random := rand.New(rand.NewPCG(11, 12))
	var c columns
	for i := range 12 {
		c.dictionary = append(c.dictionary, fmt.Sprintf("a category %d", i))
	}
	for range 20 {
		values := make([]float64, rows)
		for i := range values {
			values[i] = random.NormFloat64() + shift
		}
		c.numbers = append(c.numbers, values)
	}
	for range 5 {
		codes, texts := make([]uint32, rows), make([]string, rows)
		for i := range codes {
			codes[i] = random.Uint32N(12)
			texts[i] = c.dictionary[codes[i]]
		}
		c.codes, c.texts = append(c.codes, codes), append(c.texts, texts)
	}
	return c
}

func (c columns) reference(b *testing.B) *window.Reference {
	b.Helper()
	builder := window.NewBuilder(window.Options{})
	for i, values := range c.numbers {
		if err := builder.Number(fmt.Sprintf("n%d", i), window.RoleFeature, values, 0); err != nil {
			b.Fatal(err)
		}
	}
	for i, values := range c.texts {
		if err := builder.Category(fmt.Sprintf("c%d", i), window.RoleFeature, countWords(values), 0); err != nil {
			b.Fatal(err)
		}
	}
	r, err := builder.Build()
	if err != nil {
		b.Fatal(err)
	}
	return r
}

func (c columns) count(p *window.Profile, coded bool) {
	p.AddRows(int64(len(c.numbers[0])))
	for i, values := range c.numbers {
		p.AddNumbers(i, values)
	}
	for i := range c.codes {
		if !coded {
			p.AddCategories(len(c.numbers)+i, c.texts[i])
		} else if err := p.AddCodes(len(c.numbers)+i, c.dictionary, c.codes[i]); err != nil {
			panic(err)
		}
	}
}

// processor measures the time that the processor worked, in the garbage collector too: on a machine
// that others use, the clock on the wall says little.
func processor(b *testing.B) (seconds func() float64) {
	b.Helper()
	now := func() time.Duration {
		var used syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
			b.Fatal(err)
		}
		return time.Duration(used.Utime.Nano() + used.Stime.Nano())
	}
	start := now()
	return func() float64 { return (now() - start).Seconds() }
}

// Rows of 20 numbers and 5 categories from columns: at least 3 million a second are wanted.
func BenchmarkAdd(b *testing.B) {
	const rows = 100_000
	c := newColumns(rows, 0)
	r := c.reference(b)
	for name, coded := range map[string]bool{"codes": true, "texts": false} {
		b.Run(name, func(b *testing.B) {
			p := r.Profile()
			seconds := processor(b)
			for b.Loop() {
				c.count(p, coded)
			}
			b.ReportMetric(float64(b.N)*rows/seconds()/1e6, "Mrows/cpu-s")
		})
	}
}

// 10,000 profiles of 1,000 rows become one: at most a second is wanted.
func BenchmarkMerge10000(b *testing.B) {
	c := newColumns(1000, 0)
	r := c.reference(b)
	parts := make([]*window.Profile, 500) // 25 MB: more than the caches hold
	for i := range parts {
		parts[i] = r.Profile()
		c.count(parts[i], true)
	}
	data := marshal(b, parts[0])
	b.Run("memory", func(b *testing.B) {
		seconds := processor(b)
		for b.Loop() {
			p := r.Profile()
			for i := range 10_000 {
				if err := p.Merge(parts[i%len(parts)]); err != nil {
					b.Fatal(err)
				}
			}
		}
		b.ReportMetric(seconds()/float64(b.N), "cpu-s/op")
	})
	b.Run("bytes", func(b *testing.B) {
		seconds := processor(b)
		for b.Loop() {
			p := r.Profile()
			for range 10_000 {
				part, err := r.ParseProfile(data)
				if err != nil {
					b.Fatal(err)
				}
				if err := p.Merge(part); err != nil {
					b.Fatal(err)
				}
			}
		}
		b.ReportMetric(float64(len(data)), "bytes")
		b.ReportMetric(seconds()/float64(b.N), "cpu-s/op")
	})
}

// One comparison: a million, of 1,000 features in 1,000 windows, may take 10 s, so 10 us each.
func BenchmarkCompare(b *testing.B) {
	r := newColumns(10_000, 0).reference(b)
	for _, shift := range []float64{0, 0.1, 0.5, 2} {
		b.Run(fmt.Sprintf("shift=%v", shift), func(b *testing.B) {
			p := r.Profile()
			newColumns(1000, shift).count(p, true)
			i := 0
			seconds := processor(b)
			for b.Loop() {
				p.Compare(i % 20)
				i++
			}
			b.ReportMetric(seconds()/float64(b.N)*1e6, "cpu-us/op")
		})
	}
}
