package drift_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/drift"
	"github.com/tallystick/tallystick/internal/window"
)

// Rows from a profile are those from values, but for what bins leave open.
func TestFromProfile(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(21, 22))
	draw := func(n int, mean float64) []float64 {
		values := make([]float64, n)
		for i := range values {
			if values[i] = mean + random.NormFloat64(); random.IntN(50) == 0 {
				values[i] = math.NaN()
			}
		}
		return values
	}
	reference, same, moved := draw(10_000, 0), draw(1000, 0), draw(1000, 0.5)
	exact, err := drift.NewNumbers("x", "feature", reference, 100)
	if err != nil {
		t.Fatal(err)
	}
	vocabulary, counts := []string{"0", "1", "17"}, []int64{6100, 3500, 500}
	category := drift.NewCategories("RELP", "feature", vocabulary, counts, 0)
	b := window.NewBuilder(window.Options{})
	if err := b.Number("x", window.RoleFeature, reference, 100); err != nil {
		t.Fatal(err)
	}
	if err := b.Category("RELP", window.RoleFeature, map[string]int64{"0": 6100, "1": 3500, "17": 500}, 0); err != nil {
		t.Fatal(err)
	}
	r, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		values  []float64
		relp    []int64
		verdict tallystick.Verdict
	}{
		{same, []int64{610, 350, 50}, tallystick.Pass},
		{moved, []int64{260, 50, 700}, tallystick.Fail},
	} {
		p := r.Profile()
		p.AddRows(1010)
		p.AddNumbers(0, c.values)
		p.AddMissing(0, 10)
		p.AddCounts(1, vocabulary, c.relp)
		binned := drift.FromProfile(p)
		want := []drift.Feature{exact.Compare(c.values, 10), category.Compare(vocabulary, c.relp, 0)}
		if d := drift.Judge(binned, r.Rows, p.Rows(), drift.Defaults()); d.Verdict != c.verdict {
			t.Errorf("verdict %s, want %s: %+v", d.Verdict, c.verdict, d.Features)
		}
		drift.Judge(want, r.Rows, p.Rows(), drift.Defaults())
		for i, w := range want {
			g := binned[i]
			if g.PSI != w.PSI || g.TVD != w.TVD || g.N != w.N || g.NReference != w.NReference || g.Missing != w.Missing || g.MissingRef != w.MissingRef || g.Verdict != w.Verdict {
				t.Errorf("from counts %+v\nfrom values %+v", g, w)
			}
		}
		g, w := binned[0], want[0]
		if d := float64(w.KS - g.KS); d < 0 || d > float64(g.ErrorBound) || g.P < w.P || math.Abs(float64(g.WassersteinSD-w.WassersteinSD)) > 0.01 || !strings.Contains(g.Method, "82 bins at reference quantiles, ks within 0.01") {
			t.Errorf("from counts %+v\nfrom values %+v", g, w)
		}
		if g, w := binned[1], want[1]; g.Chi2 != w.Chi2 || g.P != w.P || g.Words != w.Words || g.Method != w.Method {
			t.Errorf("from counts %+v\nfrom values %+v", g, w)
		}
	}
}

// Values outside a vocabulary that was cut are not new.
func TestCutVocabulary(t *testing.T) {
	t.Parallel()
	b := window.NewBuilder(window.Options{Vocabulary: 1})
	if err := b.Category("c", window.RoleFeature, map[string]int64{"a": 1000, "b": 10}, 0); err != nil {
		t.Fatal(err)
	}
	r, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	p := r.Profile()
	p.AddCounts(0, []string{"a", "b", "c"}, []int64{500, 5, 5})
	if f := drift.FromProfile(p)[0]; f.UnseenShare.Valid() || len(f.UnseenExamples) > 0 || !strings.Contains(f.Method, "1 most frequent") {
		t.Errorf("%+v", f)
	}
}
