package cli

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/internal/api"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/reaction"
)

func (a *app) retrain() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "retrain",
		Short: "Ask that a model be trained anew, with what drifted and what to learn from",
		Long: `A request to train a model anew carries a report: what drifted, the data that the version learned from, and predictions on
record to learn from, with the command that exports exactly those. Subscriptions to the topic retrain are told of it; a
pipeline registers what comes of it with --trigger request:ID.`,
	}
	cmd.AddCommand(a.retrainRequest(), a.retrainList(), a.retrainShow(), a.retrainReport())
	return cmd
}

func retrainPath(id string) string { return "/retrainings/" + url.PathEscape(id) }

func (a *app) retrainRequest() *cobra.Command {
	var in reaction.NewRetrain
	cmd := &cobra.Command{
		Use: "request MODEL[@VERSION] --reason TEXT", Short: "Ask that a model be trained anew", Args: cobra.ExactArgs(1),
		Example: `  tallystick retrain request credit@2 --env production --alert 0197c1e0-5f4e-7d31-9c7e-6c1f0e1d2a3b --reason "income has moved"
  tallystick retrain request credit --days 30 --reason "labels of the quarter are there"`,
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&in.Reason, "reason", "", "why")
	flags.StringVar(&in.Environment, "env", "", "predictions of this `environment`")
	flags.StringVar(&in.Alert, "alert", "", "because of this `alert`, whose window the predictions lead up to")
	flags.Int64Var(&in.Days, "days", 7, "predictions of so many days before are meant")
	return acts(a, cmd, command[reaction.Retraining]{
		do: func(ctx context.Context, s *session, args []string) (r reaction.Retraining, _ client.Receipt, err error) {
			if in.Model, in.Version, err = catalog.ParseVersionName(args[0]); err != nil {
				return r, client.Receipt{}, err
			}
			receipt, err := s.Post(ctx, "/retrainings", in, &r)
			return r, receipt, err
		},
		text: func(w io.Writer, r reaction.Retraining) {
			printFields(w, "request", r.ID, "report", string(r.Report), "predictions", strconv.FormatInt(r.Predictions, 10))
		}, mustExist: true,
	})
}

func (a *app) retrainList() *cobra.Command {
	var model string
	var limit int
	cmd := &cobra.Command{
		Use: "list", Short: "List requests to train models anew, the newest first", Args: cobra.NoArgs, Example: `  tallystick retrain list --model credit`,
	}
	cmd.Flags().StringVar(&model, "model", "", "of this model")
	cmd.Flags().IntVar(&limit, "limit", 100, "at most so many; 0: all")
	return asks(a, cmd, question[[]reaction.Retraining]{
		ask: func(ctx context.Context, s *session, _ []string) ([]reaction.Retraining, error) {
			return client.List[reaction.Retraining](ctx, s.Client, "/retrainings", chosen("model", model), limit)
		},
		text: func(w io.Writer, all []reaction.Retraining) {
			fmt.Fprintln(w, "REQUESTED\tMODEL\tENVIRONMENT\tBY\tCAUSE\tPREDICTIONS\tREQUEST")
			for _, r := range all {
				by := "a person"
				if r.Reaction != "" {
					by = r.Reaction
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\t%s\n", moment(r.Requested), versionOf(r.Model, r.Version), orDash(r.Environment), by, orDash(r.Rule), r.Predictions, r.ID)
			}
		},
	})
}

func (a *app) retrainShow() *cobra.Command {
	return asks(a, &cobra.Command{
		Use: "show ID", Short: "Show a request to train a model anew: why, what drifted, what to learn from", Args: cobra.ExactArgs(1), Example: `  tallystick retrain show ID`,
	}, question[api.RetrainView]{
		ask: func(ctx context.Context, s *session, args []string) (v api.RetrainView, err error) {
			return v, s.Get(ctx, retrainPath(args[0]), &v)
		},
		text: printRetraining,
	})
}

func printRetraining(w io.Writer, v api.RetrainView) {
	d := &v.Document
	printFields(w, "model", versionOf(v.Model, v.Version), "environment", v.Environment, "requested", moment(v.Requested), "reaction", v.Reaction, "why", d.Words, "reason", v.Reason, "incident", v.Incident,
		"report", string(v.Report), "reference", string(d.Reference), "drifted", strings.Join(d.Moved(), ", "))
	for _, l := range d.LearnedFrom {
		printFields(w, "learned from", fmt.Sprintf("%s@%s as %s, %s", l.Dataset, l.Snapshot, l.Role, orDash(string(l.Digest))))
	}
	s := &d.Snapshot
	printFields(w, "predictions", fmt.Sprintf("%d from %s to %s, on record up to event %d", s.Predictions, s.From.Format(time.RFC3339), s.To.Format(time.RFC3339), s.Registered), "export", s.Command)
	for _, m := range d.Missing {
		printFields(w, "missing", m)
	}
}

func (a *app) retrainReport() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use: "report ID", Short: "Get the report of a request as it was kept, as JSON; its digest is on the trail", Args: cobra.ExactArgs(1),
		Example: `  tallystick retrain report ID -o report.json`,
	}
	cmd.Flags().StringVarP(&out, "out", "o", "-", "write into this `file`; - is standard output")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return a.saveText(cmd.Context(), retrainPath(args[0])+"/report", "--out", out)
	}
	return cmd
}
