package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/audit"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/contract"
	"github.com/tallystick/tallystick/internal/performance"
	"github.com/tallystick/tallystick/internal/report"
)

// auditFlags are the flags that need reading before they fit audit.Config.
type auditFlags struct {
	audit.Config
	task, tier, contract, champion, format string
	referenceGroups                        []string
	office                                 audit.Office
}

const maxWorkers = 256

func (a *app) audit() *cobra.Command {
	f := &auditFlags{}
	cmd := &cobra.Command{
		Use:   "audit FILE...",
		Short: "Audit a file of predictions: statistics, gate verdict, report and signed evidence",
		Long: `Audit measures the predictions in FILE (CSV, CSV.gz or Parquet; several files of one
schema count as one), asks the gate of the model's risk tier, and writes into --out:

  report.html  report.md  report.json   the audit, for people and for programs
  evidence.tally                        signed evidence; check it with: tallystick verify

Everything is recorded in the workspace. What is not said is guessed where that is safe,
and every guess is printed. With --server the audit runs here all the same, by the tier that the model
has there, and its report, statements and verdict become evidence of the version there.

Exit code: 0 the gate passed, 1 it did not, 2 wrong flags or input, 3 internal error.`,
		Example: `  # a classifier, its score and two protected attributes
  tallystick audit predictions.csv --label defaulted --prediction approved \
    --score probability --group sex,age_band --tier high

  # late labels, a reference, and windows of 5,000 rows
  tallystick audit analysis.parquet --reference reference.parquet \
    --label employed --id id --labels labels.parquet --chunk 5000

  # onto a version on a server
  tallystick audit predictions.csv --label y --model credit@3 --server https://models.example.org

  # by month, for a program
  tallystick audit predictions.csv --label y --time timestamp --window 1mo --format json`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			f.Files = args
			return a.runAudit(cmd.Context(), f)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.Label, "label", "", "column of the labels: what turned out to be true")
	flags.StringVar(&f.PositiveLabel, "positive-label", "", "value of the label that counts as positive")
	flags.StringVar(&f.Prediction, "prediction", "", "column of the predictions")
	flags.StringSliceVar(&f.Positive, "positive", nil, "predicted `values` that count as positive")
	flags.StringVar(&f.Favourable, "favourable", "", "the prediction that is good for a person: positive or negative")
	flags.StringVar(&f.Score, "score", "", "column of scores or probabilities")
	flags.Float64Var(&f.ScoreMax, "score-max", 0, "divide the score by this, so that it is a probability")
	flags.StringSliceVar(&f.Groups, "group", nil, "columns of protected `attributes`")
	flags.StringSliceVar(&f.referenceGroups, "reference-group", nil, "`COL=V`: the group that others are compared with (default: the largest)")
	flags.StringVar(&f.ID, "id", "", "column that identifies a prediction, to join --labels")
	flags.StringSliceVar(&f.Labels, "labels", nil, "`file` of labels that came later")
	flags.StringSliceVar(&f.Reference, "reference", nil, "`file` to compare distributions and performance with")
	flags.StringVar(&f.Time, "time", "", "column of times, for --window")
	flags.StringVar(&f.Window, "window", "", "length of a window: 1h, 1d, 1w, 1mo")
	flags.Int64Var(&f.Chunk, "chunk", 0, "`rows` of a window, instead of --time")
	flags.StringSliceVar(&f.Features, "features", nil, "columns that are features (default: all others)")
	flags.StringVar(&f.task, "task", "", "binary, multiclass, regression or ranking (default: guessed)")
	flags.StringVar(&f.Query, "query", "", "ranking: column of the query, user or session")
	flags.StringVar(&f.Item, "item", "", "ranking: column of the item")
	flags.IntVar(&f.K, "k", 0, "ranking: cut-off of the metrics (default 10)")
	flags.StringVar(&f.Model, "model", "", "name of the model, or `NAME@VERSION`")
	flags.StringVar(&f.Version, "version", "", "name of the version")
	flags.StringVar(&f.Owner, "owner", "", "who answers for the model (default: you)")
	flags.StringVar(&f.tier, "tier", "", "risk tier: low, limited or high (default: the model's, or limited)")
	flags.StringVar(&f.contract, "contract", "", "`file` of what columns must be and which limits hold")
	flags.StringVar(&f.champion, "champion", "", "report.json of the version in use, to compare with")
	flags.StringVar(&f.office.Policy, "policy", "", "`directory` of a policy of your own")
	flags.StringSliceVar(&f.office.Disclose, "disclose", nil, "sealed event `fields` that the bundle opens, such as /actor/id")
	flags.StringVar(&f.office.Out, "out", "tallystick-audit", "directory that gets the report and the evidence")
	flags.StringVar(&f.format, "format", "text", "what is printed: text or json")
	flags.IntVar(&f.Workers, "workers", 2, "columns that are measured at the same time")
	return cmd
}

func (a *app) runAudit(ctx context.Context, f *auditFlags) (err error) {
	if err := f.settle(); err != nil {
		return err
	}
	f.Tool = tool()
	progress := a.progress()
	defer progress.done()
	f.Progress = progress.show
	onto, err := a.land(ctx, f)
	if err != nil {
		return err
	}
	w, err := a.open(ctx, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	f.office.Workspace, f.office.Catalog = w, catalog.New(w.DB, w.Trail)
	result, err := f.office.Run(ctx, f.Config)
	progress.done()
	if err != nil {
		return err
	}
	landed := ""
	if onto != nil {
		if landed, err = onto.deliver(ctx, w, result); err != nil {
			return fmt.Errorf("the audit is done and in %s, but its evidence is not on the server: %w", f.office.Out, err)
		}
	}
	if result.Document.Gate.Verdict != tallystick.Pass {
		a.code = exitRefused
	}
	if f.format == "json" {
		return report.WriteJSON(a.Out, result.Document)
	}
	if err := a.printAudit(result, f.office.Out); err != nil || onto == nil {
		return err
	}
	_, err = fmt.Fprintf(a.Out, "Server    %s  (evidence of %s, event %s)\n", onto.server, onto.version.Name(), landed)
	return err
}

// settle reads the flags that are not plain values.
func (f *auditFlags) settle() error {
	if name, version, ok := strings.Cut(f.Model, "@"); ok {
		if f.Version != "" && f.Version != version {
			return tallystick.Errorf(tallystick.Invalid, "--model %s and --version %s name two versions", f.Model, f.Version).WithHint("leave out --version")
		}
		f.Model, f.Version = name, version
	}
	f.Task = performance.Task(f.task)
	switch f.Task {
	case "", performance.Binary, performance.Multiclass, performance.Regression, performance.Ranking:
	default:
		return tallystick.Errorf(tallystick.Invalid, "--task %q is not binary, multiclass, regression or ranking", f.task)
	}
	if err := oneOf("--format", f.format, "text", "json"); err != nil {
		return err
	}
	if f.tier != "" {
		tier, err := tallystick.ParseTier(f.tier)
		if err != nil {
			return err
		}
		f.Tier = tier
	}
	f.ReferenceGroup = map[string]string{}
	for _, pair := range f.referenceGroups {
		column, value, ok := strings.Cut(pair, "=")
		if !ok {
			return tallystick.Errorf(tallystick.Invalid, "--reference-group %q is not COL=VALUE", pair)
		}
		f.ReferenceGroup[column] = value
	}
	if f.contract != "" {
		c, err := readContract(f.contract)
		if err != nil {
			return err
		}
		f.Contract = c
	}
	if f.champion != "" {
		champion, err := readReport(f.champion)
		if err != nil {
			return err
		}
		f.Champion = champion
	}
	if f.Workers < 1 || f.Workers > maxWorkers {
		return tallystick.Errorf(tallystick.Invalid, "--workers %d is not a number from 1 to %d", f.Workers, maxWorkers)
	}
	return nil
}

func readContract(path string) (*contract.Contract, error) {
	file, err := openFile(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return contract.Parse(file, path)
}
