package drift_test

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/drift"
	"github.com/tallystick/tallystick/internal/table"
	"github.com/tallystick/tallystick/internal/window"
)

// employment is a file of ACS employment by column: numbers, and categories as codes of a dictionary.
type employment struct {
	numbers      map[string][]float64
	codes        map[string][]uint32
	dictionaries map[string][]string
}

var (
	employmentNumbers    = []string{"AGEP", "predicted_probability"}
	employmentCategories = []string{"SCHL", "MAR", "RELP", "DIS", "ESP", "CIT", "MIG", "MIL", "ANC", "NATIVITY", "DEAR", "DEYE", "DREM", "SEX", "RAC1P"}
)

func readEmployment(t *testing.T, name string) employment {
	t.Helper()
	path := filepath.Join("..", "..", "..", "shared", "data", "acs-employment", name)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("needs ../shared/data/acs-employment/%s: %v", name, err)
	}
	tab, err := table.Open(t.Context(), []string{path}, table.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer tab.Close()
	e := employment{map[string][]float64{}, map[string][]uint32{}, map[string][]string{}}
	names := slices.Concat(employmentNumbers, employmentCategories)
	if err := tab.Scan(t.Context(), names, func(b *table.Block) error {
		for i, name := range names {
			e.numbers[name] = append(e.numbers[name], b.Cols[i].Float...)
			e.codes[name] = append(e.codes[name], b.Cols[i].Code...)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for _, name := range employmentCategories {
		e.dictionaries[name] = tab.Dictionary(name)
	}
	return e
}

func counts(dictionary []string, codes []uint32) []int64 {
	rows := make([]int64, len(dictionary))
	for _, code := range codes {
		rows[code]++
	}
	return rows
}

// ACS employment in windows of 5,000: from profiles as from values AGEP, SCHL and RELP drift in the two
// bad windows, RELP = 17 from about 5 % to almost 70 % in the worse one, and stable windows are quiet.
func TestEmploymentFromProfiles(t *testing.T) {
	t.Parallel()
	reference, analysis := readEmployment(t, "employment_MA_reference.pq"), readEmployment(t, "employment_MA_analysis.pq")
	b := window.NewBuilder(window.Options{})
	var numbers []*drift.Numbers
	var categories []*drift.Categories
	for _, name := range employmentNumbers {
		values := reference.numbers[name]
		if err := b.Number(name, window.RoleFeature, values, 0); err != nil {
			t.Fatal(err)
		}
		n, err := drift.NewNumbers(name, "feature", values, 0)
		if err != nil {
			t.Fatal(err)
		}
		numbers = append(numbers, n)
	}
	for _, name := range employmentCategories {
		dictionary := reference.dictionaries[name]
		rows, byValue := counts(dictionary, reference.codes[name]), map[string]int64{}
		for i, value := range dictionary {
			byValue[value] = rows[i]
		}
		if err := b.Category(name, window.RoleFeature, byValue, 0); err != nil {
			t.Fatal(err)
		}
		categories = append(categories, drift.NewCategories(name, "feature", dictionary, rows, 0))
	}
	r, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	baseline := drift.NewBaseline(r)
	const size = 5000
	var failed []int
	worst, words := 0.0, ""
	for start := 0; start+size <= len(analysis.numbers["AGEP"]); start += size {
		p := r.Profile()
		p.AddRows(size)
		var exact []drift.Feature
		for i, name := range employmentNumbers {
			values := analysis.numbers[name][start : start+size]
			p.AddNumbers(i, values)
			exact = append(exact, numbers[i].Compare(values, 0))
		}
		for i, name := range employmentCategories {
			codes := analysis.codes[name][start : start+size]
			if err := p.AddCodes(len(employmentNumbers)+i, analysis.dictionaries[name], codes); err != nil {
				t.Fatal(err)
			}
			exact = append(exact, categories[i].Compare(analysis.dictionaries[name], counts(analysis.dictionaries[name], codes), 0))
		}
		got := drift.Judge(baseline.Features(p), r.Rows, size, drift.Defaults())
		want := drift.Judge(exact, r.Rows, size, drift.Defaults())
		for i, g := range got.Features {
			w := want.Features[i]
			if g.Name != w.Name || g.Verdict != w.Verdict || math.Abs(float64(g.PSI-w.PSI)) > 1e-12 {
				t.Errorf("rows from %d: from profiles %s: %s\nfrom values %s: %s", start, g.Verdict, g.Words, w.Verdict, w.Words)
			}
			if d := float64(w.KS - g.KS); g.Kind == "number" && (d < -1e-12 || d > float64(g.ErrorBound)+1e-12 || g.P < w.P*(1-1e-9)) {
				t.Errorf("rows from %d: %s: KS %v within %v, p %v; from values %v and %v", start, g.Name, g.KS, g.ErrorBound, g.P, w.KS, w.P)
			}
		}
		fails := 0
		for _, f := range got.Features {
			if f.Verdict == tallystick.Fail && slices.Contains([]string{"AGEP", "SCHL", "RELP"}, f.Name) {
				fails++
			}
			if f.Name == "RELP" && float64(f.PSI) > worst {
				worst, words = float64(f.PSI), f.Words
			}
		}
		if fails == 3 {
			failed = append(failed, start/size)
		}
		if start < 14*size && got.Verdict != tallystick.Pass {
			t.Errorf("stable rows from %d: %s, %d features drift", start, got.Verdict, got.Drifted)
		}
	}
	if !slices.Equal(failed, []int{27, 28}) || !strings.HasPrefix(words, "RELP = 17 rises from 5.2 % to 69.6 % of rows") {
		t.Errorf("windows %v fail, and the worst of RELP is %q; want 27 and 28", failed, words)
	}
}
