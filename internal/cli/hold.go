package cli

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/internal/archive"
)

func (a *app) hold() *cobra.Command {
	cmd := &cobra.Command{
		Use: "hold", Short: "Keep predictions from removal and erasure until released, as for a claim",
		Long: `A hold keeps predictions of a model, of a time or of all: they are not removed when their time is over, and whoever asks
that one be erased is refused with the name of the hold. Once it is released, both go on; what was refused is asked for
again. Bodies of predictions are kept with them.`,
	}
	cmd.AddCommand(a.holdPlace(), a.holdList(), a.holdShow(), a.holdRelease())
	return cmd
}

func holdPath(id string) string { return "/holds/" + url.PathEscape(id) }

func (a *app) holdPlace() *cobra.Command {
	var n archive.NewHold
	var from, to string
	cmd := &cobra.Command{
		Use: "place [MODEL] --reason TEXT", Short: "Keep predictions of a model, or of an incident", Args: cobra.MaximumNArgs(1),
		Example: `  tallystick hold place --incident 01a1fdcb-24be-75b3-be70-454162a8499b --reason "claim 12/7"
  tallystick hold place credit --from 2026-03-01 --to 2026-04-01 --reason "asked for by the supervisor"`,
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&n.Incident, "incident", "", "for this incident: its model, from where its evidence begins until the harm stopped")
	flags.StringVar(&from, "from", "", "predictions from this `time` on; absent: from the first")
	flags.StringVar(&to, "to", "", "predictions before this `time`; absent: those to come too")
	flags.StringVar(&n.Reason, "reason", "", "why; recorded")
	return acts(a, cmd, command[archive.Hold]{
		do: func(ctx context.Context, s *session, args []string) (h archive.Hold, _ client.Receipt, err error) {
			if len(args) == 1 {
				n.Model = args[0]
			}
			if n.Model == "" && n.Incident == "" || n.Reason == "" {
				return h, client.Receipt{}, usageError(cmd, "a model or --incident, and --reason, are needed")
			}
			for _, t := range []struct {
				flag, text string
				at         *time.Time
			}{{"--from", from, &n.From}, {"--to", to, &n.To}} {
				if t.text != "" {
					if *t.at, err = timeFlag(t.flag, t.text); err != nil {
						return h, client.Receipt{}, err
					}
				}
			}
			receipt, err := s.Post(ctx, "/holds", n, &h)
			return h, receipt, err
		},
		text: printHold, mustExist: true,
	})
}

func printHold(w io.Writer, h archive.Hold) {
	state := "in force"
	if !h.Released.IsZero() {
		state = "released"
	}
	printFields(w, "hold", h.ID, "state", state, "model", h.Model, "incident", h.Incident, "predictions from", held(h.From, "the first"), "until", held(h.To, "those to come"), "reason", h.Reason,
		"placed", moment(h.Placed), "by", h.PlacedBy, "released", moment(h.Released), "by", h.ReleasedBy, "because", h.ReleaseReason)
}

// held writes an end of the time of a hold.
func held(t time.Time, open string) string {
	if t.IsZero() {
		return open
	}
	return moment(t)
}

func (a *app) holdList() *cobra.Command {
	var model, incident string
	var all bool
	cmd := &cobra.Command{
		Use: "list", Short: "List the holds in force; with --all released ones too", Args: cobra.NoArgs,
		Example: `  tallystick hold list --model credit --all`,
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&model, "model", "", "of this model")
	flags.StringVar(&incident, "incident", "", "for this incident")
	flags.BoolVar(&all, "all", false, "released ones too")
	return asks(a, cmd, question[[]archive.Hold]{
		ask: func(ctx context.Context, s *session, _ []string) ([]archive.Hold, error) {
			q := chosen("model", model, "incident", incident)
			if !all {
				q.Set("in_force", "true")
			}
			return client.List[archive.Hold](ctx, s.Client, "/holds", q, 0)
		},
		text: func(w io.Writer, all []archive.Hold) {
			fmt.Fprintln(w, "HOLD\tMODEL\tFROM\tUNTIL\tINCIDENT\tPLACED\tRELEASED\tREASON")
			for _, h := range all {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", h.ID, h.Model, held(h.From, "the first"), held(h.To, "those to come"), orDash(h.Incident), moment(h.Placed), orDash(moment(h.Released)), orDash(brief(h.Reason)))
			}
		},
	})
}

func (a *app) holdShow() *cobra.Command {
	return asks(a, &cobra.Command{
		Use: "show HOLD", Short: "Show a hold", Args: cobra.ExactArgs(1),
		Example: `  tallystick hold show 01a1fdcb-24be-75b3-be70-454162a8499b`,
	}, question[archive.Hold]{
		ask: func(ctx context.Context, s *session, args []string) (h archive.Hold, err error) {
			return h, s.Get(ctx, holdPath(args[0]), &h)
		},
		text: printHold,
	})
}

func (a *app) holdRelease() *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use: "release HOLD --reason TEXT", Short: "Release a hold: what it kept is removed and erased as ever", Args: cobra.ExactArgs(1),
		Example: `  tallystick hold release 01a1fdcb-24be-75b3-be70-454162a8499b --reason "claim 12/7 is settled"`,
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why; recorded")
	return acts(a, cmd, command[archive.Hold]{
		do: func(ctx context.Context, s *session, args []string) (h archive.Hold, _ client.Receipt, err error) {
			if reason == "" {
				return h, client.Receipt{}, usageError(cmd, "--reason is needed")
			}
			receipt, err := s.Post(ctx, holdPath(args[0])+"/release", map[string]string{"reason": reason}, &h)
			return h, receipt, err
		},
		text: func(w io.Writer, h archive.Hold) {
			printHold(w, h)
			fmt.Fprintln(w, "erasures that it refused are on the trail, to be asked for again: tallystick log --type command.refused")
		}, mustExist: true,
	})
}
