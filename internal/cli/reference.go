package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/internal/api"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/monitor"
	"github.com/tallystick/tallystick/internal/table"
	"github.com/tallystick/tallystick/internal/window"
)

func (a *app) reference() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "reference",
		Short: "Say what predictions of a model are compared with",
		Long: `A reference is what windows of predictions are compared with: a stretch of recorded predictions that was good, or
the data that the model learned from. It is frozen, named by its digest, and pinned by an event; the one that was
pinned last counts, and the history stays. It holds counts, and no rows.`,
	}
	cmd.AddCommand(a.referencePin(), a.referenceList(), a.referenceShow(), a.referenceSeason(), a.referenceSlice(), a.referenceBreakdowns())
	return cmd
}

// pinFlags say what of a file is what.
type pinFlags struct {
	file          []string
	score, output string
	skip          []string
}

func (a *app) referencePin() *cobra.Command {
	var body api.ReferencePin
	var f pinFlags
	var from, to string
	cmd := &cobra.Command{
		Use: "pin MODEL[@VERSION]", Short: "Pin a reference, of recorded predictions or of a file", Args: cobra.ExactArgs(1),
		Long: `Pin a reference: of the predictions of a time, or of a file that has the columns of predictions, which is read here
and of which the counts alone are sent. Text and booleans are categories, and so are the features that --category
names, and an output of at most twenty different whole numbers. Without @VERSION it is for every version that has none of its own.`,
		Example: `  tallystick reference pin credit --from 2026-02-01T00:00:00Z --to 2026-03-01T00:00:00Z
  tallystick reference pin credit@3 --file training.parquet --score p_default --output decision --skip id,label`,
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&from, "from", "", "with predictions from this `time` on")
	flags.StringVar(&to, "to", "", "with predictions until this `time`, exclusive")
	flags.StringVar(&body.Environment, "environment", "", "with predictions that were made there alone")
	flags.StringArrayVar(&f.file, "file", nil, "CSV or Parquet `file` instead; several of one schema count as one")
	flags.StringVar(&f.score, "score", "", "`column` of the file that has the score")
	flags.StringVar(&f.output, "output", "", "`column` of the file that has what the model said")
	flags.StringSliceVar(&f.skip, "skip", nil, "`columns` of the file that are no features")
	flags.StringSliceVar(&body.Categories, "category", nil, "`features` that are categories although they are numbers")
	return acts(a, cmd, command[api.ReferencePinned]{
		do: func(ctx context.Context, s *session, args []string) (out api.ReferencePinned, _ client.Receipt, err error) {
			model, version, err := catalog.ParseVersionName(args[0])
			if err != nil {
				return out, client.Receipt{}, err
			}
			body.Version = version
			left, err := a.pinned(ctx, &body, f, from, to)
			if err != nil {
				return out, client.Receipt{}, err
			}
			receipt, err := s.Post(ctx, modelPath(model)+"/references", body, &out)
			out.Left = append(out.Left, left...)
			return out, receipt, err
		},
		text: func(w io.Writer, p api.ReferencePinned) {
			printFields(w, "reference", string(p.Digest), "rows", fmt.Sprint(p.Rows), "left out", strings.Join(p.Left, ", "))
		},
		mustExist: true,
	})
}

// pinned fills in what becomes the reference.
func (a *app) pinned(ctx context.Context, body *api.ReferencePin, f pinFlags, from, to string) (left []string, err error) {
	if len(f.file) == 0 {
		if from == "" || to == "" {
			return nil, tallystick.Errorf(tallystick.Invalid, "what becomes the reference is not said").WithHint("give --from and --to for recorded predictions, or --file")
		}
		if f.score != "" || f.output != "" || len(f.skip) > 0 {
			return nil, tallystick.Errorf(tallystick.Invalid, "--score, --output and --skip are about a file").WithHint("recorded predictions say which is which")
		}
		if body.From, err = timeFlag("--from", from); err == nil {
			body.To, err = timeFlag("--to", to)
		}
		return nil, err
	}
	if from != "" || to != "" || body.Environment != "" {
		return nil, tallystick.Errorf(tallystick.Invalid, "--from, --to and --environment are about recorded predictions, --file about a file").WithHint("give one or the other")
	}
	t, err := table.Open(ctx, f.file, table.Options{Categories: body.Categories})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	r, left, err := referenceOf(ctx, t, f)
	if err != nil {
		return nil, err
	}
	body.Categories, body.Data = nil, t.Digest()
	body.Document, err = r.Marshal()
	return left, err
}

// referenceOf makes a reference of a table.
func referenceOf(ctx context.Context, t *table.Table, f pinFlags) (r *window.Reference, left []string, err error) {
	for _, name := range append([]string{f.score, f.output}, f.skip...) {
		if name == "" {
			continue
		}
		if _, err := t.Column(name); err != nil {
			return nil, nil, err
		}
	}
	var g monitor.Gatherer
	var names []string
	var kinds []table.Column
	for _, c := range t.Columns() {
		if slices.Contains(f.skip, c.Name) {
			continue
		}
		if c.Kind == table.Time || c.Kind == table.Text || c.Fault != "" {
			left = append(left, fmt.Sprintf("%s (%s)", c.Name, c.Kind))
			continue
		}
		name, role := c.Name, window.RoleFeature
		switch c.Name {
		case f.score:
			name, role = "score", window.RoleScore
		case f.output:
			name, role = "output", window.RoleOutput
		}
		g.Column(name, role, c.Kind == table.Category)
		names, kinds = append(names, c.Name), append(kinds, c)
	}
	if len(names) == 0 {
		return nil, nil, tallystick.Errorf(tallystick.Invalid, "the file has no column that can be compared")
	}
	err = t.Scan(ctx, names, func(b *table.Block) error {
		for i := range names {
			addColumn(&g, i, &b.Cols[i], b.N, t.Dictionary(names[i]), kinds[i])
		}
		return g.AddRows(int64(b.N))
	})
	if err != nil {
		return nil, nil, err
	}
	r, more, err := g.Build()
	return r, append(left, more...), err
}

// addColumn takes in a run of values of one column.
func addColumn(g *monitor.Gatherer, at int, v *table.Vector, rows int, dictionary []string, c table.Column) {
	for k := range rows {
		switch {
		case v.Null != nil && v.Null[k]:
			g.AddMissing(at, 1)
		case c.Kind == table.Category:
			g.AddText(at, dictionary[v.Code[k]])
		default:
			g.AddNumber(at, v.Float[k])
		}
	}
}

func (a *app) referenceList() *cobra.Command {
	var model string
	cmd := &cobra.Command{
		Use: "list", Short: "List the references that were pinned, newest first", Args: cobra.NoArgs,
		Example: `  tallystick reference list --model credit`,
	}
	cmd.Flags().StringVar(&model, "model", "", "of this model")
	return asks(a, cmd, question[[]monitor.Reference]{
		ask: func(ctx context.Context, s *session, _ []string) ([]monitor.Reference, error) {
			return client.List[monitor.Reference](ctx, s.Client, "/references", chosen("model", model), 0)
		},
		text: func(w io.Writer, all []monitor.Reference) {
			fmt.Fprintln(w, "PINNED\tMODEL\tVERSION\tOF\tROWS\tREFERENCE")
			for _, r := range all {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%s\n", moment(r.Pinned), r.Model, orDash(r.Version), referenceSource(r), r.Predictions, r.Digest)
			}
		},
	})
}

func referenceSource(r monitor.Reference) string {
	if r.Source == monitor.OfFile {
		return "file " + r.Data.Short()
	}
	return "predictions of " + moment(r.From) + " to " + moment(r.To)
}

func (a *app) referenceShow() *cobra.Command {
	return asks(a, &cobra.Command{
		Use: "show DIGEST", Short: "Show what a reference holds", Args: cobra.ExactArgs(1),
		Example: `  tallystick reference show sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08`,
	}, question[api.ReferenceView]{
		ask: func(ctx context.Context, s *session, args []string) (v api.ReferenceView, err error) {
			return v, s.Get(ctx, "/references/"+url.PathEscape(args[0]), &v)
		},
		text: func(w io.Writer, v api.ReferenceView) {
			printFields(w, "model", v.Model, "version", v.Version, "of", referenceSource(v.Reference), "rows", fmt.Sprint(v.Predictions), "pinned", moment(v.Pinned), "event", fmt.Sprint(v.Event))
			r, err := window.ParseReference(v.Document)
			if err != nil {
				return // the server has parsed it before
			}
			fmt.Fprintln(w, "\nNAME\tROLE\tKIND\tMISSING\tCOUNTED IN")
			for _, f := range r.Features {
				counted := ""
				if f.Kind == window.KindNumber {
					counted = fmt.Sprintf("%d bins", len(f.Number.Counts))
				} else {
					counted = fmt.Sprintf("%d values", len(f.Category.Values))
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\n", f.Name, f.Role, f.Kind, f.Missing, counted)
			}
		},
	})
}
