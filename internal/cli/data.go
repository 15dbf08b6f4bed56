package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/contract"
	"github.com/tallystick/tallystick/internal/report"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/table"
	"github.com/tallystick/tallystick/internal/trail"
)

func (a *app) data() *cobra.Command {
	cmd := &cobra.Command{Use: "data", Short: "Check files against a data contract, or infer a first contract"}
	cmd.AddCommand(a.dataCheck(), a.dataInfer())
	return cmd
}

func (a *app) dataCheck() *cobra.Command {
	var path, format string
	var record bool
	cmd := &cobra.Command{
		Use:   "check FILE...",
		Short: "Check files against a contract, fast enough for every commit",
		Long: `Check holds FILE against what --contract says of every column. It needs no workspace;
--record puts the result on the trail.

Exit code: 0 the contract holds, 1 it does not, 2 wrong flags or input.`,
		Example: `  tallystick data infer good.csv > contract.yaml
  tallystick data check new.csv --contract contract.yaml
  tallystick data check new.csv --contract contract.yaml --format junit > data.xml`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := oneOf("--format", format, "text", "json", "junit", "markdown"); err != nil {
				return err
			}
			if path == "" {
				return usageError(cmd, "--contract FILE is missing")
			}
			c, err := readContract(path)
			if err != nil {
				return err
			}
			progress := a.progress()
			t, err := contract.Open(cmd.Context(), args, c, table.Options{Progress: func(done, total int64) { progress.show("reading", done, total) }})
			progress.done()
			if err != nil {
				return err
			}
			defer t.Close()
			a.warn(t)
			result, err := contract.CheckTable(cmd.Context(), t, c, time.Now())
			if err != nil {
				return err
			}
			if result.Verdict != tallystick.Pass && result.Verdict != tallystick.Warn {
				a.code = exitRefused
			}
			if record {
				if err := a.recordCheck(cmd.Context(), t, result, append(args, path)); err != nil {
					return err
				}
			}
			return a.printContract(format, result, t.Warnings())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&path, "contract", "", "`file` of the contract")
	flags.StringVar(&format, "format", "text", "text, json, junit or markdown")
	flags.BoolVar(&record, "record", false, "put the result on the workspace's trail")
	return cmd
}

func (a *app) recordCheck(ctx context.Context, t *table.Table, result contract.Result, files []string) (err error) {
	w, err := a.open(ctx, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	_, err = w.Recorder.Record(ctx, trail.Entry{
		Type: trail.DataChecked, Actor: w.Actor(), Resource: trail.Resource{Type: "data", ID: string(t.Digest())}, Outcome: tallystick.Success,
		Data: map[string]any{
			"data_digest": t.Digest(), "contract_digest": result.Contract, "verdict": string(result.Verdict), "rows": t.Rows(), "files": files,
		},
	})
	if err != nil {
		return err
	}
	_, err = w.Seal(ctx)
	return err
}

// warn says what the reader of a table had to guess or leave out: a check of columns that were
// renamed or could not be read is not the check that was asked for.
func (a *app) warn(t *table.Table) {
	for _, w := range t.Warnings() {
		fmt.Fprintf(a.Err, "warning: %s\n", w)
	}
}

func (a *app) printContract(format string, result contract.Result, warnings []string) error {
	switch format {
	case "json":
		return a.printJSON(struct {
			contract.Result
			Warnings []string `json:"warnings"` // never null
		}{result, append([]string{}, warnings...)})
	case "junit":
		return report.WriteContractJUnit(a.Out, result)
	case "markdown":
		return report.WriteContractMarkdown(a.Out, result)
	}
	return report.WriteContractText(a.Out, result, a.width(), a.colour())
}

func (a *app) dataInfer() *cobra.Command {
	var name, output string
	cmd := &cobra.Command{
		Use:   "infer FILE...",
		Short: "Write a first contract from good data, to be reviewed",
		Long: `Infer writes what the columns of FILE have in common, with room to spare, as a contract. It
takes the data to be good: read the contract, tighten it, and add limits.`,
		Example: `  tallystick data infer good.csv -o contract.yaml`,
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			t, err := table.Open(cmd.Context(), args, table.Options{})
			if err != nil {
				return err
			}
			defer t.Close()
			a.warn(t)
			if name == "" {
				name, _, _ = strings.Cut(filepath.Base(args[0]), ".")
			}
			c, err := contract.Infer(cmd.Context(), t, name)
			if err != nil {
				return err
			}
			return a.write(output, c.Source())
		},
	}
	cmd.Flags().StringVar(&name, "name", "", "name of the contract (default: the file's)")
	cmd.Flags().StringVarP(&output, "output", "o", "-", "`file` to write; - is standard output")
	return cmd
}

func (a *app) criteria() *cobra.Command {
	cmd := &cobra.Command{Use: "criteria", Short: "Fix thresholds before they are needed"}
	cmd.AddCommand(&cobra.Command{
		Use:   "commit CONTRACT",
		Short: "Put the limits of a contract on the trail, before the data is first audited",
		Long: `Commit records the digest of a contract, so that a later audit with --contract can show that
its thresholds were fixed before the data was first audited here. Committing the same file
again changes nothing: the first moment counts.`,
		Example: `  tallystick criteria commit contract.yaml
  tallystick audit predictions.csv --label defaulted --contract contract.yaml`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			c, err := readContract(args[0])
			if err != nil {
				return err
			}
			w, err := a.open(cmd.Context(), false)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, w.Close()) }()
			var fresh bool
			registered := catalog.New(w.DB, w.Trail)
			err = w.DB.Write(cmd.Context(), func(tx *state.Tx) error {
				change, err := registered.CommitCriteria(tx, catalog.CriteriaCommitted{Digest: c.Digest(), Name: c.Name, File: args[0]})
				if fresh = change != nil; !fresh || err != nil {
					return err
				}
				_, err = w.Recorder.Commit(tx, trail.Act{Actor: w.Actor()}, change)
				return err
			})
			if err != nil {
				return err
			}
			found, err := registered.Criteria(cmd.Context(), c.Digest())
			if err != nil {
				return err
			}
			if _, err := w.Seal(cmd.Context()); err != nil {
				return err
			}
			word := "committed"
			if !fresh {
				word = "committed before"
			}
			_, err = fmt.Fprintf(a.Out, "%s  %s  event %d, %s\n", word, found.Digest, found.Sequence, found.At.Format(time.RFC3339))
			return err
		},
	})
	return cmd
}
