package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/segment"
	"github.com/tallystick/tallystick/internal/state"
)

// kept is a file with what is registered of the segments in it.
type kept struct {
	digest          tallystick.Digest
	bytes           int64
	segments        int64
	records         int64
	firstUS, lastUS int64 // of its records
	firstEvent      uint64
}

const keptColumns = "file_digest, max(bytes), count(*), sum(records), min(first_us), max(last_us), min(event)"

func scanKept(s state.Scanner) (k kept, err error) {
	var digest string
	err = s.Scan(&digest, &k.bytes, &k.segments, &k.records, &k.firstUS, &k.lastUS, &k.firstEvent)
	k.digest = tallystick.Digest(digest)
	return k, err
}

// rowsOf returns the segments that live in a file, in the order in which they were registered.
func rowsOf(tx *state.Tx, file tallystick.Digest) ([]row, error) {
	return state.Collect(tx, scanRow, "SELECT "+rowColumns+" FROM prediction_segments WHERE file_digest = ? ORDER BY event", string(file))
}

// sound holds the parts of a file against what was registered.
func (h *held) sound(rows []row) error {
	parts := h.Parts()
	for _, p := range parts {
		at := slices.IndexFunc(rows, func(r row) bool { return r.segment == p.Segment })
		if at < 0 || rows[at].root != p.Root || rows[at].records != p.Count || rows[at].model != h.Model() {
			return tallystick.Errorf(tallystick.Internal, "segment file %s: its segment %s is not what was registered", h.digest, p.Segment)
		}
	}
	if len(parts) != len(rows) {
		return tallystick.Errorf(tallystick.Internal, "segment file %s has %d segments, %d are registered", h.digest, len(parts), len(rows))
	}
	return nil
}

// put writes a file into the store.
func (a *Archive) put(ctx context.Context, write func(w io.Writer) (*segment.Summary, error)) (*segment.Summary, error) {
	r, w := io.Pipe()
	var summary *segment.Summary
	written := make(chan error, 1)
	go func() {
		var err error
		summary, err = write(w)
		_ = w.CloseWithError(err) // never fails
		written <- err
	}()
	digest, _, err := a.config.Workspace.Segments.Put(ctx, r)
	_ = r.CloseWithError(errors.Join(err, io.ErrClosedPipe)) // ends the writer if it still writes
	if cause := <-written; cause != nil && err == nil || cause != nil && !errors.Is(cause, io.ErrClosedPipe) {
		return nil, cause
	}
	if err != nil {
		return nil, err
	}
	if digest != summary.Digest {
		return nil, fmt.Errorf("segment file %s was written as %s", summary.Digest, digest)
	}
	return summary, nil
}

// grace is how long a file that was replaced stays, for those who have read its name and not yet opened it.
const grace = time.Hour

// leave notes files that nothing names any more, in the transaction after which that is so.
func leave(tx *state.Tx, due time.Time, files ...tallystick.Digest) error {
	for _, file := range files {
		if _, err := tx.Exec("INSERT INTO prediction_leftovers (file_digest, due_ms) VALUES (?, ?) ON CONFLICT (file_digest) DO UPDATE SET due_ms = excluded.due_ms",
			string(file), due.UnixMilli()); err != nil {
			return err
		}
	}
	return nil
}
