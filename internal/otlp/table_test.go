package otlp_test

import (
	"os"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/otlp"
)

func TestTableIsDocumented(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("../../docs/predictions.md")
	if err != nil {
		t.Fatal(err)
	}
	if want := otlp.Markdown(); !strings.Contains(string(doc), want) {
		t.Errorf("docs/predictions.md does not have the table:\n%s", want)
	}
}

// An attribute that stands twice for the same key, or for none, says nothing.
func TestTableIsSound(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, m := range otlp.Table() {
		if key := m.Attribute + " " + m.Key; seen[key] || m.Key == "" || m.Attribute == "" {
			t.Errorf("%+v stands twice, or is empty", m)
		} else {
			seen[key] = true
		}
	}
}
