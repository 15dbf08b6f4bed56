package audit

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/table"
)

func times(t *testing.T, days ...string) *table.Table {
	t.Helper()
	var b strings.Builder
	b.WriteString("at,x\n")
	for i, day := range days {
		at := ""
		if day != "" {
			at = "2024-03-" + day + "T12:00:00Z"
		}
		fmt.Fprintf(&b, "%s,%d\n", at, i)
	}
	tab, err := table.Open(t.Context(), []string{write(t, "times.csv", b.String())}, table.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tab.Close() })
	return tab
}

// Rows are assigned to days; a day without rows between others is a window too.
func TestTimeWindows(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		days    []string
		ordered bool
		of      []int32
		rows    []int64
	}{
		{"in order", []string{"01", "01", "02", "04"}, true, []int32{0, 0, 1, 3}, []int64{2, 1, 0, 1}},
		{"one window", []string{"01", "01"}, true, []int32{0, 0}, []int64{2}},
		{"mixed", []string{"02", "01", "02", "04"}, false, []int32{1, 0, 1, 3}, []int64{1, 2, 0, 1}},
		{"missing", []string{"01", "", "02"}, false, []int32{0, -1, 1}, []int64{1, 1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p, err := parsePeriod("1d")
			if err != nil {
				t.Fatal(err)
			}
			w, err := timeWindows(t.Context(), times(t, test.days...), "at", p)
			if err != nil {
				t.Fatal(err)
			}
			if w.ordered() != test.ordered {
				t.Errorf("ordered is %v", w.ordered())
			}
			follow := w.follow()
			for row, want := range test.of {
				if got := w.at(int64(row)); got != want {
					t.Errorf("row %d is in window %d, want %d", row, got, want)
				}
				if got := follow(int64(row)); got != want {
					t.Errorf("row %d follows into window %d, want %d", row, got, want)
				}
			}
			var rows []int64
			for _, s := range w.spans {
				rows = append(rows, s.rows)
			}
			if diff := cmp.Diff(test.rows, rows); diff != "" {
				t.Errorf("rows of windows (-want +got):\n%s", diff)
			}
		})
	}
}

// keyer agrees with the period that it follows, whatever the order of times.
func TestKeyer(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"1h", "7h", "1d", "1w", "1mo", "5mo"} {
		p, err := parsePeriod(s)
		if err != nil {
			t.Fatal(err)
		}
		k := keyer{period: p}
		for i := range int64(5000) {
			at := (i*i*7_919_000_003_000_000 - 4e18) % 8e18 // years 1716 to 2223
			if got, want := k.key(at), p.key(at); got != want {
				t.Fatalf("%s: %d is in window %d, want %d", s, at, got, want)
			}
		}
	}
}

// Windows that are all open at once are few beyond the rows that are held.
func TestMixedWindowsBeyondExactRows(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("at,label,prediction\n")
	for i := range 3000 {
		fmt.Fprintf(&b, "2024-%02d-%02dT00:00:00Z,%d,%d\n", 1+i%12, 1+i%28, i%2, i/2%2)
	}
	cfg := Config{
		Files: []string{write(t, "mixed.csv", b.String())}, Label: "label", PositiveLabel: "1", Prediction: "prediction",
		Time: "at", Window: "1d", ExactRows: 1000,
	}
	_, err := Measure(t.Context(), cfg)
	if tallystick.CodeOf(err) != tallystick.Invalid || !strings.Contains(err.Error(), "in no order") {
		t.Errorf("error %v, want one about the order", err)
	}
	cfg.ExactRows = 0
	if doc := measured(t, cfg); len(doc.Windows) != 363 {
		t.Errorf("%d windows, want 363", len(doc.Windows))
	}
}
