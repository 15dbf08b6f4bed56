package archive

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/segment"
	"github.com/tallystick/tallystick/internal/state"
)

// Sealed is a segment that came on record.
type Sealed struct {
	Segment string
	Model   string
	Event   uint64 // sequence of the event that registered it
}

// Sealed returns up to limit segments whose events come after the given one, in their order. All segments
// of one event's transaction have events of their own.
func (a *Archive) Sealed(ctx context.Context, after uint64, limit int) (found []Sealed, err error) {
	err = a.config.Workspace.DB.Read(ctx, func(tx *state.Tx) error {
		found, err = state.Collect(tx, func(row state.Scanner) (s Sealed, err error) {
			return s, row.Scan(&s.Segment, &s.Model, &s.Event)
		}, "SELECT segment, model, event FROM prediction_segments WHERE event > ? ORDER BY event "+state.Limit, after, limit)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list the segments after event %d: %w", after, err)
	}
	return found, nil
}

// Entries yields what stands in a segment, in its order, those places too whose records were erased. A segment
// that was removed, because its time was over, has none. An encoding is valid until the next.
func (a *Archive) Entries(ctx context.Context, name string) iter.Seq2[segment.Entry, error] {
	return func(yield func(segment.Entry, error) bool) {
		var h *held
		var err error
		for range tries {
			if h, err = a.living(ctx, name); !errors.As(err, new(replaced)) {
				break
			}
		}
		if err != nil {
			yield(segment.Entry{}, err)
			return
		}
		if h == nil {
			return
		}
		defer a.files.release(h)
		first, count := int64(0), int64(-1)
		for _, part := range h.Parts() {
			if part.Segment == name {
				count = part.Count
				break
			}
			first += part.Count
		}
		if count < 0 {
			yield(segment.Entry{}, fmt.Errorf("segment file %s does not hold the segment %s", h.digest, name))
			return
		}
		row := int64(0)
		for entry, err := range h.File.Entries() {
			if err == nil && row < first {
				row++
				continue
			}
			if err == nil && row >= first+count || !yield(entry, err) || err != nil {
				return
			}
			row++
		}
	}
}

// living opens the file in which a segment lives now; nil if the segment was removed.
func (a *Archive) living(ctx context.Context, name string) (*held, error) {
	var digest string
	err := a.config.Workspace.DB.Read(ctx, func(tx *state.Tx) error {
		return tx.QueryRow("SELECT file_digest FROM prediction_segments WHERE segment = ?", name).Scan(&digest)
	})
	if err != nil {
		return nil, fmt.Errorf("look where the segment %s lives: %w", name, err)
	}
	if digest == "" {
		return nil, nil
	}
	h, err := a.files.take(tallystick.Digest(digest))
	if tallystick.CodeOf(err) == tallystick.NotFound {
		return nil, replaced{missing(tallystick.Digest(digest))}
	}
	return h, err
}
