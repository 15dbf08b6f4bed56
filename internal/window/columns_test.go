package window_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

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

func (c columns) reference(b testing.TB) *window.Reference {
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

// What docs/monitoring.md says that the profiles of a day take: 1,000 rows a minute of 20 numbers and 5
// categories.
func TestBytesOfADay(t *testing.T) {
	t.Parallel()
	c := newColumns(1000, 0)
	r := c.reference(t)
	minute, hour := r.Profile(), r.Profile()
	c.count(minute, true)
	for range 60 {
		if err := hour.Merge(minute); err != nil {
			t.Fatal(err)
		}
	}
	minutes, hours := 24*60*len(marshal(t, minute)), 24*len(marshal(t, hour))
	if minutes > 15e6 || hours > 0.35e6 {
		t.Errorf("a day of minutes takes %d bytes, a day of hours %d", minutes, hours)
	}
	if size := r.Size(); size.Bytes > 110e3 || size.Memory > 130e3 {
		t.Errorf("at most %+v", size)
	}
	t.Logf("minutes %d, hours %d, at most %+v", minutes, hours, r.Size())
}
