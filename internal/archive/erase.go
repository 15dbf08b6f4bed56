package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/segment"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

const (
	// MaxErased bounds the predictions that are erased at once.
	MaxErased = 100
	maxReason = 1000 // bytes
)

// Erasure asks that predictions be erased.
type Erasure struct {
	IDs     []prediction.ID
	Reason  string
	Purpose string
}

// Erased says what became of an erasure.
type Erased struct {
	Erased int64    `json:"erased" doc:"predictions that were erased now"`
	Before int64    `json:"erased_before" doc:"predictions that had been erased before"`
	Events []uint64 `json:"events" doc:"sequences of the events that say so, one for each file"`
}

// Erase erases predictions: the files that have them are replaced by files that have only their leaves in that place, and
// are removed at once. All roots and the proofs of all others hold. It is a NotFound error if one is not there, a Conflict
// if a hold covers one, and nothing is erased then.
//
// The journal, through which they came, is scrubbed. Each file is a change of its own. If that of one goes wrong, those before it stand; to ask again does the rest.
func (a *Archive) Erase(ctx context.Context, r *registry.Registry, who access.Principal, e Erasure) (done Erased, err error) {
	done.Events = []uint64{}
	c := registry.Command{Principal: who, Action: access.PredictionErase, Resource: trail.Resource{Type: "prediction", ID: "some"}, Purpose: e.Purpose}
	if err := r.May(ctx, c); err != nil {
		return done, err
	}
	if err := e.validate(); err != nil {
		return done, err
	}
	if err := a.fresh(ctx); err != nil {
		return done, err
	}
	for try := range tries {
		files, before, where := a.whereErase(ctx, e.IDs)
		if try == 0 {
			done.Before = before
		}
		err = where
		if err == nil {
			err = a.mayErase(ctx, r, c, files)
		}
		for _, file := range slices.Sorted(maps.Keys(files)) {
			if err == nil {
				err = a.eraseFrom(ctx, r, c, file, files[file], e.Reason, &done)
			}
		}
		if !errors.Is(err, errChanged) {
			break
		}
	}
	err = errors.Join(err, a.sweepLeftovers(ctx))
	if err == nil && a.config.Scrub != nil {
		if err = a.config.Scrub(ctx); err != nil {
			err = fmt.Errorf("%d predictions are erased, and the journal's free room may still have them: %w", done.Erased+done.Before, err)
		}
	}
	return done, err
}

func (e Erasure) validate() error {
	if len(e.IDs) == 0 || len(e.IDs) > MaxErased {
		return tallystick.Errorf(tallystick.Invalid, "%d predictions are to be erased", len(e.IDs)).WithHint("name 1 to %d", MaxErased)
	}
	if e.Reason == "" {
		return tallystick.Errorf(tallystick.Invalid, "the erasure has no reason").WithHint("say why: it is recorded, and open only to those to whom it is disclosed")
	}
	return tallystick.ValidateText("reason", e.Reason, maxReason)
}

// whereErase returns the files that have the predictions, all of those that were sent more than once, and how many were
// erased before.
func (a *Archive) whereErase(ctx context.Context, ids []prediction.ID) (files map[tallystick.Digest][]prediction.ID, before int64, err error) {
	files = map[tallystick.Digest][]prediction.ID{}
	ids = slices.Clone(ids)
	slices.SortFunc(ids, func(a, b prediction.ID) int { return slices.Compare(a[:], b[:]) })
	for _, id := range slices.Compact(ids) {
		var rows []row
		var gone uint64
		err := a.config.Workspace.DB.Read(ctx, func(tx *state.Tx) (err error) {
			if gone, err = erased(tx, id); err == nil {
				rows, err = candidates(tx, id)
			}
			return err
		})
		if err != nil {
			return nil, 0, err
		}
		found := false
		seen := map[tallystick.Digest]bool{"": true}
		for _, r := range rows {
			if seen[r.file] {
				continue
			}
			seen[r.file] = true
			has, err := a.has(r.file, id)
			if err != nil {
				return nil, 0, err
			}
			if has {
				files[r.file], found = append(files[r.file], id), true
			}
		}
		switch {
		case found:
		case gone > 0:
			before++
		default:
			return nil, 0, tallystick.Errorf(tallystick.NotFound, "there is no prediction %s, so nothing was erased", id)
		}
	}
	return files, before, nil
}

// mayErase refuses an erasure of which a hold covers something, before anything is erased. That it was refused is recorded.
func (a *Archive) mayErase(ctx context.Context, r *registry.Registry, c registry.Command, files map[tallystick.Digest][]prediction.ID) error {
	for _, file := range slices.Sorted(maps.Keys(files)) {
		f, err := a.files.take(file)
		if tallystick.CodeOf(err) == tallystick.NotFound {
			return errChanged
		}
		if err != nil {
			return err
		}
		model, times, err := timesOf(f.File, files[file])
		a.files.release(f)
		if err != nil {
			return err
		}
		err = a.config.Workspace.DB.Read(ctx, func(tx *state.Tx) error { return unheld(tx, model, times) })
		if tallystick.CodeOf(err) == tallystick.Conflict {
			c.Model = model
			return r.Refuse(ctx, c, err)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// timesOf returns when the predictions of ids in a file were made, and of which model they are.
func timesOf(f *segment.File, ids []prediction.ID) (model string, times []prediction.Time, err error) {
	for batch, err := range segment.Scan([]*segment.File{f}, []string{"id", "time"}) {
		if err != nil {
			return "", nil, err
		}
		for i := range batch.Rows {
			if v := batch.Columns[0]; !v.Null[i] && slices.Contains(ids, prediction.ID(v.Bytes[i])) {
				times = append(times, prediction.Time(batch.Columns[1].Ints[i]))
			}
		}
	}
	return f.Model(), times, nil
}

func (a *Archive) has(file tallystick.Digest, id prediction.ID) (bool, error) {
	f, err := a.files.take(file)
	if tallystick.CodeOf(err) == tallystick.NotFound {
		return false, fmt.Errorf("%w: %w", errChanged, missing(file))
	}
	if err != nil {
		return false, err
	}
	defer a.files.release(f)
	_, err = f.Find(id)
	if tallystick.CodeOf(err) == tallystick.NotFound {
		return false, nil
	}
	return err == nil, err
}

// eraseFrom replaces one file.
func (a *Archive) eraseFrom(ctx context.Context, r *registry.Registry, c registry.Command, file tallystick.Digest, ids []prediction.ID, reason string, done *Erased) error {
	f, err := a.files.take(file)
	if tallystick.CodeOf(err) == tallystick.NotFound {
		return errChanged
	}
	if err != nil {
		return err
	}
	defer a.files.release(f)
	change := &PredictionErased{Model: f.Model(), Replaces: file, Reason: reason}
	if err := change.locate(f.File, ids); err != nil {
		return err
	}
	change.Records = int64(len(change.Places))
	model, times, err := timesOf(f.File, ids)
	if err != nil {
		return err
	}
	summary, err := a.put(ctx, func(w io.Writer) (*segment.Summary, error) { return segment.Erase(w, f.File, ids) })
	if err != nil {
		return err
	}
	a.reached("put")
	change.File, change.Bytes = summary.Digest, summary.Bytes
	c.Model, c.Resource = change.Model, trail.Resource{Type: "segments", ID: string(change.File)}
	c.Propose = func(tx *state.Tx) ([]trail.Change, error) {
		rows, err := rowsOf(tx, file)
		if err != nil {
			return nil, err
		}
		if len(rows) == 0 {
			return nil, errChanged
		}
		if err := f.sound(rows); err != nil {
			return nil, err
		}
		if err := unheld(tx, model, times); err != nil { // it was placed meanwhile
			return nil, err
		}
		return []trail.Change{change}, leave(tx, time.UnixMilli(0), file)
	}
	told, err := r.Do(ctx, c)
	if err != nil {
		return fmt.Errorf("erase %d predictions of %s: %w", change.Records, change.Model, err)
	}
	a.reached("registered")
	done.Erased += change.Records
	done.Events = append(done.Events, told.Receipt.Sequence)
	return nil
}

// locate fills in where the predictions are: all rows with such an id.
func (c *PredictionErased) locate(f *segment.File, ids []prediction.ID) error {
	parts, at := f.Parts(), int64(0)
	for batch, err := range segment.Scan([]*segment.File{f}, []string{"id"}) {
		if err != nil {
			return err
		}
		for i := range batch.Rows {
			if v := batch.Columns[0]; !v.Null[i] && slices.Contains(ids, prediction.ID(v.Bytes[i])) {
				part, index, err := f.Place(at + int64(i))
				if err != nil {
					return err
				}
				c.Places = append(c.Places, fmt.Sprintf("%s:%d", parts[part].Segment, index))
				c.Hashes = append(c.Hashes, pseudonym(prediction.ID(v.Bytes[i])))
			}
		}
		at += int64(batch.Rows)
	}
	return nil
}
