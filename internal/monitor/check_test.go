package monitor

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

const docs = "../../docs/monitoring.md"

// TestDocumented compares the table of checks in the documentation with what the checks say of themselves; with -update
// it writes the table.
func TestDocumented(t *testing.T) {
	t.Parallel()
	const head = "| check | method | fails | judged | default, and why |\n|---|---|---|---|---|\n"
	table := head
	for _, a := range AllChecks() {
		judged := "if stated"
		switch {
		case a.Always:
			judged = "always"
		case a.Default:
			judged = "unless `off`"
		}
		table += fmt.Sprintf("| `%s` | %s | %s | %s | %s |\n", a.Key, a.Method, a.Fails, judged, a.Why)
	}
	data, err := os.ReadFile(docs)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(data), "| check | method |")
	_, after, ends := strings.Cut(rest, "\n\n")
	if !found || !ends {
		t.Fatalf("%s has no table that begins with | check | method |", docs)
	}
	want := before + table + "\n" + after
	if updating() {
		if err := os.WriteFile(docs, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if want != string(data) {
		t.Errorf("%s does not have the table of checks: go test ./internal/monitor -run Documented -update", docs)
	}
}

// updating reports whether golden files are written; the flag is that of the tests of the other package.
func updating() bool { return flag.Lookup("update").Value.String() == "true" }

// TestKeys shows that every check has a key of its own, and says all that people have to know.
func TestKeys(t *testing.T) {
	t.Parallel()
	var keys []string
	for _, a := range AllChecks() {
		if a.Key == "" || a.Method == "" || a.Fails == "" || a.Why == "" || slices.Contains(keys, a.Key) {
			t.Errorf("%+v", a)
		}
		keys = append(keys, a.Key)
	}
}
