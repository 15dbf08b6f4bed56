package audit

import (
	"math/rand/v2"
	"os"
	"strings"
	"testing"
)

// shuffleLines returns a CSV file with its rows in another order, always the same.
func shuffleLines(t testing.TB, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(content)), "\n")
	rows := lines[1:]
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(rows), func(i, k int) { rows[i], rows[k] = rows[k], rows[i] })
	return strings.Join(lines, "\n") + "\n"
}
