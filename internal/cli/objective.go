package cli

import (
	"context"
	"fmt"
	"io"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/internal/api"
	"github.com/tallystick/tallystick/internal/figure"
	"github.com/tallystick/tallystick/internal/objective"
)

func (a *app) objective() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "objective",
		Short: "Say how well a model is to behave, and see how much of what may go wrong has",
		Long: `An objective says in YAML which share of events are to be good over a period, such as 99.5 % of predictions within
200 ms in 30 days. What may go wrong is its error budget. Rules watch how fast the budget burns: some call a person,
one lets experiments wait. A server judges every objective each minute; what changes goes on the trail.`,
	}
	cmd.AddCommand(a.objectiveApply(), a.objectiveList(), a.objectiveShow(), a.objectiveRemove(), a.objectiveJudge(), a.objectiveJudgements(), a.objectiveIndicators())
	return cmd
}

func objectivePath(name string) string { return "/objectives/" + url.PathEscape(name) }

func (a *app) objectiveApply() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use: "apply -f FILE", Short: "Say how well a model is to behave; the same again changes nothing", Args: cobra.NoArgs,
		Example: `  tallystick objective apply -f objectives/credit-latency.yaml`,
	}
	cmd.Flags().StringVarP(&file, "file", "f", "", "the objective, as YAML")
	return acts(a, cmd, command[api.Recorded]{
		do: func(ctx context.Context, s *session, _ []string) (out api.Recorded, _ client.Receipt, err error) {
			if file == "" {
				return out, client.Receipt{}, tallystick.Errorf(tallystick.Invalid, "which objective is applied is not said").WithHint("give the file with -f")
			}
			data, err := readFile(file, objective.MaxBytes)
			if err != nil {
				return out, client.Receipt{}, err
			}
			doc, err := objective.Parse(data, file)
			if err != nil {
				return out, client.Receipt{}, err
			}
			receipt, err := s.Put(ctx, objectivePath(doc.Name), api.ObjectiveDocument{Document: string(data)}, &out)
			return out, receipt, err
		},
		text: func(io.Writer, api.Recorded) {}, mustExist: true,
	})
}

func (a *app) objectiveList() *cobra.Command {
	var model string
	cmd := &cobra.Command{
		Use: "list", Short: "List the objectives and how they stand, those that were removed too", Args: cobra.NoArgs,
		Example: `  tallystick objective list --model credit`,
	}
	cmd.Flags().StringVar(&model, "model", "", "of this model")
	return asks(a, cmd, question[[]api.ObjectiveView]{
		ask: func(ctx context.Context, s *session, _ []string) ([]api.ObjectiveView, error) {
			return client.List[api.ObjectiveView](ctx, s.Client, "/objectives", chosen("model", model), 0)
		},
		text: func(w io.Writer, all []api.ObjectiveView) {
			fmt.Fprintln(w, "OBJECTIVE\tMODEL\tVERDICT\tBUDGET LEFT\tGOOD\tOF\tJUDGED")
			for _, v := range all {
				name := v.Name + map[bool]string{true: " (removed)"}[v.Removed]
				if v.Last == nil || v.Removed {
					fmt.Fprintf(w, "%s\t%s\t%s\t%[3]s\t%[3]s\t%[3]s\t%[3]s\n", name, v.Model, figure.None)
					continue
				}
				l := v.Last
				verdict := string(l.Verdict) + map[bool]string{true: ", experiments wait"}[l.Paused]
				left := figure.None
				if l.Valid > 0 {
					left = figure.Percent(max(0, l.Left))
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%d\t%s\n", name, v.Model, verdict, left, l.Good, l.Valid, moment(l.At))
			}
		},
	})
}

func (a *app) objectiveShow() *cobra.Command {
	return asks(a, &cobra.Command{
		Use: "show NAME", Short: "Print an objective as it was written", Args: cobra.ExactArgs(1),
		Example: `  tallystick objective show credit-latency > objectives/credit-latency.yaml`,
	}, question[api.ObjectiveView]{
		ask: func(ctx context.Context, s *session, args []string) (v api.ObjectiveView, err error) {
			return v, s.Get(ctx, objectivePath(args[0]), &v)
		},
		text: func(w io.Writer, v api.ObjectiveView) {
			if v.Removed {
				fmt.Fprintf(w, "# %s was removed on %s\n", v.Name, moment(v.Applied))
			}
			fmt.Fprint(w, v.Source)
		},
	})
}

func (a *app) objectiveRemove() *cobra.Command {
	return acts(a, &cobra.Command{
		Use: "remove NAME", Short: "Let an objective be judged no more; what was judged stays", Args: cobra.ExactArgs(1),
		Example: `  tallystick objective remove credit-latency`,
	}, command[api.Recorded]{
		do: func(ctx context.Context, s *session, args []string) (out api.Recorded, _ client.Receipt, err error) {
			receipt, err := s.Delete(ctx, objectivePath(args[0]), &out)
			return out, receipt, err
		},
		text: func(io.Writer, api.Recorded) {}, mustExist: true,
	})
}

func (a *app) objectiveJudge() *cobra.Command {
	var asOf string
	cmd := &cobra.Command{
		Use: "judge NAME", Short: "Judge an objective, as it is known now or was at a moment", Args: cobra.ExactArgs(1),
		Long: `Judge an objective now, by the counts that are kept. With --as-of everything is counted anew from what was on record
then, and the answer is that of then, byte for byte, unless predictions were erased since. A judgement goes on the trail
if it says something else than the last one, or if that is an hour old.`,
		Example: `  tallystick objective judge credit-latency
  tallystick objective judge credit-latency --as-of 2026-03-01T11:10:00Z --format json`,
	}
	cmd.Flags().StringVar(&asOf, "as-of", "", "as it was known at this `time`")
	return acts(a, cmd, command[objective.BudgetJudgement]{
		do: func(ctx context.Context, s *session, args []string) (j objective.BudgetJudgement, _ client.Receipt, err error) {
			var body api.ObjectiveToJudge
			if asOf != "" {
				if body.AsOf, err = timeFlag("--as-of", asOf); err != nil {
					return j, client.Receipt{}, err
				}
			}
			receipt, err := s.Post(ctx, objectivePath(args[0])+"/judgements", body, &j)
			return j, receipt, err
		},
		text: func(w io.Writer, j objective.BudgetJudgement) { printObjective(w, &j) }, mustExist: true,
	})
}

func printObjective(w io.Writer, j *objective.BudgetJudgement) {
	fmt.Fprintf(w, "%s  %s  %s to %s\n%s\n\n", j.Verdict, j.Objective, moment(j.From), moment(j.At), j.Words)
	fmt.Fprintln(w, "RULE\tVERDICT\tFAILS FROM\tLONG WINDOW\tEVENTS\tSHORT WINDOW\tEVENTS")
	rate := func(b objective.BurnWindow) string {
		if b.Rate == nil {
			return figure.None
		}
		return figure.Plain(*b.Rate)
	}
	for _, b := range j.Rules {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%s\t%d\n", b.Rule.Name(), b.Verdict, figure.Plain(b.Threshold), rate(b.Long), b.Long.Valid, rate(b.Short), b.Short.Valid)
	}
}

func (a *app) objectiveJudgements() *cobra.Command {
	var changed bool
	var limit int
	cmd := &cobra.Command{
		Use: "judgements NAME", Short: "List how an objective stood, the newest first", Args: cobra.ExactArgs(1),
		Example: `  tallystick objective judgements credit-latency --changed`,
	}
	cmd.Flags().BoolVar(&changed, "changed", false, "only those that said something else than the one before")
	cmd.Flags().IntVar(&limit, "limit", 0, "at most so many; 0: all")
	return asks(a, cmd, question[[]objective.BudgetStanding]{
		ask: func(ctx context.Context, s *session, args []string) ([]objective.BudgetStanding, error) {
			q := chosen("objective", args[0])
			if changed {
				q.Set("changed", "true")
			}
			return client.List[objective.BudgetStanding](ctx, s.Client, "/objective-judgements", q, limit)
		},
		text: func(w io.Writer, all []objective.BudgetStanding) {
			fmt.Fprintln(w, "AT\tVERDICT\tGOOD\tOF\tSTATE\tJUDGEMENT")
			for _, j := range all {
				fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%s\t%s\n", moment(j.At), j.Verdict, j.Good, j.Valid, j.State, j.Judgement)
			}
		},
	})
}

func (a *app) objectiveIndicators() *cobra.Command {
	return asks(a, &cobra.Command{
		Use: "indicators", Short: "List what objectives can be about", Args: cobra.NoArgs,
		Example: `  tallystick objective indicators`,
	}, question[[]objective.Indicator]{
		ask: func(ctx context.Context, s *session, _ []string) ([]objective.Indicator, error) {
			return client.List[objective.Indicator](ctx, s.Client, "/indicators", nil, 0)
		},
		text: func(w io.Writer, all []objective.Indicator) {
			fmt.Fprintln(w, "INDICATOR\tGOOD\tOF\tCOUNTED FROM")
			for _, i := range all {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", i.Name, i.Good, i.Valid, i.Source)
			}
		},
	})
}
