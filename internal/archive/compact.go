package archive

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/segment"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

const (
	compactFor  = 4 * time.Minute // after which a run of Compact begins nothing more; the next goes on from there
	joinsAtOnce = 16              // of a model and a day, before it is the turn of the next
	maxFaults   = 3               // joins that go wrong, before a run ends
	seenAtOnce  = 10_000          // segments that are read at once
)

// errChanged is the error for files that somebody else has replaced meanwhile.
var errChanged = errors.New("the files were replaced by others meanwhile")

// work is what a model and a day may have to be joined.
type work struct {
	model string
	day   int64 // since 1970
}

// works knows which days have had segments since it was asked for the first time, and were not seen to be settled. So a run
// looks at these, and not at all that was ever registered. Who starts looks at all once.
type works struct {
	running sync.Mutex // held by who compacts
	seen    uint64     // event of the newest segment that was looked at
	open    map[work]bool
}

// Compact joins small files of a model and a day. Segments, roots and proofs stay as they are; an event says which file
// took the place of which, and those are removed after an hour. It goes on until there is nothing to join, for some
// minutes at most, and gives each model its turn; whatever it was cut off at, the next Compact goes on from there. Files
// that cannot be joined are passed over, and the error tells of them in the end.
func (a *Archive) Compact(ctx context.Context) error {
	if err := a.sweepLeftovers(ctx); err != nil {
		return fmt.Errorf("remove replaced files of predictions: %w", err)
	}
	a.works.running.Lock()
	defer a.works.running.Unlock()
	if err := a.look(ctx); err != nil {
		return fmt.Errorf("look which predictions are new: %w", err)
	}
	r := compaction{archive: a, until: a.config.Elapsed() + compactFor, passed: map[tallystick.Digest]bool{}}
	left := slices.SortedFunc(maps.Keys(a.works.open), func(a, b work) int { return cmp.Or(cmp.Compare(a.model, b.model), cmp.Compare(a.day, b.day)) })
	for len(left) > 0 && !r.ended() {
		var more []work
		for _, w := range left {
			again, err := r.do(ctx, w)
			if err != nil {
				return err
			}
			if again {
				more = append(more, w)
			}
		}
		left = more
	}
	return errors.Join(r.faults...)
}

// look notes which days have new segments.
func (a *Archive) look(ctx context.Context) error {
	if a.works.open == nil {
		a.works.open = map[work]bool{}
	}
	for {
		var found int
		err := a.config.Workspace.DB.Read(ctx, func(tx *state.Tx) error {
			rows, err := state.Collect(tx, func(s state.Scanner) (k struct {
				work
				event uint64
			}, err error,
			) {
				var first int64
				err = s.Scan(&k.model, &first, &k.event)
				k.day = dayOf(first)
				return k, err
			}, "SELECT model, first_us, event FROM prediction_segments WHERE event > ? AND removed = 0 ORDER BY event "+state.Limit, a.works.seen, seenAtOnce)
			for _, k := range rows {
				a.works.open[k.work], a.works.seen = true, k.event
			}
			found = len(rows)
			return err
		})
		if err != nil || found < seenAtOnce {
			return err
		}
	}
}

// compaction is one run of Compact.
type compaction struct {
	archive *Archive
	until   time.Duration // by the clock that cannot be set
	passed  map[tallystick.Digest]bool
	faults  []error
}

func (r *compaction) ended() bool {
	return r.archive.config.Elapsed() >= r.until || len(r.faults) >= maxFaults
}

// do joins some files of a model and a day, and reports whether there may be more.
func (r *compaction) do(ctx context.Context, w work) (more bool, err error) {
	a := r.archive
	files, err := a.keptOf(ctx, w)
	if err != nil {
		return false, err
	}
	over := over(w.day, a.config.Now())
	for range joinsAtOnce {
		first, end := choose(files, over, r.passed)
		if first == end {
			if over {
				delete(a.works.open, w)
			}
			return false, nil
		}
		if r.ended() {
			return false, nil
		}
		joined, err := a.join(ctx, w.model, files[first:end])
		switch {
		case err == nil:
			files = slices.Replace(files, first, end, joined)
		case ctx.Err() != nil:
			return false, fmt.Errorf("join files of predictions of %s: %w", w.model, err)
		case errors.Is(err, errChanged):
			return false, nil
		default:
			r.faults = append(r.faults, fmt.Errorf("join %d files of predictions of %s from %s on: %w", end-first, w.model, files[first].digest, err))
			for _, k := range files[first:end] {
				r.passed[k.digest] = true
			}
		}
	}
	return true, nil
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
	return a.keptWhere(ctx, model, "")
}

// keptOf returns the files of a model and a day: those whose segments, which are of that day all, begin on it.
func (a *Archive) keptOf(ctx context.Context, w work) (files []kept, err error) {
	return a.keptWhere(ctx, w.model, "AND first_us >= ? AND first_us < ? ", w.day*day.Microseconds(), (w.day+1)*day.Microseconds())
}

func (a *Archive) keptWhere(ctx context.Context, model, where string, args ...any) (files []kept, err error) {
	err = a.config.Workspace.DB.Read(ctx, func(tx *state.Tx) error {
		files, err = state.Collect(tx, scanKept, "SELECT "+keptColumns+" FROM prediction_segments WHERE model = ? AND removed = 0 "+where+"GROUP BY file_digest ORDER BY min(event)",
			append([]any{model}, args...)...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list the files of predictions of %s: %w", model, err)
	}
	return files, nil
}

// join puts the segments of several files into one, which it returns.
func (a *Archive) join(ctx context.Context, model string, run []kept) (joined kept, err error) {
	joined = run[0]
	change := &SegmentsCompacted{Model: model}
	var files []*segment.File
	for _, k := range run {
		rows, err := a.rowsStill(ctx, k)
		if err != nil {
			return joined, err
		}
		h, err := a.files.take(k.digest)
		if tallystick.CodeOf(err) == tallystick.NotFound {
			return joined, missing(k.digest)
		}
		if err != nil {
			return joined, err
		}
		defer a.files.release(h)
		if err := a.intact(ctx, h, rows); err != nil {
			return joined, err
		}
		files = append(files, h.File)
		change.Replaces = append(change.Replaces, k.digest)
		change.Segments += k.segments
		change.Records += k.records
		joined.firstUS, joined.lastUS = min(joined.firstUS, k.firstUS), max(joined.lastUS, k.lastUS)
	}
	summary, err := a.put(ctx, func(w io.Writer) (*segment.Summary, error) { return segment.Compact(w, files...) })
	if err != nil {
		return joined, err
	}
	a.reached("put")
	change.File, change.Bytes = summary.Digest, summary.Bytes
	joined.digest, joined.bytes, joined.segments, joined.records = summary.Digest, summary.Bytes, change.Segments, change.Records
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
		return joined, err
	}
	a.reached("registered")
	return joined, nil
}

// rowsStill returns what is registered of a file, or errChanged if that is not what it was.
func (a *Archive) rowsStill(ctx context.Context, k kept) (rows []row, err error) {
	err = a.config.Workspace.DB.Read(ctx, func(tx *state.Tx) error {
		rows, err = rowsOf(tx, k.digest)
		return err
	})
	if err == nil && int64(len(rows)) != k.segments {
		err = errChanged
	}
	return rows, err
}

// intact holds a file that is to be replaced against what is registered, and against its digest: once it is gone, nobody can
// tell any more.
func (a *Archive) intact(ctx context.Context, h *held, rows []row) error {
	if err := h.sound(rows); err != nil {
		return err
	}
	bytes, err := a.config.Workspace.Segments.Get(ctx, h.digest)
	if tallystick.CodeOf(err) == tallystick.NotFound {
		return errChanged // it is open, so it was there
	}
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, bytes)
	return errors.Join(err, bytes.Close())
}
