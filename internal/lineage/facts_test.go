package lineage

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzShown holds the quick reading of facts against the thorough one.
func FuzzShown(f *testing.F) {
	for _, known := range []facts{
		nil,
		{"label": {"Loans", 1}},
		{"rows": {"1200", 1772539200000}, "label": {"Loans", 0}, "schema": {"income: float64, region: text", 7}},
		{"a<b": {"x & y", 1}, "path": {`C:\data`, 2}, "q": {`"`, 3}, "ü": {"é\n\u2028", 4}, "": {"", -1}},
	} {
		f.Add(known.encode())
	}
	for _, s := range []string{"{}", "{", "}", `{"a":["b",1],}`, `{"a":["b",01]}`, `{"a":["b",1]}}`, `{"a":["b",1],"a":["c",2]}`, `{"a": ["b",1]}`, `{"a":["b"]}`, `{"label":["b",1],`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		thorough, wrong := parseFacts(s)
		quick, err := shown(s)
		if (err == nil) != (wrong == nil) {
			t.Fatalf("%q: quickly %v, thoroughly %v", s, err, wrong)
		}
		if diff := cmp.Diff(thorough.values(), quick); err == nil && diff != "" {
			t.Errorf("%q (-thorough +quick):\n%s", s, diff)
		}
	})
}

func TestPlainValuesAreReadQuickly(t *testing.T) {
	t.Parallel()
	known := facts{"rows": {"1200", 1772539200000}, "label": {"Loans", 0}, "schema": {"income: float64, région: text", 7}}
	if _, ok := plainValues(known.encode()); !ok {
		t.Error("plain facts are not read the quick way")
	}
}
