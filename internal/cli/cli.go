// Package cli is the command line: it reads flags, wires the packages below, and prints for people
// and for programs.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/dial"
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
	workspace string       // --workspace
	database  string       // --database
	server    string       // --server
	purpose   string       // --purpose
	fetch     *dial.Client // gets artifacts from URLs; nil gets none
	packs     packs        // of serve --policy; nil: the built-in ones
	code      int
}

// Main runs one command and returns its exit code. Errors are one line on Err.
func Main(ctx context.Context, args []string, streams Streams) (code int) {
	defer func() {
		// A panic of our own must not look like wrong usage, which is Go's exit code for it.
		if fault := recover(); fault != nil {
			fmt.Fprintf(streams.Err, "tallystick: internal error: %v; please report it with what follows\n%s", fault, debug.Stack())
			code = exitInternal
		}
	}()
	a := &app{Streams: streams}
	root := a.root()
	root.SetArgs(args)
	root.SetIn(streams.In)
	root.SetOut(streams.Out)
	root.SetErr(streams.Err)
	if err := root.ExecuteContext(ctx); err != nil {
		fmt.Fprintf(streams.Err, "tallystick: %s\n", complaint(err))
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
signed evidence bundle, and records all of it on a tamper-evident trail.

  tallystick status credit
  tallystick history credit --at 2026-03-03

say what a model still owes, and what was in production that day, who put it there and
on what evidence.`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.PersistentFlags().StringVar(&a.workspace, "workspace", "", "workspace directory (default: tallystick in the user's data directory)")
	root.PersistentFlags().StringVar(&a.database, "database", "", "PostgreSQL database that holds the workspace's state, a `URL` (or TALLYSTICK_DATABASE, which other users of this machine cannot see)")
	root.PersistentFlags().StringVar(&a.server, "server", "", "ask this server instead of the workspace, a `URL` (or TALLYSTICK_SERVER; its token in TALLYSTICK_TOKEN)")
	root.PersistentFlags().StringVar(&a.purpose, "purpose", "", "what for; recorded with what is done")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		// pflag ends with the parser's own words, which say nothing to the user.
		words, _, _ := strings.Cut(err.Error(), ": strconv.")
		return usageError(cmd, "%s", words)
	})
	for _, g := range a.groups() {
		root.AddGroup(&cobra.Group{ID: g.id, Title: g.title})
		for _, command := range g.commands {
			command.GroupID = g.id
			root.AddCommand(command)
		}
	}
	root.Version = tool().Version
	strict(root)
	return root
}

// group is a heading in the help of the program, with its commands in the order of their use.
type group struct {
	id, title string
	commands  []*cobra.Command
}

func (a *app) groups() []group {
	return []group{
		{"audit", "Audit and gate:", []*cobra.Command{a.demo(), a.audit(), a.data(), a.criteria(), a.policy()}},
		{"registry", "Models and their versions:", []*cobra.Command{
			a.model(), a.register(), a.version(), a.status(), a.obligations(), a.evidence(), a.diff(), a.history(), a.download(),
		}},
		{"origin", "Data and lineage:", []*cobra.Command{a.dataset(), a.snapshot(), a.runCommand(), a.lineage()}},
		{"serving", "What serves where:", []*cobra.Command{
			a.env(), a.assign(), a.unassign(), a.assignments(), a.deployment(), a.reconcile(), a.finding(), a.casework(), a.body(), a.predictions(), a.reference(), a.monitor(), a.compare(), a.comparison(), a.incident(), a.replay(), a.hold(), a.runbook(), a.reaction(), a.retrain(), a.objective(), a.health(), a.alert(), a.silence(), a.label(), a.explain(),
		}},
		{"release", "Releases:", []*cobra.Command{a.gate(), a.release(), a.waiver(), a.signer()}},
		{"trail", "Trail and evidence:", []*cobra.Command{a.log(), a.bundle(), a.prove(), a.verify(), a.trust(), a.key(), a.fsck(), a.backup(), a.restore(), a.witness()}},
		{"server", "Server and people:", []*cobra.Command{a.serve(), a.login(), a.logout(), a.user(), a.tokenCommand(), a.notify()}},
	}
}

// strict makes wrong arguments usage errors throughout, and unknown subcommands too, for which cobra
// prints the help of their group as if nothing were wrong.
func strict(cmd *cobra.Command) {
	for _, sub := range cmd.Commands() {
		strict(sub)
	}
	cmd.SuggestionsMinimumDistance = 2 // letters, as cobra has it for the root alone
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if err := check(cmd, args); err != nil {
				return usageError(cmd, "%w", err)
			}
			return nil
		}
		return
	}
	cmd.Args = cobra.ArbitraryArgs
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return cmd.Help()
		}
		if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
			return tallystick.Errorf(tallystick.Invalid, "%s has no command %q", cmd.CommandPath(), args[0]).WithHint("did you mean %q?", near[0])
		}
		return usageError(cmd, "%s has no command %q", cmd.CommandPath(), args[0])
	}
}

func usageError(cmd *cobra.Command, format string, args ...any) error {
	return tallystick.Errorf(tallystick.Invalid, format, args...).WithHint("see: %s --help", cmd.CommandPath())
}

// oneOf refuses the value of a flag that is none of those allowed.
func oneOf(flag, value string, allowed ...string) error {
	if slices.Contains(allowed, value) {
		return nil
	}
	last := len(allowed) - 1
	return tallystick.Errorf(tallystick.Invalid, "%s %q is not %s or %s", flag, value, strings.Join(allowed[:last], ", "), allowed[last])
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
	switch {
	case errors.Is(err, context.Canceled):
		return exitRefused
	case errors.Is(err, syscall.ENAMETOOLONG): // only somebody who is asked for a name can have given it
		return exitUsage
	}
	return exitInternal
}
