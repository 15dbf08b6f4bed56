package table

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// readColumn returns the values of a column: nil, float64, string, or int64 for a time.
func readColumn(ctx context.Context, tab *Table, name string) ([]any, error) {
	values := make([]any, 0, min(tab.Rows(), 1<<16))
	dictionary := tab.Dictionary(name)
	err := tab.Scan(ctx, []string{name}, func(b *Block) error {
		v := &b.Cols[0]
		for i := range b.N {
			switch {
			case v.Null != nil && v.Null[i]:
				values = append(values, nil)
			case v.Kind == Number:
				values = append(values, v.Float[i])
			case v.Kind == Category:
				values = append(values, dictionary[v.Code[i]])
			case v.Kind == Time:
				values = append(values, v.Time[i])
			default:
				values = append(values, v.Text(i))
			}
		}
		return nil
	})
	return values, err
}

func mustRead(t *testing.T, tab *Table, name string) []any {
	t.Helper()
	values, err := readColumn(t.Context(), tab, name)
	if err != nil {
		t.Fatal(err)
	}
	return values
}

// writeFile makes a file of the given content and returns its path.
func writeFile(t testing.TB, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func mustOpen(t testing.TB, opt Options, paths ...string) *Table {
	t.Helper()
	tab, err := Open(t.Context(), paths, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tab.Close(); err != nil {
			t.Error(err)
		}
	})
	return tab
}

func openText(t testing.TB, opt Options, lines ...string) *Table {
	t.Helper()
	return mustOpen(t, opt, writeFile(t, "data.csv", strings.Join(lines, "\n")+"\n"))
}
