package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/expectation"
	"github.com/tallystick/tallystick/internal/monitor"
)

func (a *app) monitorTest() *cobra.Command {
	var format, run string
	cmd := &cobra.Command{
		Use: "test FILE...", Short: "Test monitors: say what comes in, and what they are to say of it", Args: cobra.MinimumNArgs(1),
		Long: `Run the tests of each FILE: predictions that are listed, drawn by chance of a seed, or read of a CSV or Parquet file;
a reference; and what a monitor is to say of each window. Each test takes its predictions in, into a workspace of its
own that is thrown away, and they are judged as on a server. No server is needed.

Exit code: 0 all tests hold, 1 some do not, 2 a file or its input cannot be read.`,
		Example: `  tallystick monitor test monitors/credit_test.yaml
  tallystick monitor test monitors/*_test.yaml --format junit > monitors.xml`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := oneOf("--format", format, "text", "json", "junit"); err != nil {
				return err
			}
			results := []expectation.Result{}
			for _, path := range args {
				of, err := expectation.Run(cmd.Context(), path, run)
				if err != nil {
					return err
				}
				results = append(results, of...)
			}
			if len(results) == 0 {
				return tallystick.Errorf(tallystick.Invalid, "no test has %q in its name", run)
			}
			for _, r := range results {
				if !r.Passed {
					a.code = exitRefused
				}
			}
			switch format {
			case "json":
				return a.printJSON(results)
			case "junit":
				return expectation.WriteJUnit(a.Out, results)
			}
			return expectation.WriteText(a.Out, results)
		},
	}
	cmd.Flags().StringVar(&run, "run", "", "only tests that have this `text` in their name")
	cmd.Flags().StringVar(&format, "format", "text", "text, json or junit")
	return cmd
}

func (a *app) monitorChecks() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use: "checks", Short: "List what a monitor can look at, with methods, defaults and reasons", Args: cobra.NoArgs,
		Example: `  tallystick monitor checks --format json`,
		RunE: func(*cobra.Command, []string) error {
			if err := oneOf("--format", format, "text", "json"); err != nil {
				return err
			}
			all := monitor.AllChecks()
			if format == "json" {
				return a.printJSON(all)
			}
			for i, c := range all {
				judged := "if stated: " + c.Key + ": on"
				switch {
				case c.Always:
					judged = "always"
				case c.Default:
					judged = "unless " + c.Key + ": off"
				case c.Needs != "":
					judged = "if stated: " + c.Key + ": " + c.Needs
				}
				if i > 0 {
					fmt.Fprintln(a.Out)
				}
				fmt.Fprintf(a.Out, "%s\n", c.Key)
				for _, line := range []struct{ what, text string }{{"method", c.Method}, {"fails", c.Fails}, {"judged", judged}, {"why", c.Why}} {
					fmt.Fprintf(a.Out, "  %-8s%s\n", line.what, line.text)
				}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&format, "format", "text", "text or json")
	return cmd
}
