package window_test

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/tallystick/tallystick/internal/window"
)

// Whatever is read as a profile is written as the same bytes, and merges with nothing to itself.
func FuzzParseProfile(f *testing.F) {
	r := mixed(f, 500)
	random := rand.New(rand.NewPCG(7, 8))
	p := r.Profile()
	f.Add(marshal(f, p))
	for i, values := range mixture(random, 200) {
		p.AddNumbers(i, values)
	}
	p.AddCategories(6, words(random, 200, 7))
	p.AddCategories(7, words(random, 9000, 90_000))
	p.AddRows(200)
	f.Add(marshal(f, p))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := r.ParseProfile(data)
		if err != nil {
			return
		}
		merged := r.Profile()
		if err := merged.Merge(p); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(marshal(t, p), data) || !bytes.Equal(marshal(t, merged), data) {
			t.Errorf("%d bytes are written in another way", len(data))
		}
		for i, feature := range r.Features {
			if feature.Kind == window.KindNumber {
				p.Compare(i)
				p.Number(i)
			} else {
				p.Category(i)
			}
		}
	})
}

// Whatever is read as a reference is written as the same bytes, and counts.
func FuzzParseReference(f *testing.F) {
	b := window.NewBuilder(window.Options{Vocabulary: 2})
	if err := b.Number("x", window.RoleScore, []float64{1, 2, 2, 3}, 1); err != nil {
		f.Fatal(err)
	}
	if err := b.Category("y", window.RoleOutput, map[string]int64{"a": 2, "b": 2, "ü": 1}, 0); err != nil {
		f.Fatal(err)
	}
	r, err := b.Build()
	if err != nil {
		f.Fatal(err)
	}
	document, err := r.Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(document)
	f.Fuzz(func(t *testing.T, document []byte) {
		r, err := window.ParseReference(document)
		if err != nil {
			return
		}
		written, err := r.Marshal()
		if err != nil || !bytes.Equal(written, document) {
			t.Errorf("%s is written as %s, %v", document, written, err)
		}
		p := r.Profile()
		for i, feature := range r.Features {
			if feature.Kind == window.KindNumber {
				p.AddNumbers(i, []float64{0, 1, 2.5, -1e300})
				p.Compare(i)
				p.Number(i)
			} else {
				p.AddCategories(i, []string{"a", "\xff", "c"})
				p.Category(i)
			}
		}
		again, err := r.ParseProfile(marshal(t, p))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(marshal(t, again), marshal(t, p)) {
			t.Error("a profile that was written and read is another")
		}
	})
}
