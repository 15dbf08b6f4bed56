package incident

import (
	"strings"
	"testing"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/yamldoc/yamldoctest"
)

// The YAML of a runbook is fuzzed as that of any document, and beside it what is taken for YAML.
func FuzzParseRunbook(f *testing.F) {
	parse := func(data []byte, name string) (*Runbook, error) {
		if _, err := ParseRunbook(data, name); err != nil && (tallystick.CodeOf(err) != tallystick.Invalid || strings.Contains(err.Error(), "\n")) {
			return nil, err
		}
		return ParseRunbook([]byte("---\n"+string(data)+"\n---\nText.\n"), name)
	}
	meaning := func(r *Runbook) string {
		plain := *r
		plain.Text = ""
		return yamldoctest.JSON(&plain)
	}
	var seeds []string
	shipped, err := Supplied()
	if err != nil {
		f.Fatal(err)
	}
	for _, source := range shipped {
		front, _, err := frontMatter(source, "a")
		if err != nil {
			f.Fatal(err)
		}
		seeds = append(seeds, strings.TrimSpace(string(front)))
	}
	yamldoctest.Fuzz(f, parse, meaning, seeds...)
}
