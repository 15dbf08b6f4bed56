package cli

import (
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/incident"
)

// Every command that a runbook of the program names is one, with those flags.
func TestRunbookCommands(t *testing.T) {
	t.Parallel()
	all, err := incident.Supplied()
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for name, data := range all {
		r, err := incident.ParseRunbook(data, name)
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range r.Steps {
			line, ok := strings.CutPrefix(step.Command, "tallystick ")
			if !ok {
				continue
			}
			seen++
			if err := parses(line); err != nil {
				t.Errorf("%s: %s: %v", name, step.Command, err)
			}
		}
	}
	if seen < 20 {
		t.Errorf("only %d commands were looked at", seen)
	}
}
