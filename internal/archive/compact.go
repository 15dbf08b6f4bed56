package archive

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/segment"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// maxCompacted bounds the records that one run of Compact writes anew, about; the next goes on from there.
const maxCompacted = 4 << 20

// errChanged is the error for files that somebody else has replaced meanwhile.
var errChanged = errors.New("the files were replaced by others meanwhile")

// Compact joins small files of a model and a day. Segments, roots and proofs stay as they are; an event says which file
// took the place of which, and those are removed after an hour. Whatever it was cut off at, the next Compact goes on
// from there.
func (a *Archive) Compact(ctx context.Context) error {
	if err := a.sweepLeftovers(ctx); err != nil {
		return fmt.Errorf("remove replaced files of predictions: %w", err)
	}
	models, err := a.models(ctx)
	if err != nil {
		return err
	}
	written := int64(0)
	for _, model := range models {
		for written < maxCompacted {
			files, err := a.kept(ctx, model)
			if err != nil {
				return err
			}
			run := choose(files, a.config.Now())
			if run == nil {
				break
			}
			n, err := a.join(ctx, model, run)
			if err != nil && !errors.Is(err, errChanged) {
				return fmt.Errorf("join %d files of predictions of %s: %w", len(run), model, err)
			}
			written += n
		}
	}
	return nil
}

// models returns the models that have predictions.
func (a *Archive) models(ctx context.Context) (models []string, err error) {
	err = a.config.Workspace.DB.Read(ctx, func(tx *state.Tx) error {
		models, err = state.Collect(tx, func(s state.Scanner) (name string, err error) { return name, s.Scan(&name) },
			"SELECT DISTINCT model FROM prediction_segments ORDER BY model")
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list the models with predictions: %w", err)
	}
	return models, nil
}

// kept returns the files of a model.
func (a *Archive) kept(ctx context.Context, model string) (files []kept, err error) {
	err = a.config.Workspace.DB.Read(ctx, func(tx *state.Tx) error {
		files, err = state.Collect(tx, scanKept, "SELECT "+keptColumns+" FROM prediction_segments WHERE model = ? AND removed = 0 GROUP BY file_digest ORDER BY min(event)", model)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list the files of predictions of %s: %w", model, err)
	}
	return files, nil
}

// join puts the segments of several files into one, and returns how many records it has.
func (a *Archive) join(ctx context.Context, model string, run []kept) (records int64, err error) {
	change := &SegmentsCompacted{Model: model}
	var files []*segment.File
	for _, k := range run {
		h, err := a.files.take(k.digest)
		if tallystick.CodeOf(err) == tallystick.NotFound {
			return 0, missing(k.digest)
		}
		if err != nil {
			return 0, err
		}
		defer a.files.release(h)
		var rows []row
		err = a.config.Workspace.DB.Read(ctx, func(tx *state.Tx) (err error) {
			rows, err = rowsOf(tx, k.digest)
			return err
		})
		if err == nil && int64(len(rows)) != k.segments {
			err = errChanged
		}
		if err == nil {
			err = h.sound(rows)
		}
		if err != nil {
			return 0, err
		}
		files = append(files, h.File)
		change.Replaces = append(change.Replaces, k.digest)
		change.Segments += k.segments
		change.Records += k.records
	}
	summary, err := a.put(ctx, func(w io.Writer) (*segment.Summary, error) { return segment.Compact(w, files...) })
	if err != nil {
		return 0, err
	}
	a.reached("put")
	change.File, change.Bytes = summary.Digest, summary.Bytes
	err = a.config.Workspace.DB.Write(ctx, func(tx *state.Tx) error {
		for _, k := range run {
			rows, err := rowsOf(tx, k.digest)
			if err != nil {
				return err
			}
			if int64(len(rows)) != k.segments {
				return errChanged
			}
		}
		if _, err := a.config.Workspace.Recorder.Commit(tx, trail.Act{Actor: a.config.Actor}, change); err != nil {
			return err
		}
		return leave(tx, a.config.Now().Add(grace), change.Replaces...)
	})
	if err != nil {
		return 0, err
	}
	a.reached("registered")
	return change.Records, nil
}
