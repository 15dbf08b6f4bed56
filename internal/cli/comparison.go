package cli

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/internal/api"
	"github.com/tallystick/tallystick/internal/comparison"
	"github.com/tallystick/tallystick/internal/figure"
	"github.com/tallystick/tallystick/internal/query"
	"github.com/tallystick/tallystick/internal/yamldoc"
)

func (a *app) comparison() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "comparison",
		Short: "Say how versions of a model are compared, and list what was answered",
		Long: `A comparison says in YAML in which metrics a new version may be how much worse than the old one, and which share of
predictions it is to have. ` + "`tallystick compare`" + ` and the controllers of rollouts ask by its name.`,
	}
	cmd.AddCommand(a.comparisonApply(), a.comparisonList(), a.comparisonShow(), a.comparisonRemove(), a.comparisonJudgements())
	return cmd
}

func comparisonPath(name string) string { return "/comparisons/" + url.PathEscape(name) }

func (a *app) comparisonApply() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use: "apply -f FILE", Short: "Say how versions are compared; the same again changes nothing", Args: cobra.NoArgs,
		Example: `  tallystick comparison apply -f comparisons/credit-canary.yaml`,
	}
	cmd.Flags().StringVarP(&file, "file", "f", "", "the comparison, as YAML")
	return acts(a, cmd, command[api.Recorded]{
		do: func(ctx context.Context, s *session, _ []string) (out api.Recorded, _ client.Receipt, err error) {
			if file == "" {
				return out, client.Receipt{}, tallystick.Errorf(tallystick.Invalid, "which comparison is applied is not said").WithHint("give the file with -f")
			}
			data, err := readFile(file, comparison.MaxBytes)
			if err != nil {
				return out, client.Receipt{}, err
			}
			doc, err := comparison.Parse(data, file)
			if err != nil {
				return out, client.Receipt{}, err
			}
			receipt, err := s.Put(ctx, comparisonPath(doc.Name), api.ComparisonDocument{Document: string(data)}, &out)
			return out, receipt, err
		},
		text: func(io.Writer, api.Recorded) {}, mustExist: true,
	})
}

func (a *app) comparisonList() *cobra.Command {
	var model string
	cmd := &cobra.Command{
		Use: "list", Short: "List the comparisons, those that were removed too", Args: cobra.NoArgs,
		Example: `  tallystick comparison list --model credit`,
	}
	cmd.Flags().StringVar(&model, "model", "", "of this model")
	return asks(a, cmd, question[[]comparison.Comparison]{
		ask: func(ctx context.Context, s *session, _ []string) ([]comparison.Comparison, error) {
			return client.List[comparison.Comparison](ctx, s.Client, "/comparisons", chosen("model", model), 0)
		},
		text: func(w io.Writer, all []comparison.Comparison) {
			fmt.Fprintln(w, "COMPARISON\tMODEL\tAPPLIED\tDOCUMENT")
			for _, c := range all {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", c.Name+map[bool]string{true: " (removed)"}[c.Removed], c.Model, moment(c.Applied), orDash(string(c.Document)))
			}
		},
	})
}

func (a *app) comparisonShow() *cobra.Command {
	return asks(a, &cobra.Command{
		Use: "show NAME", Short: "Print a comparison as it was written", Args: cobra.ExactArgs(1),
		Example: `  tallystick comparison show credit-canary > comparisons/credit-canary.yaml`,
	}, question[api.ComparisonView]{
		ask: func(ctx context.Context, s *session, args []string) (v api.ComparisonView, err error) {
			return v, s.Get(ctx, comparisonPath(args[0]), &v)
		},
		text: func(w io.Writer, v api.ComparisonView) {
			if v.Removed {
				fmt.Fprintf(w, "# %s was removed on %s\n", v.Name, moment(v.Applied))
			}
			fmt.Fprint(w, v.Source)
		},
	})
}

func (a *app) comparisonRemove() *cobra.Command {
	return acts(a, &cobra.Command{
		Use: "remove NAME", Short: "Compare versions so no more; what was answered stays", Args: cobra.ExactArgs(1),
		Example: `  tallystick comparison remove credit-canary`,
	}, command[api.Recorded]{
		do: func(ctx context.Context, s *session, args []string) (out api.Recorded, _ client.Receipt, err error) {
			receipt, err := s.Delete(ctx, comparisonPath(args[0]), &out)
			return out, receipt, err
		},
		text: func(io.Writer, api.Recorded) {}, mustExist: true,
	})
}

func (a *app) comparisonJudgements() *cobra.Command {
	var model, version, verdict string
	var limit int
	cmd := &cobra.Command{
		Use: "judgements [NAME]", Short: "List what was answered about two versions, the last first", Args: cobra.MaximumNArgs(1),
		Example: `  tallystick comparison judgements credit-canary --verdict rollback
  tallystick comparison judgements --model credit --version 4`,
	}
	flags := cmd.Flags()
	flags.StringVar(&model, "model", "", "of this model")
	flags.StringVar(&version, "version", "", "of this version, new or old")
	flags.StringVar(&verdict, "verdict", "", "promote, hold, rollback or inconclusive")
	flags.IntVar(&limit, "limit", 0, "at most so many; 0: all")
	return asks(a, cmd, question[[]comparison.JudgedVersions]{
		ask: func(ctx context.Context, s *session, args []string) ([]comparison.JudgedVersions, error) {
			if verdict != "" {
				if err := oneOf("--verdict", verdict, string(comparison.Promote), string(comparison.Hold), string(comparison.Rollback), string(comparison.Inconclusive)); err != nil {
					return nil, err
				}
			}
			q := chosen("model", model, "version", version, "verdict", verdict)
			if len(args) > 0 {
				q.Set("comparison", args[0])
			}
			return client.List[comparison.JudgedVersions](ctx, s.Client, "/comparison-judgements", q, limit)
		},
		text: func(w io.Writer, all []comparison.JudgedVersions) {
			fmt.Fprintln(w, "JUDGED\tMODEL\tNEW\tOLD\tVERDICT\tPREDICTIONS\tUNTIL\tJUDGEMENT")
			for _, j := range all {
				until := figure.None
				if !j.To.IsZero() {
					until = moment(j.To)
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\t%s\t%s\n", moment(j.Judged), j.Model, j.New, j.Old, j.Verdict, j.Predictions, until, j.Judgement)
			}
		},
	})
}

// exitCodes of compare, beside those of every command.
var comparedCodes = map[comparison.Verdict]int{comparison.Promote: exitPassed, comparison.Rollback: exitRefused, comparison.Hold: exitOpen, comparison.Inconclusive: exitOpen}

// exitOpen says that two versions were compared, and that it is not settled which is to serve.
const exitOpen = 4

func (a *app) compare() *cobra.Command {
	var named, file, environment, from, since, asOf string
	var split float64
	cmd := &cobra.Command{
		Use: "compare MODEL@NEW [MODEL@OLD]", Short: "Hold two versions against each other by their predictions", Args: cobra.RangeArgs(1, 2),
		Long: `Compare says from recorded predictions (canary, shadow or A/B, whoever routed them) whether the new version may take the
place of the old one: promote, hold, rollback or inconclusive. It may be asked as often as one likes; that makes no mistake
likelier, as long as it is asked from the same moment on. Without the old version it is the champion; without --from it is
from when the new version serves in the environment, or from its first prediction. Without a comparison it is of errors
alone, by one point.

The answer is recorded before it is given.

Exit code: 0 promote, 1 rollback, 4 hold or inconclusive; 2 if the question was wrong, 3 for a fault of ours.`,
		Example: `  tallystick compare credit@4 credit@3 --environment production
  tallystick compare credit@4 --comparison credit-canary --from 2026-03-01T10:00Z
  tallystick compare credit@4 credit@3 -f canary.yaml --as-of 2026-03-01T18:00Z --format json`,
	}
	flags := cmd.Flags()
	flags.StringVar(&named, "comparison", "", "a comparison that was applied")
	flags.StringVarP(&file, "file", "f", "", "a comparison as YAML, in its place")
	flags.StringVar(&environment, "environment", "", "predictions made there; a comparison says it itself")
	flags.StringVar(&from, "from", "", "predictions made from this `time` on")
	flags.StringVar(&since, "since", "", "predictions of the last `duration`, such as 24h or 7d: each time another question")
	flags.StringVar(&asOf, "as-of", "", "as it was known at this `time`")
	flags.Float64Var(&split, "split", 0, "share of predictions that the new version is to have, such as 0.1")
	return acts(a, cmd, command[comparison.VersionsJudgement]{
		do: func(ctx context.Context, s *session, args []string) (j comparison.VersionsJudgement, _ client.Receipt, err error) {
			body := api.VersionsToCompare{Comparison: named, Environment: environment, Split: split}
			if err = versionsOf(args, &body); err == nil {
				err = spanOf(&body, from, since, asOf, time.Now())
			}
			if err == nil && file != "" {
				var data []byte
				if data, err = readFile(file, comparison.MaxBytes); err == nil {
					if _, err = comparison.Parse(data, file); err == nil {
						body.Document = string(data)
					}
				}
			}
			if err != nil {
				return j, client.Receipt{}, err
			}
			receipt, err := s.Post(ctx, "/comparison-judgements", body, &j)
			if err == nil {
				a.code = comparedCodes[j.Verdict]
			}
			return j, receipt, err
		},
		text: func(w io.Writer, j comparison.VersionsJudgement) { printComparison(w, &j) }, mustExist: true,
	})
}

// versionsOf reads MODEL@NEW and MODEL@OLD.
func versionsOf(args []string, body *api.VersionsToCompare) (err error) {
	if body.Model, body.New, err = versionName(args[0]); err != nil || len(args) == 1 {
		return err
	}
	model, old, err := versionName(args[1])
	if err == nil && model != body.Model {
		err = tallystick.Errorf(tallystick.Invalid, "%s and %s are of two models", args[0], args[1]).WithHint("compare two versions of one model")
	}
	body.Old = old
	return err
}

// spanOf reads the time of a question.
func spanOf(body *api.VersionsToCompare, from, since, asOf string, now time.Time) (err error) {
	if asOf != "" {
		if body.AsOf, err = timeFlag("--as-of", asOf); err != nil {
			return err
		}
		now = body.AsOf
	}
	switch {
	case from != "" && since != "":
		return tallystick.Errorf(tallystick.Invalid, "--from and --since both say from when on").WithHint("leave one of them out")
	case from != "":
		body.From, err = timeFlag("--from", from)
	case since != "":
		span, ok := yamldoc.ParseDuration(since)
		if !ok {
			return tallystick.Errorf(tallystick.Invalid, "--since %q is no duration", since).WithHint("write 90m, 36h, 30d or 2w")
		}
		body.From = now.Add(-span).UTC().Truncate(time.Second)
	}
	return err
}

func printComparison(w io.Writer, j *comparison.VersionsJudgement) {
	fmt.Fprintf(w, "%s  %s@%s against %s  %s to %s\n", j.Verdict, j.Model, j.New, j.Old, moment(j.From), moment(j.To))
	for _, reason := range j.Reasons {
		fmt.Fprintln(w, reason)
	}
	if j.Length.Words != "" {
		fmt.Fprintln(w, j.Length.Words)
	}
	fmt.Fprintf(w, "\n%d predictions of %s, %d of %s", j.Traffic.New.Predictions, j.New, j.Traffic.Old.Predictions, j.Old)
	if j.Traffic.Pairs != nil {
		fmt.Fprintf(w, ", %d pairs", *j.Traffic.Pairs)
	}
	fmt.Fprint(w, "\n\nVERDICT\tMETRIC\tOF\tNEW\tOLD\tDIFFERENCE\tAT EVERY LOOK\tMARGIN\n")
	for _, rows := range [][]comparison.MetricRow{j.Rows, j.Slices} {
		for i := range rows {
			r := &rows[i]
			slice := figure.None
			if r.Slice != nil {
				slice = r.Slice.String()
			}
			difference := r.Points()
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.Verdict, r.Metric, slice, figure.Percent(float64(r.New)), figure.Percent(float64(r.Old)), difference.Value, orDash(difference.Interval), figure.Percent(r.Margin))
		}
	}
}

// comparer returns the office that compares versions.
func (h house) comparer() *comparison.Office {
	return comparison.New(comparison.Config{
		DB: h.DB, Trail: h.Trail, Catalog: h.catalog, Asker: query.New(h.DB, h.archive, h.labels), Evidence: h.Evidence, Now: time.Now,
	})
}
