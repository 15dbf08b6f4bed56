package trail

import (
	"os"
	"strings"
	"testing"
)

// TestWords holds the first word of every type of event against docs/words.md.
func TestWords(t *testing.T) {
	t.Parallel()
	words, err := os.ReadFile("../../docs/words.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range Definitions() {
		noun, _, _ := strings.Cut(d.Type.Short(), ".")
		if noun == "witnesses" {
			noun = "witness"
		}
		if !strings.Contains(string(words), "**"+noun+"**") {
			t.Errorf("docs/words.md does not say what the %q of %s is", noun, d.Type.Short())
		}
	}
}
