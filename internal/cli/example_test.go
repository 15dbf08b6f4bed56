package cli

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/obligation"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
	"github.com/tallystick/tallystick/internal/workspace"
)

// Every command has an example of itself, unless there is nothing to say but its name. That each parses says
// TestDocumentedCommands.
func TestExamples(t *testing.T) {
	t.Parallel()
	seen := 0
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
		if cmd.Runnable() && cmd.Example == "" && (strings.Contains(cmd.Use, " ") || ownFlags(cmd) > 1) {
			t.Errorf("%s has no example", cmd.CommandPath())
		}
		named := cmd.Example == ""
		for _, line := range commandLines(cmd.Example) {
			seen++
			named = named || strings.HasPrefix("tallystick "+line+" ", cmd.CommandPath()+" ")
		}
		if !named {
			t.Errorf("no example of %s is of the command", cmd.CommandPath())
		}
	}
	for _, cmd := range new(app).root().Commands() {
		if cmd.Name() != "completion" && cmd.Name() != "help" {
			walk(cmd)
		}
	}
	if seen < 50 {
		t.Errorf("there are only %d examples", seen)
	}
}

func ownFlags(cmd *cobra.Command) (n int) {
	cmd.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
		if f.Name != "format" && f.Name != "help" {
			n++
		}
	})
	return n
}

// Each command that obligations name parses, for a model of our own and for a supplier's.
func TestObligationsNameCommandsThatParse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w, err := workspace.Open(t.Context(), workspace.Config{Dir: filepath.Join(dir, "workspace"), Anchors: filepath.Join(dir, "anchors"), Actor: trail.Actor{ID: "test", Kind: "program"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	h := new(app).house(w)
	named := map[string]bool{}
	for _, thirdParty := range []bool{false, true} {
		name := fmt.Sprintf("credit-%v", thirdParty)
		err := w.DB.Write(t.Context(), func(tx *state.Tx) error {
			c, err := h.catalog.RegisterModel(tx, catalog.ModelRegistration{Name: name, ModelDetails: catalog.ModelDetails{
				Owner: "ada", ThirdParty: thirdParty, Supplier: map[bool]string{true: "Acme"}[thirdParty], TierStated: tallystick.TierHigh,
			}}, "usr_test")
			if err == nil {
				_, err = w.Recorder.Commit(tx, trail.Act{Actor: trail.Actor{ID: "usr_test", Kind: "person"}}, c)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		c, err := h.obliged.Catalogue()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range c.Frameworks {
			o, err := h.obliged.Obligations(t.Context(), obligation.Query{Model: name, Framework: f.ID, Ahead: true})
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range o.Sections {
				for _, d := range s.Duties {
					for _, p := range d.Pieces {
						named[p.Command] = named[p.Command] || p.Command != ""
					}
				}
			}
		}
	}
	if len(named) < 40 {
		t.Errorf("only %d commands are named", len(named))
	}
	for command := range named {
		for _, line := range commandLines(command) {
			if err := parses(line); err != nil {
				t.Errorf("%s: %v", command, err)
			}
		}
	}
}
