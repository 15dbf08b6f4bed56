package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/internal/catalog"
)

// question is what a command asks of the registry, and how a person reads the answer. What text writes
// between tabs stands in columns.
type question[T any] struct {
	ask  func(ctx context.Context, s *session, args []string) (T, error)
	text func(w io.Writer, answer T)
}

// asks makes cmd put a question to the server or the workspace.
func asks[T any](a *app, cmd *cobra.Command, q question[T]) *cobra.Command {
	var format string
	cmd.Flags().StringVar(&format, "format", "text", "text or json")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := oneOf("--format", format, "text", "json"); err != nil {
			return err
		}
		s, err := a.dial(cmd.Context(), true)
		if err != nil {
			return err
		}
		answer, err := q.ask(cmd.Context(), s, args)
		if err = errors.Join(err, s.Close(cmd.Context(), false)); err != nil {
			return err
		}
		if format == "json" {
			return a.printJSON(answer)
		}
		return printColumns(a.Out, func(w io.Writer) { q.text(w, answer) })
	}
	return cmd
}

// command is what a command asks the registry to do, and how a person reads what came of it.
type command[T any] struct {
	do   func(ctx context.Context, s *session, args []string) (T, client.Receipt, error)
	text func(w io.Writer, result T)
	// mustExist refuses to make a workspace for it.
	mustExist bool
	// unsaid leaves out the event, which the answer does not name.
	unsaid bool
	// secret is where a secret goes: if that is standard output, the rest goes to standard error.
	secret *string
}

// done is what `--format json` prints of an act.
type done[T any] struct {
	Event    string `json:"event,omitempty"`    // absent if nothing changed
	Sequence string `json:"sequence,omitempty"` // of the event on the trail
	Result   T      `json:"result"`
}

// acts makes cmd act on the server or the workspace.
func acts[T any](a *app, cmd *cobra.Command, c command[T]) *cobra.Command {
	var format string
	cmd.Flags().StringVar(&format, "format", "text", "text or json")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := oneOf("--format", format, "text", "json"); err != nil {
			return err
		}
		s, err := a.dial(cmd.Context(), c.mustExist)
		if err != nil {
			return err
		}
		result, receipt, err := c.do(cmd.Context(), s, args)
		if err = errors.Join(err, s.Close(cmd.Context(), err == nil)); err != nil {
			return err
		}
		out := a.Out
		if c.secret != nil && *c.secret == "-" {
			out = a.Err
		}
		if format == "json" {
			return writeJSON(out, done[T]{receipt.Event, receipt.Sequence, result})
		}
		return printColumns(out, func(w io.Writer) {
			c.text(w, result)
			if !c.unsaid {
				printReceipt(w, receipt)
			}
		})
	}
	return cmd
}

func printReceipt(w io.Writer, r client.Receipt) {
	if r.Event == "" {
		fmt.Fprintln(w, "nothing changed: it is on record already")
		return
	}
	fmt.Fprintf(w, "recorded as event %s, %s\n", r.Sequence, r.Event)
}

// printColumns writes what is between tabs in columns.
func printColumns(out io.Writer, write func(w io.Writer)) error {
	tw := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	write(tw)
	return tw.Flush()
}

// printFields writes the pairs of a name and a value that have a value.
func printFields(w io.Writer, pairs ...string) {
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			fmt.Fprintf(w, "%s\t%s\n", pairs[i], pairs[i+1])
		}
	}
}

// moment writes a time for people, and nothing for none.
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05")
}

// orDash stands in a column for nothing.
func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// versionName splits MODEL@VERSION, both of which must be there.
func versionName(name string) (model, version string, err error) {
	model, version, err = catalog.ParseVersionName(name)
	if err == nil && version == "" {
		err = tallystick.Errorf(tallystick.Invalid, "%q names no version", name).WithHint("write MODEL@VERSION, such as %s@1", model)
	}
	return model, version, err
}

// pairs reads NAME=VALUE flags.
func pairs(flag string, given []string) (map[string]string, error) {
	if len(given) == 0 {
		return nil, nil
	}
	read := map[string]string{}
	for _, pair := range given {
		name, value, ok := strings.Cut(pair, "=")
		if !ok || name == "" {
			return nil, tallystick.Errorf(tallystick.Invalid, "%s %q is not NAME=VALUE", flag, pair)
		}
		if _, twice := read[name]; twice {
			return nil, tallystick.Errorf(tallystick.Invalid, "%s gives %s twice", flag, name)
		}
		read[name] = value
	}
	return read, nil
}
