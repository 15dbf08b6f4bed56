package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/lineage"
	"github.com/tallystick/tallystick/internal/provenance"
)

func (a *app) runCommand() *cobra.Command {
	var o provenance.Options
	var of, record, format string
	var params []string
	cmd := &cobra.Command{
		Use:   "run [flags] -- COMMAND [ARG...]",
		Short: "Run a training command, and record what it read, wrote and ran with",
		Long: `Run notes the Git commit and what is not committed, dvc.lock, the installed libraries, the machine, the
seeds in the environment, and the digests of --input and --output, runs the command with the terminal, the
signals and the exit code of its own, and records the lineage. Inputs that are registered snapshots are
linked to them. With --format json the record of the run goes to standard output, and what the command
writes there to standard error.

Exit code: that of the command; 2 or 3 if it could not be run, or not be recorded.`,
		Example: `  tallystick run --input loans.parquet --output model/ --model credit@3 -- python train.py`,
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := oneOf("--format", format, "text", "json"); err != nil {
				return err
			}
			product, err := productOf(of)
			if err != nil {
				return err
			}
			if o.Params, err = pairs("--param", params); err != nil {
				return err
			}
			// Whether it can be recorded is found out before hours are spent, and the workspace left free meanwhile.
			if err := a.converse(cmd.Context(), func(s *session) error { return s.Get(cmd.Context(), "/self", nil) }); err != nil {
				return err
			}
			o.Command, o.Stdout, o.Stderr = args, a.Out, a.Err
			if format == "json" {
				o.Stdout = a.Err
			}
			if in, ok := a.In.(*os.File); ok {
				o.Stdin = in
			}
			run, failed := provenance.Execute(cmd.Context(), o)
			if run.ID == "" {
				return failed
			}
			if record != "" {
				body, err := json.MarshalIndent(run, "", "  ")
				if err == nil {
					err = a.write(record, append(body, '\n'))
				}
				failed = errors.Join(failed, err)
			}
			ctx := context.WithoutCancel(cmd.Context()) // a command that was interrupted has run too
			err = a.converse(ctx, func(s *session) error { return recordRun(ctx, s, run, product) })
			if err = errors.Join(failed, err); err != nil {
				return fmt.Errorf("the command has run with exit code %d: %w", run.ExitCode, err)
			}
			for _, note := range run.Notes {
				fmt.Fprintf(a.Err, "tallystick: note: %s\n", note)
			}
			fmt.Fprintf(a.Err, "tallystick: run %s is on record: tallystick lineage run:%s\n", run.ID, run.ID)
			a.code = run.ExitCode
			if format == "json" {
				return a.printJSON(run)
			}
			return nil
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.SetInterspersed(false)
	flags.StringSliceVar(&o.Inputs, "input", nil, "`file` or directory that the command reads")
	flags.StringSliceVar(&o.Outputs, "output", nil, "`file` or directory that it writes")
	flags.StringVar(&of, "model", "", "`MODEL@VERSION` that it trains")
	flags.StringArrayVar(&params, "param", nil, "`NAME=VALUE` of a parameter")
	flags.StringSliceVar(&o.Env, "env", nil, "`names` of variables of the environment to record")
	flags.StringVar(&record, "record", "", "write the record of the run to this `file` too")
	flags.StringVar(&format, "format", "text", "text or json")
	return cmd
}

// converse begins a session, lets f use it and ends it.
func (a *app) converse(ctx context.Context, f func(s *session) error) error {
	s, err := a.dial(ctx, false)
	if err != nil {
		return err
	}
	err = f(s)
	return errors.Join(err, s.Close(ctx, err == nil))
}

func productOf(name string) (lineage.Product, error) {
	if name == "" {
		return lineage.Product{}, nil
	}
	model, version, err := versionName(name)
	return lineage.Product{Model: model, Version: version}, err
}

// recordRun records what a run tells of the lineage, and that its inputs are registered snapshots.
func recordRun(ctx context.Context, s *session, run provenance.Run, product lineage.Product) error {
	b := lineage.FromRun(run, product)
	for _, node := range b.Nodes {
		if node.Ref.Kind != lineage.Snapshot || node.Digest == "" {
			continue
		}
		known, err := client.List[catalog.Snapshot](ctx, s.Client, "/snapshots", chosen("digest", string(node.Digest)), 1)
		if err != nil && tallystick.CodeOf(err) != tallystick.NotFound {
			return err
		}
		for _, x := range known {
			b.Edges = append(b.Edges, lineage.Edge{
				From: lineage.Ref{Kind: lineage.Snapshot, ID: x.Dataset + "@" + x.Name}, To: node.Ref, Relation: lineage.Derived, Reason: "the same bytes",
			})
		}
	}
	_, err := s.Post(ctx, "/lineage/records", b, nil)
	return err
}
