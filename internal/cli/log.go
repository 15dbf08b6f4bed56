package cli

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/internal/api"
	"github.com/tallystick/tallystick/internal/trail"
)

func (a *app) log() *cobra.Command {
	var kind, actor, model, resource, outcome, since, until, format string
	var limit int
	var oldest bool
	cmd := &cobra.Command{
		Use:   "log",
		Short: "List what is on the trail, newest first",
		Long: `List what is on the trail, newest first; as JSON, one event a line.

On a server, people have names only for those who may open sealed fields (role auditor).`,
		Example: `  tallystick log --type audit.completed --since 2026-01-01
  tallystick log --resource version/credit@3 --format json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if kind != "" {
				if _, err := trail.ParseType(kind); err != nil {
					return err
				}
			}
			if outcome != "" {
				if err := oneOf("--outcome", outcome, string(tallystick.Success), string(tallystick.Denied), string(tallystick.Failed)); err != nil {
					return err
				}
			}
			if kind, id, _ := strings.Cut(resource, "/"); resource != "" && (kind == "" || id == "") {
				return tallystick.Errorf(tallystick.Invalid, "--resource %q is not TYPE/ID", resource).WithHint("write model/credit or version/credit@3")
			}
			if limit < 1 || limit > 1000 {
				return tallystick.Errorf(tallystick.Invalid, "--limit %d is not a number from 1 to 1000", limit).WithHint("choose fewer with --since and --until")
			}
			q := chosen("type", kind, "actor", actor, "model", model, "resource", resource, "outcome", outcome)
			if err := addTimes(q, "since", since, "until", until); err != nil {
				return err
			}
			if !oldest {
				q.Set("newest", "true")
			}
			q.Set("limit", strconv.Itoa(limit))
			if err := oneOf("--format", format, "text", "json"); err != nil {
				return err
			}
			s, err := a.dial(cmd.Context(), true)
			if err != nil {
				return err
			}
			var events client.Page[api.Event]
			err = s.Get(cmd.Context(), "/events?"+q.Encode(), &events)
			if err = errors.Join(err, s.Close(cmd.Context(), false)); err != nil {
				return err
			}
			if format == "json" {
				return printEventsJSON(a.Out, events.Items)
			}
			return printColumns(a.Out, func(w io.Writer) { printEvents(w, events.Items) })
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&kind, "type", "", "type of event, such as audit.completed")
	flags.StringVar(&actor, "actor", "", "who did it")
	flags.StringVar(&model, "model", "", "the model that it concerns")
	flags.StringVar(&resource, "resource", "", "what it was done to, as `TYPE/ID`: model/credit, version/credit@3")
	flags.StringVar(&outcome, "outcome", "", "success, denied or failed")
	flags.StringVar(&since, "since", "", "from this `time` on: 2026-01-31, or RFC 3339")
	flags.StringVar(&until, "until", "", "before this `time`")
	flags.IntVar(&limit, "limit", 50, "number of events, at most 1,000")
	flags.BoolVar(&oldest, "oldest", false, "oldest first")
	flags.StringVar(&format, "format", "text", "text or json")
	return cmd
}

// addTimes adds times to a query, of pairs of a name, which is that of the flag too, and what was given.
func addTimes(q url.Values, pairs ...string) error {
	for i := 0; i+1 < len(pairs); i += 2 {
		t, err := parseTime("--"+pairs[i], pairs[i+1])
		if err != nil {
			return err
		}
		if !t.IsZero() {
			q.Set(pairs[i], t.Format(time.RFC3339Nano))
		}
	}
	return nil
}

func parseTime(flag, s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	return time.Time{}, tallystick.Errorf(tallystick.Invalid, "%s %q is not a time", flag, s).WithHint("write 2026-01-31 or 2026-01-31T12:00:00Z")
}

func printEvents(w io.Writer, events []api.Event) {
	fmt.Fprintln(w, "SEQUENCE\tTIME\tEVENT\tRESOURCE\tOUTCOME\tACTOR\tLEVEL")
	for _, e := range events {
		kind, id, _ := strings.Cut(e.Resource, "/")
		fmt.Fprintf(w, "%d\t%s\t%s\t%s/%s\t%s\t%s\t%s\n", e.Sequence, moment(e.Time), e.Type,
			kind, shorten(id, 44), orDash(e.Outcome), orDash(cmp.Or(e.Name, e.Actor)), e.Level)
	}
}

// shorten cuts a text to so many letters.
func shorten(s string, width int) string {
	letters := []rune(s)
	if len(letters) <= width {
		return s
	}
	return string(letters[:width-1]) + "…"
}

// printEventsJSON writes an event on each line.
func printEventsJSON(out io.Writer, events []api.Event) error {
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	for _, e := range events {
		if err := enc.Encode(e); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) prove() *cobra.Command {
	var output, from string
	cmd := &cobra.Command{
		Use:   "prove EVENT",
		Short: "Write the proof that an event is in the ledger, as a C2SP tlog-proof",
		Long: `Prove writes a file that shows, to anybody who believes the log key, that the event stands
in the ledger under a signed checkpoint. EVENT is a sequence or an id from: tallystick log

With --package the proof is taken out of a package for an auditor, without a workspace; EVENT is a
sequence then.`,
		Example: `  tallystick prove 12 -o event.tlog-proof
  tallystick prove 12 --package credit.tally -o event.tlog-proof
  tallystick verify event.tlog-proof`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if from != "" {
				proof, err := provePackaged(from, args[0])
				if err != nil {
					return err
				}
				return a.write(output, proof)
			}
			w, err := a.open(cmd.Context(), true)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, w.Close()) }()
			proof, err := w.ProveEvent(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return a.write(output, proof.Marshal())
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "-", "`file` to write; - is standard output")
	cmd.Flags().StringVar(&from, "package", "", "take the proof out of this package, a `file`")
	cmd.AddCommand(a.provePrediction())
	return cmd
}
