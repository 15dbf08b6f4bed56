// Package cli is the command line: it reads flags, wires the packages below, and prints for people
// and for programs.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick"
)

// The exit codes.
const (
	exitPassed   = 0 // the gate passed, the check held
	exitRefused  = 1 // anything but passed
	exitUsage    = 2 // wrong flags or wrong input
	exitInternal = 3 // a fault of ours, or of the machine
)

// Streams are what the program reads and writes.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// app is what the commands share.
type app struct {
	Streams
	workspace string // --workspace
	code      int
}

// Main runs one command and returns its exit code. Errors are one line on Err.
func Main(ctx context.Context, args []string, streams Streams) int {
	a := &app{Streams: streams}
	root := a.root()
	root.SetArgs(args)
	root.SetIn(streams.In)
	root.SetOut(streams.Out)
	root.SetErr(streams.Err)
	if err := root.ExecuteContext(ctx); err != nil {
		fmt.Fprintf(streams.Err, "tallystick: %s\n", oneLine(err))
		return exitCode(err)
	}
	return a.code
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "tallystick",
		Short: "Audit machine-learning models, with evidence that a stranger can check",
		Long: `Tallystick audits machine-learning models.

  tallystick audit predictions.csv --label COL --prediction COL

turns a file of predictions into a statistical audit, a gate verdict, a report and a
signed evidence bundle, and records all of it on a tamper-evident trail.`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.PersistentFlags().StringVar(&a.workspace, "workspace", "", "workspace directory (default: tallystick in the user's data directory)")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return tallystick.Errorf(tallystick.Invalid, "%w", err).WithHint("see: %s --help", cmd.CommandPath())
	})
	root.AddCommand(
		a.audit(), a.verify(), a.log(), a.prove(), a.criteria(), a.data(), a.policy(),
		a.fsck(), a.backup(), a.restore(), a.trust(), a.demo(),
	)
	root.Version = tool().Version
	return root
}

// exitCode is the one table from error codes to exit codes.
func exitCode(err error) int {
	switch tallystick.CodeOf(err) {
	case "":
		return exitPassed
	case tallystick.Invalid, tallystick.NotFound, tallystick.Conflict:
		return exitUsage
	case tallystick.Forbidden, tallystick.Unauthorized:
		return exitRefused
	}
	if errors.Is(err, context.Canceled) {
		return exitRefused
	}
	return exitInternal
}
