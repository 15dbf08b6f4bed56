package cli

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/profile"
	"github.com/tallystick/tallystick/internal/table"
)

func (a *app) dataset() *cobra.Command {
	cmd := &cobra.Command{Use: "dataset", Short: "Register data sets: whose, on what basis, what they may be used for"}
	cmd.AddCommand(a.datasetRegister(), a.datasetUpdate(), a.datasetShow(), a.datasetList())
	return cmd
}

func datasetPath(name string) string { return "/datasets/" + url.PathEscape(name) }

// datasetFlags are the terms of a data set.
type datasetFlags struct {
	catalog.DatasetTerms
	basis, guidelines string
	labels            []string
}

func addDatasetFlags(cmd *cobra.Command) *datasetFlags {
	f := &datasetFlags{}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.Owner, "owner", "", "who answers for the data")
	flags.StringVar(&f.Summary, "summary", "", "what the data are")
	flags.StringVar(&f.Source, "source", "", "where the data come from")
	flags.StringVar(&f.basis, "basis", "", "what the use of personal data rests on: not_personal, consent, contract, legal_obligation, vital_interests, public_task or legitimate_interests")
	flags.Int64Var(&f.RetentionDays, "retention-days", 0, "how long snapshots are kept")
	flags.StringVar(&f.guidelines, "guidelines", "", "labelling guidelines, a `file` of which the digest is recorded")
	flags.StringSliceVar(&f.labels, "privacy", nil, "`COLUMN=LABEL`, where LABEL is none, personal, sensitive or secret")
	flags.StringSliceVar(&f.AllowedPurposes, "allow", nil, "`purposes` that the data may be used for")
	flags.StringSliceVar(&f.ForbiddenPurposes, "forbid", nil, "`purposes` that the data may not be used for")
	return f
}

// settle reads the flags that are not plain values; what was not given is as before.
func (f *datasetFlags) settle(cmd *cobra.Command, before catalog.DatasetTerms) (catalog.DatasetTerms, error) {
	terms, given := f.DatasetTerms, cmd.Flags().Changed
	for flag, keep := range map[string]func(){
		"owner": func() { terms.Owner = before.Owner }, "summary": func() { terms.Summary = before.Summary }, "source": func() { terms.Source = before.Source },
		"retention-days": func() { terms.RetentionDays = before.RetentionDays }, "basis": func() { terms.ConsentBasis = before.ConsentBasis },
		"allow": func() { terms.AllowedPurposes = before.AllowedPurposes }, "forbid": func() { terms.ForbiddenPurposes = before.ForbiddenPurposes },
		"guidelines": func() { terms.Guidelines = before.Guidelines },
	} {
		if !given(flag) {
			keep()
		}
	}
	if given("basis") {
		terms.ConsentBasis = catalog.ConsentBasis(f.basis)
	}
	labels, err := pairs("--privacy", f.labels)
	if err != nil {
		return terms, err
	}
	terms.Privacy = slices.DeleteFunc(slices.Clone(before.Privacy), func(l catalog.ColumnLabel) bool { return labels[l.Column] != "" })
	for column, label := range labels {
		terms.Privacy = append(terms.Privacy, catalog.ColumnLabel{Column: column, Label: catalog.PrivacyLabel(label)})
	}
	slices.SortFunc(terms.Privacy, func(a, b catalog.ColumnLabel) int { return strings.Compare(a.Column, b.Column) })
	if f.guidelines != "" {
		file, err := openFile(f.guidelines)
		if err != nil {
			return terms, err
		}
		defer file.Close()
		if terms.Guidelines, _, err = tallystick.DigestReader(file); err != nil {
			return terms, fmt.Errorf("--guidelines: %w", err)
		}
	}
	return terms, nil
}

func (a *app) datasetRegister() *cobra.Command {
	cmd := &cobra.Command{
		Use: "register NAME", Short: "Register a data set", Args: cobra.ExactArgs(1),
		Example: `  tallystick dataset register loans --owner ana --source warehouse.loans --basis contract \
    --privacy income=personal,health=sensitive --allow credit-scoring --forbid marketing --retention-days 730`,
	}
	f := addDatasetFlags(cmd)
	return acts(a, cmd, command[catalog.Dataset]{
		do: func(ctx context.Context, s *session, args []string) (d catalog.Dataset, _ client.Receipt, err error) {
			terms, err := f.settle(cmd, catalog.DatasetTerms{})
			if err != nil {
				return d, client.Receipt{}, err
			}
			receipt, err := s.Post(ctx, "/datasets", catalog.DatasetChange{Name: args[0], DatasetTerms: terms}, &d)
			return d, receipt, err
		},
		text: printDataset,
	})
}

func (a *app) datasetUpdate() *cobra.Command {
	cmd := &cobra.Command{
		Use: "update NAME", Short: "Change the terms of a data set; what is not given stays", Args: cobra.ExactArgs(1),
		Example: `  tallystick dataset update loans --forbid marketing,insurance`,
	}
	f := addDatasetFlags(cmd)
	return acts(a, cmd, command[catalog.Dataset]{
		do: func(ctx context.Context, s *session, args []string) (d catalog.Dataset, _ client.Receipt, err error) {
			if err := s.Get(ctx, datasetPath(args[0]), &d); err != nil {
				return d, client.Receipt{}, err
			}
			terms, err := f.settle(cmd, d.DatasetTerms)
			if err != nil {
				return d, client.Receipt{}, err
			}
			body := struct {
				catalog.DatasetTerms
				IfRevision uint64 `json:"if_revision"`
			}{terms, d.Revision}
			receipt, err := s.Put(ctx, datasetPath(args[0]), body, &d)
			return d, receipt, err
		},
		text: printDataset, mustExist: true,
	})
}

func printDataset(w io.Writer, d catalog.Dataset) {
	var labels []string
	for _, l := range d.Privacy {
		labels = append(labels, l.Column+"="+string(l.Label))
	}
	days := ""
	if d.RetentionDays > 0 {
		days = fmt.Sprintf("%d days", d.RetentionDays)
	}
	printFields(w, "data set", d.Name, "owner", d.Owner, "summary", d.Summary, "source", d.Source, "basis", string(d.ConsentBasis), "kept for", days,
		"guidelines", string(d.Guidelines), "privacy", strings.Join(labels, " "), "may be used for", strings.Join(d.AllowedPurposes, ", "),
		"not for", strings.Join(d.ForbiddenPurposes, ", "), "registered", moment(d.Created))
}

// datasetAnswer is a data set with its newest snapshots.
type datasetAnswer struct {
	catalog.Dataset
	Snapshots []catalog.Snapshot `json:"snapshots"`
}

func (a *app) datasetShow() *cobra.Command {
	return asks(a, &cobra.Command{
		Use: "show NAME", Short: "Show a data set and its newest snapshots", Args: cobra.ExactArgs(1), Example: `  tallystick dataset show loans`,
	}, question[datasetAnswer]{
		ask: func(ctx context.Context, s *session, args []string) (d datasetAnswer, err error) {
			if err := s.Get(ctx, datasetPath(args[0]), &d.Dataset); err != nil {
				return d, err
			}
			d.Snapshots, err = client.List[catalog.Snapshot](ctx, s.Client, "/snapshots", chosen("dataset", args[0]), 100)
			return d, err
		},
		text: func(w io.Writer, d datasetAnswer) {
			printDataset(w, d.Dataset)
			fmt.Fprintln(w)
			printSnapshots(w, d.Snapshots)
		},
	})
}

func printSnapshots(w io.Writer, all []catalog.Snapshot) {
	fmt.Fprintln(w, "SNAPSHOT\tROWS\tBYTES\tTAKEN\tDIGEST")
	for _, x := range all {
		fmt.Fprintf(w, "%s@%s\t%d\t%d\t%s\t%s\n", x.Dataset, x.Name, x.Rows, x.Bytes, moment(x.Taken), x.Digest)
	}
}

func (a *app) datasetList() *cobra.Command {
	return asks(a, &cobra.Command{Use: "list", Short: "List data sets", Args: cobra.NoArgs, Example: `  tallystick dataset list`}, question[[]catalog.Dataset]{
		ask: func(ctx context.Context, s *session, _ []string) ([]catalog.Dataset, error) {
			return client.List[catalog.Dataset](ctx, s.Client, "/datasets", nil, 0)
		},
		text: func(w io.Writer, all []catalog.Dataset) {
			fmt.Fprintln(w, "DATA SET\tOWNER\tBASIS\tKEPT FOR DAYS\tSOURCE")
			for _, d := range all {
				fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\n", d.Name, orDash(d.Owner), orDash(string(d.ConsentBasis)), d.RetentionDays, orDash(d.Source))
			}
		},
	})
}

func (a *app) snapshot() *cobra.Command {
	cmd := &cobra.Command{Use: "snapshot", Short: "Register snapshots of data sets, and say which version rests on which"}
	cmd.AddCommand(a.snapshotRegister(), a.snapshotList(), a.snapshotUse())
	return cmd
}

// snapshotBody is what the API takes to register a snapshot.
type snapshotBody struct {
	Name    string            `json:"name"`
	Digest  tallystick.Digest `json:"digest"`
	Rows    int64             `json:"rows"`
	Bytes   int64             `json:"bytes,omitempty"`
	Taken   string            `json:"taken,omitempty"`
	Profile *profile.Profile  `json:"profile,omitempty"`
	Sources []catalog.Source  `json:"sources,omitempty"`
}

func (a *app) snapshotRegister() *cobra.Command {
	var taken string
	var sources []string
	cmd := &cobra.Command{
		Use:   "register DATASET@NAME FILE...",
		Short: "Register data that do not change: their digest and what they look like",
		Long: `Register reads the files here (CSV or Parquet; several of one schema count as one) and records their
digest, size, columns and profile. The data stay where they are. Of columns that the data set labels
personal, sensitive or secret the profile holds counts alone, and no value.`,
		Example: `  tallystick snapshot register loans@2026-03 loans.parquet --source warehouse.loans`,
		Args:    cobra.MinimumNArgs(2),
	}
	cmd.Flags().StringVar(&taken, "taken", "", "when the data were taken from their source, a `time` (default: now)")
	cmd.Flags().StringSliceVar(&sources, "source", nil, "`name` of what they were made from: a table, a topic, an address")
	return acts(a, cmd, command[catalog.Snapshot]{
		do: func(ctx context.Context, s *session, args []string) (x catalog.Snapshot, _ client.Receipt, err error) {
			dataset, name, err := snapshotName(args[0])
			if err != nil {
				return x, client.Receipt{}, err
			}
			var d catalog.Dataset
			if err := s.Get(ctx, datasetPath(dataset), &d); err != nil {
				return x, client.Receipt{}, err
			}
			body, err := a.look(ctx, args[1:], d.Withheld())
			if err != nil {
				return x, client.Receipt{}, err
			}
			body.Name = name
			at, err := parseTime("--taken", taken)
			if err != nil {
				return x, client.Receipt{}, err
			}
			if !at.IsZero() {
				body.Taken = at.Format("2006-01-02T15:04:05.999Z07:00")
			}
			for _, source := range sources {
				body.Sources = append(body.Sources, catalog.Source{Name: source})
			}
			receipt, err := s.Post(ctx, datasetPath(dataset)+"/snapshots", body, &x)
			return x, receipt, err
		},
		text: func(w io.Writer, x catalog.Snapshot) { printSnapshots(w, []catalog.Snapshot{x}) }, mustExist: true,
	})
}

// snapshotName splits DATASET@NAME.
func snapshotName(s string) (dataset, name string, err error) {
	dataset, name, ok := strings.Cut(s, "@")
	if !ok || dataset == "" || name == "" {
		return "", "", tallystick.Errorf(tallystick.Invalid, "%q names no snapshot", s).WithHint("write DATASET@NAME, such as loans@2026-03")
	}
	return dataset, name, nil
}

// look reads the data and says what they are.
func (a *app) look(ctx context.Context, paths, withheld []string) (body snapshotBody, err error) {
	progress := a.progress()
	defer progress.done()
	t, err := table.Open(ctx, paths, table.Options{Progress: func(done, total int64) { progress.show("reading", done, total) }})
	if err != nil {
		return body, err
	}
	defer t.Close()
	p, err := profile.Of(ctx, t, profile.Options{Withheld: withheld})
	if err != nil {
		return body, err
	}
	body = snapshotBody{Digest: p.Digest, Rows: p.Rows, Profile: &p}
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return body, err
		}
		body.Bytes += info.Size()
	}
	return body, nil
}

func (a *app) snapshotList() *cobra.Command {
	var digest string
	cmd := &cobra.Command{
		Use: "list [DATASET]", Short: "List snapshots, newest first", Args: cobra.MaximumNArgs(1), Example: `  tallystick snapshot list loans`,
	}
	cmd.Flags().StringVar(&digest, "digest", "", "of data with this `digest`")
	return asks(a, cmd, question[[]catalog.Snapshot]{
		ask: func(ctx context.Context, s *session, args []string) ([]catalog.Snapshot, error) {
			return client.List[catalog.Snapshot](ctx, s.Client, "/snapshots", chosen("dataset", strings.Join(args, ""), "digest", digest), 0)
		},
		text: printSnapshots,
	})
}

func (a *app) snapshotUse() *cobra.Command {
	var role string
	cmd := &cobra.Command{
		Use: "use DATASET@NAME MODEL@VERSION", Short: "Say that a version rests on a snapshot", Args: cobra.ExactArgs(2),
		Example: `  tallystick snapshot use loans@2026-03 credit@3 --role training`,
	}
	cmd.Flags().StringVar(&role, "role", "training", "what the data served for: training, validation, test or reference")
	return acts(a, cmd, command[catalog.DataLink]{
		do: func(ctx context.Context, s *session, args []string) (l catalog.DataLink, _ client.Receipt, err error) {
			dataset, name, err := snapshotName(args[0])
			if err != nil {
				return l, client.Receipt{}, err
			}
			model, version, err := versionName(args[1])
			if err != nil {
				return l, client.Receipt{}, err
			}
			if err := oneOf("--role", role, "training", "validation", "test", "reference"); err != nil {
				return l, client.Receipt{}, err
			}
			receipt, err := s.Post(ctx, versionPath(model, version)+"/data", map[string]string{"role": role, "dataset": dataset, "snapshot": name}, &l)
			return l, receipt, err
		},
		text: func(w io.Writer, l catalog.DataLink) {
			fmt.Fprintf(w, "%s@%s rests on %s@%s (%s)\n", l.Model, l.Version, l.Dataset, l.Snapshot, l.Role)
		},
		mustExist: true,
	})
}
