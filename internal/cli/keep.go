package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/alert"
	"github.com/tallystick/tallystick/internal/archive"
	"github.com/tallystick/tallystick/internal/body"
	"github.com/tallystick/tallystick/internal/capture"
	"github.com/tallystick/tallystick/internal/casework"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/comparison"
	"github.com/tallystick/tallystick/internal/incident"
	"github.com/tallystick/tallystick/internal/label"
	"github.com/tallystick/tallystick/internal/lineage"
	"github.com/tallystick/tallystick/internal/monitor"
	"github.com/tallystick/tallystick/internal/notify"
	"github.com/tallystick/tallystick/internal/objective"
	"github.com/tallystick/tallystick/internal/reaction"
	"github.com/tallystick/tallystick/internal/release"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
	"github.com/tallystick/tallystick/internal/workspace"
)

func (a *app) fsck() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "fsck",
		Short: "Check the whole workspace: database, trail, evidence, ledger and anchor",
		Long: `Fsck reads everything that the workspace holds, compares it, and names each file that is wrong.

Exit code: 0 sound, 1 damaged.`,
		Example: `  tallystick fsck
  tallystick fsck --workspace DIR --format json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := oneOf("--format", format, "text", "json"); err != nil {
				return err
			}
			return a.checkWorkspace(cmd.Context(), format, checkAll)
		},
	}
	cmd.Flags().StringVar(&format, "format", "text", "text or json")
	return cmd
}

// checkAll adds to what the workspace checks of itself whether its state is what the trail says.
func checkAll(w *workspace.Workspace, ctx context.Context) (workspace.Check, error) {
	found, err := withState(w, ctx, true, (*workspace.Workspace).CheckAll)
	if err != nil {
		return found, err
	}
	trust, err := w.WitnessedTrust()
	if err != nil {
		found.Add("witnesses", "witness/policy.json", "", err)
		return found, nil
	}
	w.CheckWitnesses(&found, trust, 0)
	return found, nil
}

// checkLedger does so for the ledger and the trail alone.
func checkLedger(w *workspace.Workspace, ctx context.Context) (workspace.Check, error) {
	return withState(w, ctx, false, (*workspace.Workspace).CheckLedger)
}

// withState adds whether state and files of predictions are what the trail says; whole makes every record anew.
func withState(w *workspace.Workspace, ctx context.Context, whole bool, check func(*workspace.Workspace, context.Context) (workspace.Check, error)) (workspace.Check, error) {
	found, err := check(w, ctx)
	if err != nil {
		return found, err
	}
	changes, err := replayStill(ctx, w)
	if ctx.Err() != nil {
		return found, ctx.Err()
	}
	found.Add("state", "state.db", fmt.Sprintf("its tables are what %d changes on the trail make of them", changes), err)
	predictions := archive.New(archive.Config{Workspace: w, Now: time.Now})
	defer predictions.Close()
	sum, err := predictions.Check(ctx, whole)
	if ctx.Err() != nil {
		return found, ctx.Err()
	}
	found.Add("segments", "predictions", fmt.Sprintf("%d segments with %d records in %d files have the roots that were registered", sum.Segments, sum.Records, sum.Files), err)
	return found, nil
}

// replayStill replays again where others have changed the state meanwhile, a few times.
func replayStill(ctx context.Context, w *workspace.Workspace) (changes uint64, err error) {
	for range 5 {
		before, after := uint64(0), uint64(0)
		if before, err = w.Trail.Newest(ctx); err != nil {
			return 0, err
		}
		changes, err = replayTrail(ctx, w)
		if err == nil || ctx.Err() != nil {
			break
		}
		if after, _ = w.Trail.Newest(ctx); after == before {
			break
		}
	}
	return changes, err
}

// replayTrail makes the state again from the trail, in a database that is thrown away, and compares.
func replayTrail(ctx context.Context, w *workspace.Workspace) (changes uint64, err error) {
	dir, err := os.MkdirTemp("", "tallystick-replay-*")
	if err != nil {
		return 0, fmt.Errorf("replay the trail: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	scratch, err := state.Open(ctx, state.Config{Path: filepath.Join(dir, "state.db")})
	if err != nil {
		return 0, fmt.Errorf("replay the trail: %w", err)
	}
	defer func() { err = errors.Join(err, scratch.Close()) }()
	return replayer(w.Evidence).Check(ctx, w.Trail, scratch)
}

func (a *app) backup() *cobra.Command {
	return &cobra.Command{
		Use:   "backup FILE",
		Short: "Write a copy of the workspace, without its private keys",
		Long: `Backup seals what is recorded and writes database, ledger, evidence and public keys into a
tar file. Private keys are not in it: a restored workspace has keys and a ledger of its own.

Predictions are in it as far as they are in segments. What is still in the journal is put there first, unless a server
runs, which does so every ten seconds: what it took in since then is not in the backup.`,
		Example: `  tallystick backup tallystick.tar`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if args[0] == "" {
				return usageError(cmd, "FILE is empty")
			}
			w, err := a.open(cmd.Context(), true)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, w.Close()) }()
			if err := a.cutBefore(cmd.Context(), w); err != nil {
				return err
			}
			digest, err := w.Backup(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(a.Out, "%s  %s\n", digest, args[0])
			return err
		},
	}
}

func (a *app) restore() *cobra.Command {
	return &cobra.Command{
		Use:   "restore FILE",
		Short: "Make a workspace from a backup, with a new ledger that continues the old one",
		Long: `Restore checks the backup whole and makes a workspace from it in --workspace, which must be
empty. The restored workspace opens a new ledger under a new origin; its first entry is the
last checkpoint of the old one. The old ledger stays readable under previous/.`,
		Example: `  tallystick restore tallystick.tar --workspace DIR`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := a.place(false)
			if err != nil {
				return err
			}
			file, err := openFile(args[0])
			if err != nil {
				return err
			}
			file.Close()
			r, err := workspace.Restore(cmd.Context(), cfg, args[0])
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(a.Out, "restored  %s\norigin    %s\ncontinues %s at size %d (%d events)\n",
				cfg.Dir, r.Origin, r.Previous, r.Checkpoint.Size, r.Events)
			return err
		},
	}
}

// replayer makes all of the state again that follows from the trail. The tables that follow from no event
// (credentials, last_uses, requests, jobs, prediction_batches, prediction_leftovers, case_cursors,
// case_coverage, tally_series, tallies, tally_holes, monitor_cursors, alert_cursors, alert_standings, objective_counts,
// objective_cursors) are in no list here.
func replayer(labels label.Blobs) trail.Replayer {
	r := trail.Replayer{Changes: map[trail.Type]func() trail.Change{}}
	for _, changes := range []map[trail.Type]func() trail.Change{catalog.Changes(), access.Changes(), lineage.Changes(), notify.Changes(), release.Changes(), capture.Changes(), archive.Changes(), label.Changes(labels), casework.Changes(), body.Changes(), monitor.Changes(), comparison.Changes(), incident.Changes(), objective.Changes(), alert.Changes(), reaction.Changes()} {
		maps.Copy(r.Changes, changes)
	}
	r.Tables = slices.Concat(catalog.Tables(), access.Tables(), lineage.Tables(), notify.Tables(), release.Tables(), capture.Tables(), archive.Tables(), label.Tables(), casework.Tables(), body.Tables(), monitor.Tables(), comparison.Tables(), incident.Tables(), objective.Tables(), alert.Tables(), reaction.Tables())
	return r
}
