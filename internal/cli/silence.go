package cli

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/internal/alert"
	"github.com/tallystick/tallystick/internal/api"
	"github.com/tallystick/tallystick/internal/yamldoc"
)

func (a *app) silence() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "silence",
		Short: "Keep notifications of alerts back for a time, as for maintenance",
		Long: `A silence keeps notifications of the alerts back that meet its conditions, for at most 30 days. The alerts are judged,
fire and resolve as before, and the record says that they were suppressed and by which silence.`,
	}
	cmd.AddCommand(a.silenceCreate(), a.silenceList(), a.silenceEnd())
	return cmd
}

func (a *app) silenceCreate() *cobra.Command {
	var reason, from, until, long string
	cmd := &cobra.Command{
		Use: "create CONDITION... --for TIME --reason TEXT", Short: "Keep notifications back from now on, or from a later time", Args: cobra.MinimumNArgs(1),
		Long: `Every condition must hold for the labels of an alert: model, version, environment, rule, alertname (the last part of the
rule), subject, segment, severity, and those of policies. Conditions are written as for Alertmanager: name=value,
name!=value, name=~"regular expression", name!~"regular expression".`,
		Example: `  tallystick silence create model=credit environment=production --for 2h --reason 'move of the feature store'
  tallystick silence create model=credit 'subject=~"age|income"' --from 2026-03-07T22:00Z --until 2026-03-08T02:00Z --reason 'new bureau file'`,
	}
	flags := cmd.Flags()
	flags.StringVar(&long, "for", "", "how long: 90m, 2h or 3d")
	flags.StringVar(&from, "from", "", "it begins at this `time`; absent: now")
	flags.StringVar(&until, "until", "", "it ends at this `time`")
	flags.StringVar(&reason, "reason", "", "why")
	return acts(a, cmd, command[api.SilenceMade]{
		do: func(ctx context.Context, s *session, args []string) (out api.SilenceMade, _ client.Receipt, err error) {
			body := alert.Silencing{Matchers: args, Reason: reason}
			if from != "" {
				if body.From, err = timeFlag("--from", from); err != nil {
					return out, client.Receipt{}, err
				}
			}
			switch {
			case (until == "") == (long == ""):
				return out, client.Receipt{}, tallystick.Errorf(tallystick.Invalid, "until when the silence lasts is not said, or said twice").WithHint("give --for 2h or --until TIME")
			case until != "":
				if body.Until, err = timeFlag("--until", until); err != nil {
					return out, client.Receipt{}, err
				}
			default:
				d, ok := yamldoc.ParseDuration(long)
				if !ok || d <= 0 {
					return out, client.Receipt{}, tallystick.Errorf(tallystick.Invalid, "--for %q is no time", long).WithHint("write 90m, 2h or 3d")
				}
				begin := body.From
				if begin.IsZero() {
					begin = time.Now()
				}
				body.Until = begin.Add(d)
			}
			receipt, err := s.Post(ctx, "/silences", body, &out)
			return out, receipt, err
		},
		text: func(w io.Writer, out api.SilenceMade) {
			fmt.Fprintf(w, "silence %s\n", out.Silence)
			if out.Suppressed > 0 {
				fmt.Fprintf(w, "it keeps notifications of %d alerts back that fire now\n", out.Suppressed)
			}
		}, mustExist: true,
	})
}

func (a *app) silenceList() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use: "list", Short: "List the silences that have not ended, or all", Args: cobra.NoArgs,
		Example: `  tallystick silence list
  tallystick silence list --all --format json`,
	}
	cmd.Flags().BoolVar(&all, "all", false, "those too that have ended")
	return asks(a, cmd, question[[]alert.Silence]{
		ask: func(ctx context.Context, s *session, _ []string) ([]alert.Silence, error) {
			q := url.Values{}
			if all {
				q.Set("ended", "true")
			}
			return client.List[alert.Silence](ctx, s.Client, "/silences", q, 0)
		},
		text: func(w io.Writer, all []alert.Silence) {
			fmt.Fprintln(w, "FROM\tUNTIL\tENDED\tCONDITIONS\tREASON\tSILENCE")
			for _, s := range all {
				ended := "-"
				if !s.Ended.IsZero() {
					ended = moment(s.Ended) + " by " + s.EndedBy
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", moment(s.From), moment(s.Until), ended, strings.Join(s.Matchers, " "), orDash(s.Reason), s.ID)
			}
		},
	})
}

func (a *app) silenceEnd() *cobra.Command {
	return acts(a, &cobra.Command{
		Use: "end SILENCE", Short: "End a silence before its time", Args: cobra.ExactArgs(1),
		Example: `  tallystick silence end 0197c1e0-5f4e-7d31-9c7e-6c1f0e1d2a3b`,
	}, command[api.Recorded]{
		do: func(ctx context.Context, s *session, args []string) (out api.Recorded, _ client.Receipt, err error) {
			receipt, err := s.Delete(ctx, "/silences/"+url.PathEscape(args[0]), &out)
			return out, receipt, err
		},
		text: func(io.Writer, api.Recorded) {}, mustExist: true,
	})
}
