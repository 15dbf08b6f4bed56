package cli

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick"
)

func (a *app) demo() *cobra.Command {
	return &cobra.Command{
		Use:   "demo [DIR]",
		Short: "Audit a small made-up data set and verify its evidence, in a minute",
		Long: `Demo writes a made-up lender's predictions into DIR (default tally-sample), fixes the
thresholds, audits, and verifies the evidence. It prints each command before it runs it, so
that you can run them yourself; its workspace is DIR/workspace.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := "tally-sample"
			if len(args) > 0 {
				dir = args[0]
			}
			s := sample{random: rand.New(rand.NewPCG(1, 2026)), //nolint:gosec // the same data for everybody
				start: time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)}
			if err := s.write(dir); err != nil {
				return err
			}
			in := func(name string) string { return filepath.Join(dir, name) }
			for i, step := range [][]string{
				{"criteria", "commit", in("contract.yaml")},
				{"audit", in("predictions.csv"), "--reference", in("reference.csv"), "--contract", in("contract.yaml"),
					"--label", "defaulted", "--prediction", "rejected", "--score", "probability", "--favourable", "negative",
					"--group", "sex,age_band", "--id", "application", "--time", "applied_at", "--window", "1mo",
					"--model", "credit", "--version", "1", "--tier", "high", "--out", in("audit")},
				{"verify", in("audit/evidence.tally")},
			} {
				if i > 0 {
					fmt.Fprintln(a.Out)
				}
				step = append(step, "--workspace", in("workspace"))
				fmt.Fprintf(a.Out, "$ tallystick %s\n", strings.Join(step, " "))
				if code := Main(cmd.Context(), step, a.Streams); code > exitRefused || i == 2 && code != exitPassed {
					return tallystick.Errorf(tallystick.Internal, "demo: step %d ended with exit code %d", i+1, code)
				}
			}
			_, err := fmt.Fprintf(a.Out, "\nThe gate denied this version, as it should: look at %s\n", in("audit/report.html"))
			return err
		},
	}
}
