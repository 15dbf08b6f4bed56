package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/archive"
	"github.com/tallystick/tallystick/internal/capture"
	"github.com/tallystick/tallystick/internal/casework"
	"github.com/tallystick/tallystick/internal/health"
	"github.com/tallystick/tallystick/internal/journal"
	"github.com/tallystick/tallystick/internal/monitor"
	"github.com/tallystick/tallystick/internal/objective"
	"github.com/tallystick/tallystick/internal/query"
	"github.com/tallystick/tallystick/internal/schedule"
	"github.com/tallystick/tallystick/internal/workspace"
)

// cutEvery is how long predictions stay in the journal, about.
const cutEvery = 10 * time.Second

// recording takes predictions in, for as long as the server runs that has the journal open.
type recording struct {
	*capture.Capture
	journal *journal.Journal
}

func (h house) recording(ctx context.Context, logger *slog.Logger) (*recording, error) {
	j, err := journal.Open(ctx, journal.Options{Dir: filepath.Join(h.Dir(), "journal"), Logger: logger})
	if err != nil {
		return nil, err
	}
	key, err := h.Keys.InputKey()
	if err != nil {
		return nil, errors.Join(err, j.Close())
	}
	c, err := capture.New(ctx, capture.Config{
		DB: h.DB, Catalog: h.catalog, Journal: j, Now: time.Now,
		Recorder: h.Recorder, Actor: itself(), Segments: h.Segments, Plan: filepath.Join(h.Dir(), "predictions", "cut.json"), Key: key,
	})
	if err != nil {
		return nil, errors.Join(err, j.Close())
	}
	return &recording{Capture: c, journal: j}, nil
}

// archived returns the archive of a workspace. What is in the journal is found only with somebody who has that open.
func (h house) archived(r *recording) *archive.Archive {
	config := archive.Config{Workspace: h.Workspace, Actor: itself(), Now: time.Now, Scrub: h.scrub}
	if r != nil {
		config.Fresh, config.Scrub = r.Fresh, r.journal.Scrub
	}
	return archive.New(config)
}

// scrub overwrites what is free in the journal, which nobody has open.
func (h house) scrub(ctx context.Context) error {
	if !hasJournal(h.Workspace) {
		return nil
	}
	j, err := journal.Open(ctx, journal.Options{Dir: filepath.Join(h.Dir(), "journal")})
	if err != nil {
		return err
	}
	return errors.Join(j.Scrub(ctx), j.Close())
}

func hasJournal(w *workspace.Workspace) bool {
	_, err := os.Stat(filepath.Join(w.Dir(), "journal"))
	return !errors.Is(err, fs.ErrNotExist)
}

// job puts what is in the journal into segments.
func (r *recording) job() schedule.Job {
	return schedule.Job{Name: "cut-predictions", Period: cutEvery, Run: r.cutSome}
}

// cutSome is Cut for as long as a job may take. That something is left is no fault if something was done.
func (r *recording) cutSome(ctx context.Context) error {
	before, _ := r.journal.Status()
	err := r.Cut(ctx)
	if after, _ := r.journal.Status(); errors.Is(err, context.DeadlineExceeded) && after.Trimmed > before.Trimmed {
		return nil
	}
	return err
}

// cutLast is Cut for half of the time that is left to a server that ends: there is more to do, and what is not cut stays in the
// journal.
func (r *recording) cutLast(ctx context.Context) error {
	if end, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Until(end)/2)
		defer cancel()
	}
	if err := r.Cut(ctx); !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return nil
}

// compaction joins small files of predictions.
func (h house) compaction() schedule.Job {
	return schedule.Job{Name: "compact-predictions", Period: 5 * time.Minute, Run: h.archive.Compact}
}

// removal removes predictions that have been kept for long enough.
func (h house) removal() schedule.Job {
	return schedule.Job{Name: "remove-predictions", Period: time.Hour, Run: h.archive.Expire}
}

// sweeping removes files of predictions that nothing names.
func (h house) sweeping() schedule.Job {
	return schedule.Job{Name: "sweep-predictions", Period: 24 * time.Hour, Run: h.archive.Sweep}
}

// desk returns where people look at predictions.
func (h house) desk() *casework.Desk {
	return casework.New(casework.Config{DB: h.DB, Recorder: h.Recorder, Actor: itself(), Segments: h.archive, Labels: h.labels, Models: h.catalog})
}

// watch returns the office that keeps references and monitors and judges windows.
func (h house) watch() *monitor.Office {
	return monitor.New(monitor.Config{
		DB: h.DB, Trail: h.Trail, Recorder: h.Recorder, Actor: itself(), Catalog: h.catalog, Asker: query.New(h.DB, h.archive, h.labels), Evidence: h.Evidence, Now: time.Now,
	})
}

// keeper returns the office that keeps objectives and counts how they stand, having made fresh what it counts when somebody asks.
func (h house) keeper(fresh func(context.Context) error) *objective.Office {
	return objective.New(objective.Config{
		DB: h.DB, Trail: h.Trail, Recorder: h.Recorder, Actor: itself(), Catalog: h.catalog, Asker: query.New(h.DB, h.archive, h.labels),
		Monitors: h.monitors, Cases: h.cases, Evidence: h.Evidence, Now: time.Now, Fresh: fresh,
	})
}

// health returns who says how models stand.
func (h house) health() *health.Office {
	return health.New(health.Config{
		Catalog: h.catalog, Releases: h.releases, Monitors: h.monitors, Objectives: h.objectives, Asker: query.New(h.DB, h.archive, h.labels), Now: time.Now,
	})
}

// objectiveJob judges every objective.
func (h house) objectiveJob() schedule.Job {
	return schedule.Job{Name: "judge-objectives", Period: time.Minute, Tell: h.objectives.Run}
}

// monitorJob judges the windows that are due.
func (h house) monitorJob() schedule.Job {
	return schedule.Job{Name: "judge-windows", Period: time.Minute, Tell: h.monitors.Run}
}

// caseJob opens the cases that rules choose.
func (h house) caseJob() schedule.Job {
	return schedule.Job{Name: "open-cases", Period: cutEvery, Run: h.cases.Route}
}

// cutBefore puts what is in the journal into segments, unless a server has it open or there is none.
func (a *app) cutBefore(ctx context.Context, w *workspace.Workspace) error {
	if !hasJournal(w) {
		return nil
	}
	r, err := a.house(w).recording(ctx, slog.New(slog.DiscardHandler))
	if tallystick.CodeOf(err) == tallystick.Unavailable {
		_, err := fmt.Fprintln(a.Err, "tallystick: a server has the journal of predictions open: what it took in within the last ten seconds or so may not be in the backup")
		return err
	}
	if err != nil {
		return err
	}
	return errors.Join(r.Cut(ctx), r.journal.Close())
}
