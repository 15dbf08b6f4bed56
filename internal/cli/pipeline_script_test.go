package cli

import (
	"os"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
	"go.yaml.in/yaml/v3"
)

// pipeline is what the templates of GitHub and GitLab have in common: steps of shell.
type pipeline struct {
	Jobs map[string]struct { // of GitHub
		Steps []struct{ Name, Run string }
	}
	Gate struct{ Script []string } // of GitLab
}

// cmdPipeline writes what a runner would run of a template in examples/ci, but for installing the program:
// pipeline NAME FILE.
func cmdPipeline(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: pipeline NAME FILE")
	}
	raw, err := os.ReadFile("../../examples/ci/" + args[0])
	ts.Check(err)
	var p pipeline
	ts.Check(yaml.Unmarshal(raw, &p))
	steps := p.Gate.Script
	for _, job := range p.Jobs {
		for _, step := range job.Steps {
			if step.Name != "Install" && step.Run != "" {
				steps = append(steps, step.Run)
			}
		}
	}
	if len(steps) < 5 {
		ts.Fatalf("%s has %d steps", args[0], len(steps))
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(strings.Join(steps, "\n")+"\n"), 0o600))
}
