package window

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unsafe"
)

// No profile is larger than its reference says: counted full, to the limit of what counts can be.
func TestSize(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(51, 52))
	values, vocabulary := make([]float64, 5000), map[string]int64{}
	for i := range values {
		values[i] = random.NormFloat64()
		vocabulary[fmt.Sprintf("%d", i%2000)]++
	}
	b := NewBuilder(Options{})
	if err := b.Number("x", RoleFeature, values, 0); err != nil {
		t.Fatal(err)
	}
	if err := b.Category("y", RoleFeature, vocabulary, 0); err != nil {
		t.Fatal(err)
	}
	r, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	p := r.Profile()
	p.AddRows(maxWindow)
	p.AddNumbers(0, append([]float64{math.Inf(1), math.NaN(), -1e300, 1e300}, values...))
	for i := range 20_000 {
		p.AddCounts(1, []string{fmt.Sprintf("%d %s", i, strings.Repeat("ü", 200))}, []int64{1 << 24})
	}
	p.AddCounts(1, r.Features[1].Category.Values, slices.Repeat([]int64{1 << 29}, MaxVocabulary))
	number, category := p.columns[0].number, p.columns[1].category
	for i := range number.cells { // as large as a sum can be
		number.cells[i].n <<= 20
		for range 20 {
			number.cells[i].sum.add(number.cells[i].sum)
		}
	}
	data, err := p.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	memory := int(unsafe.Sizeof(*p)) + cap(p.columns)*int(unsafe.Sizeof(p.columns[0])) +
		int(unsafe.Sizeof(*number)) + cap(number.cells)*int(unsafe.Sizeof(number.cells[0])) +
		int(unsafe.Sizeof(*category)) + 8*cap(category.counts) + cap(category.unseen)*int(unsafe.Sizeof(unseen{})) + cap(category.sketch.ranks)
	for _, u := range category.unseen {
		memory += len(u.Value)
	}
	if s := r.Size(); int64(len(data)) > s.Bytes || int64(memory) > s.Memory {
		t.Errorf("%d bytes and %d in memory, at most %+v were stated", len(data), memory, s)
	} else if s.Bytes > 2*int64(len(data)) || s.Memory > 2*int64(memory) {
		t.Errorf("%d bytes and %d in memory: %+v says little", len(data), memory, s)
	}
}
