package archive

import (
	"context"
	"fmt"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
)

// Checked counts what a check has looked at.
type Checked struct {
	Files, Segments, Records int64
}

// Check holds every file that is registered against what the trail says of the segments in it: that it is there, has these
// segments and no others, with these counts and roots. A whole check also makes every record, leaf and root anew. The
// first fault is the error.
func (a *Archive) Check(ctx context.Context, whole bool) (sum Checked, err error) {
	models, err := a.models(ctx)
	if err != nil {
		return sum, err
	}
	for _, model := range models {
		files, err := a.kept(ctx, model)
		if err != nil {
			return sum, err
		}
		for _, k := range files {
			if err := ctx.Err(); err != nil {
				return sum, err
			}
			rows, err := a.checkFile(ctx, k.digest, whole)
			if err != nil {
				return sum, err
			}
			sum.Files++
			for _, r := range rows {
				sum.Segments++
				sum.Records += r.records
			}
		}
	}
	return sum, nil
}

// checkFile checks one file, and returns its segments: none if it was replaced meanwhile.
func (a *Archive) checkFile(ctx context.Context, digest tallystick.Digest, whole bool) (rows []row, err error) {
	read := func() error {
		return a.config.Workspace.DB.Read(ctx, func(tx *state.Tx) error {
			rows, err = rowsOf(tx, digest)
			return err
		})
	}
	h, err := a.files.take(digest)
	if lost := tallystick.CodeOf(err) == tallystick.NotFound; lost || err == nil {
		if h != nil {
			defer a.files.release(h)
		}
		if err := read(); err != nil || len(rows) == 0 {
			return nil, err
		}
		if lost {
			return nil, tallystick.Errorf(tallystick.Invalid, "segment file %s is missing; %d segments are in it, the first registered by event %d", digest, len(rows), rows[0].event).
				WithHint("a backup may have it")
		}
	}
	if err != nil {
		return nil, err
	}
	if err := h.sound(rows); err != nil {
		return nil, err
	}
	if !whole {
		return rows, nil
	}
	for _, err := range h.Entries() { // which holds all it reads against leaves, tiles and roots
		if err != nil {
			return nil, fmt.Errorf("segment file %s: %w", digest, err)
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	return rows, nil
}
