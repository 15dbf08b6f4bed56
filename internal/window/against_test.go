package window_test

import (
	"math"
	"slices"
	"testing"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/stat"
)

// TestAgainst compares two windows with each other: with the reference's own rows as with the reference, and with others
// within the bounds that are stated.
func TestAgainst(t *testing.T) {
	t.Parallel()
	reference, before, now := normals(1, 5000, 0, 1), normals(2, 3000, 0.4, 1), normals(3, 2000, 0.5, 1)
	r := number(t, reference)
	own, base, p := r.Profile(), r.Profile(), r.Profile()
	own.AddRows(int64(len(reference)))
	own.AddNumbers(0, reference)
	base.AddRows(int64(len(before)))
	base.AddNumbers(0, before)
	p.AddRows(int64(len(now)))
	p.AddNumbers(0, now)
	same, err := p.Against(own)
	if err != nil {
		t.Fatal(err)
	}
	a, b := same.Compare(0), p.Compare(0)
	if a.KS != b.KS || a.P != b.P || a.W1 != b.W1 || math.Abs(a.W1SD-b.W1SD) > 1e-5 || !slices.Equal(a.ReferenceBins, b.ReferenceBins) || a.Deciles != b.Deciles {
		t.Errorf("against the reference's own rows %+v, with the reference %+v", a, b)
	}
	against, err := p.Against(base)
	if err != nil {
		t.Fatal(err)
	}
	sample, err := stat.NewReference(before)
	if err != nil {
		t.Fatal(err)
	}
	exact, binned := sample.Compare(now), against.Compare(0)
	if d := exact.KS - binned.KS; d < -1e-12 || d > binned.KSBound+1e-12 || binned.NReference != 3000 || binned.N != 2000 {
		t.Errorf("KS %v within %v, exactly %v", binned.KS, binned.KSBound, exact.KS)
	}
	if math.Abs(exact.W1-binned.W1) > binned.W1Bound+1e-6 || math.Abs(exact.W1SD-binned.W1SD) > (binned.W1Bound+1e-5)/1 {
		t.Errorf("W1 %v within %v, %v sd, exactly %v, %v", binned.W1, binned.W1Bound, binned.W1SD, exact.W1, exact.W1SD)
	}
	empty, err := p.Against(r.Profile())
	if err != nil {
		t.Fatal(err)
	}
	if c := empty.Compare(0); !math.IsNaN(c.KS) || !math.IsNaN(c.P) {
		t.Errorf("against nothing: %+v", c)
	}
	if _, err := p.Against(number(t, before).Profile()); tallystick.CodeOf(err) != tallystick.Invalid {
		t.Errorf("against a profile of another reference: %v", err)
	}
}

// TestAgainstCategories compares shares of a vocabulary.
func TestAgainstCategories(t *testing.T) {
	t.Parallel()
	r := mixed(t, 500)
	for i, f := range r.Features {
		if f.Category == nil {
			continue
		}
		base, p := r.Profile(), r.Profile()
		for n, value := range f.Category.Values {
			base.AddCounts(i, []string{value}, []int64{int64(n + 1)})
			p.AddCounts(i, []string{value}, []int64{int64(2*n + 1)})
		}
		base.AddCounts(i, []string{"never seen"}, []int64{7})
		against, err := p.Against(base)
		if err != nil {
			t.Fatal(err)
		}
		c := against.Category(i)
		if c.Complete || c.Reference[0] != 1 || c.Current[0] != 1 || c.Reference[len(c.Values)] != 7 {
			t.Errorf("%s: %+v", f.Name, c)
		}
		return
	}
	t.Error("the reference has no category")
}
