package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/trail"
)

func (a *app) log() *cobra.Command {
	var kind, actor, resource, outcome, since, until, format string
	var limit int
	var oldest bool
	cmd := &cobra.Command{
		Use:   "log",
		Short: "List what is on the trail, newest first",
		Example: `  tallystick log --type audit.completed --since 2026-01-01
  tallystick log --resource version/credit@3 --format json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			f := trail.Filter{Actor: actor, Outcome: tallystick.Outcome(outcome), Limit: limit, Newest: !oldest}
			if kind != "" {
				if f.Type, err = trail.ParseType(kind); err != nil {
					return err
				}
			}
			if outcome != "" {
				if err := oneOf("--outcome", outcome, string(tallystick.Success), string(tallystick.Denied), string(tallystick.Failed)); err != nil {
					return err
				}
			}
			if limit < 1 || limit > 1000 {
				return tallystick.Errorf(tallystick.Invalid, "--limit %d is not a number from 1 to 1000", limit).WithHint("choose fewer with --since and --until")
			}
			f.Resource.Type, f.Resource.ID, _ = strings.Cut(resource, "/")
			if f.Since, err = parseTime("--since", since); err != nil {
				return err
			}
			if f.Until, err = parseTime("--until", until); err != nil {
				return err
			}
			if err := oneOf("--format", format, "text", "json"); err != nil {
				return err
			}
			w, err := a.open(cmd.Context(), true)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, w.Close()) }()
			events, err := w.Trail.Events(cmd.Context(), f)
			if err != nil {
				return err
			}
			if format == "json" {
				return printEventsJSON(a.Out, events)
			}
			return printEvents(a.Out, events)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&kind, "type", "", "type of event, such as audit.completed")
	flags.StringVar(&actor, "actor", "", "who did it")
	flags.StringVar(&resource, "resource", "", "what it was done to, as `TYPE/ID`: model/credit, version/credit@3")
	flags.StringVar(&outcome, "outcome", "", "success, denied or failed")
	flags.StringVar(&since, "since", "", "from this `time` on: 2026-01-31, or RFC 3339")
	flags.StringVar(&until, "until", "", "before this `time`")
	flags.IntVar(&limit, "limit", 50, "number of events, at most 1,000")
	flags.BoolVar(&oldest, "oldest", false, "oldest first")
	flags.StringVar(&format, "format", "text", "text or json")
	return cmd
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

func printEvents(out io.Writer, events []trail.Event) error {
	tw := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "SEQUENCE\tTIME\tEVENT\tRESOURCE\tOUTCOME\tACTOR\tLEVEL")
	for _, e := range events {
		level := trail.Recorded
		if e.Index != nil {
			level = trail.Sealed
		}
		fmt.Fprintf(tw, "%d\t%s\t%s\t%s/%s\t%s\t%s\t%s\n", e.Sequence, e.Time.Format("2006-01-02 15:04:05"), e.Type.Short(),
			e.Resource.Type, shorten(e.Resource.ID, 44), e.Outcome, e.Actor, level)
	}
	return tw.Flush()
}

func shorten(s string, width int) string {
	if len(s) <= width {
		return s
	}
	return s[:width-1] + "…"
}

// eventJSON is one line of `log --format json`.
type eventJSON struct {
	Sequence uint64         `json:"sequence"`
	ID       string         `json:"id"`
	Type     string         `json:"type"`
	Time     time.Time      `json:"time"`
	Resource string         `json:"resource"`
	Outcome  string         `json:"outcome,omitempty"`
	Level    trail.Level    `json:"level"`
	Index    *uint64        `json:"ledger_index"`
	Data     map[string]any `json:"data"`
}

func printEventsJSON(out io.Writer, events []trail.Event) error {
	enc := json.NewEncoder(out)
	for _, e := range events {
		data, err := e.Data()
		if err != nil {
			return err
		}
		line := eventJSON{
			Sequence: e.Sequence, ID: e.ID, Type: e.Type.Short(), Time: e.Time, Resource: e.Resource.Type + "/" + e.Resource.ID,
			Outcome: string(e.Outcome), Level: trail.Recorded, Index: e.Index, Data: data,
		}
		if e.Index != nil {
			line.Level = trail.Sealed
		}
		if err := enc.Encode(line); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) prove() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "prove EVENT",
		Short: "Write the proof that an event is in the ledger, as a C2SP tlog-proof",
		Long: `Prove writes a file that shows, to anybody who believes the log key, that the event stands
in the ledger under a signed checkpoint. EVENT is a sequence or an id from: tallystick log`,
		Example: `  tallystick prove 12 -o event.tlog-proof
  tallystick verify event.tlog-proof`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			w, err := a.open(cmd.Context(), true)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, w.Close()) }()
			event, err := w.Trail.Event(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if event.Index == nil {
				if _, err := w.Seal(cmd.Context()); err != nil {
					return err
				}
				if event, err = w.Trail.Event(cmd.Context(), args[0]); err != nil {
					return err
				}
			}
			prover, err := w.Prover()
			if err != nil {
				return err
			}
			proof, err := prover.Prove(cmd.Context(), event)
			if err != nil {
				return err
			}
			return a.write(output, proof.Marshal())
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "-", "`file` to write; - is standard output")
	return cmd
}
