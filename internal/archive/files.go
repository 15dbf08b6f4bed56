package archive

import (
	"context"
	"encoding/hex"
	"fmt"
	"math"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/segment"
	"github.com/tallystick/tallystick/internal/state"
)

// Files returns the files that can have records of a model from the time from, inclusive, to the time to, exclusive; a zero
// time is no bound. They are in the order in which their first segments were registered, and have records of other
// times too.
//
// There can be any number: none of them is open before it is read, and some 50 bytes of each are held. What is joined, or
// written anew, while somebody reads is found where it is then, so that each prediction is met once.
func (a *Archive) Files(ctx context.Context, model string, from, to time.Time) (*segment.Shelf, error) {
	if err := a.fresh(ctx); err != nil {
		return nil, err
	}
	first, last := int64(math.MinInt64), int64(math.MaxInt64)
	if !from.IsZero() {
		first = int64(prediction.TimeOf(from))
	}
	if !to.IsZero() {
		last = to.Add(-time.Microsecond).UnixMicro()
	}
	var places []place
	err := a.config.Workspace.DB.Read(ctx, func(tx *state.Tx) (err error) {
		places, err = state.Collect(tx, scanPlace, "SELECT file_digest, min(event), max(event) FROM prediction_segments WHERE model = ? AND last_us >= ? AND first_us <= ? AND removed = 0 GROUP BY file_digest ORDER BY min(event)",
			model, first, last)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look for the predictions of %s: %w", model, err)
	}
	return segment.NewShelf(len(places), func(ctx context.Context, number int) (*segment.Piece, error) {
		piece, err := a.piece(ctx, number, places[number])
		if err != nil {
			return nil, fmt.Errorf("predictions of %s: %w", model, err)
		}
		return piece, nil
	}), nil
}

// place is a file as it was, and its first and last segment that were asked for, by the events that have registered them:
// they and those between are neighbours in every file that they move to, in this order, because files are joined and
// written anew as wholes.
type place struct {
	file        [32]byte // digest
	first, last uint64
}

func scanPlace(s state.Scanner) (p place, err error) {
	var text string
	if err := s.Scan(&text, &p.first, &p.last); err != nil {
		return p, err
	}
	digest := tallystick.Digest(text)
	if err := digest.Validate(); err != nil {
		return p, err
	}
	_, err = hex.Decode(p.file[:], []byte(digest.Hex()))
	return p, err
}

// piece opens the file of a place, or the one that its segments have moved to.
func (a *Archive) piece(ctx context.Context, number int, at place) (*segment.Piece, error) {
	was := tallystick.Digest("sha256:" + hex.EncodeToString(at.file[:]))
	digest := was
	for range tries {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		h, err := a.files.take(digest)
		if err == nil {
			piece := segment.NewPiece(h.File, number, func() { a.files.release(h) })
			if digest != was {
				err = a.narrow(ctx, piece, at)
			}
			if err != nil {
				piece.Close()
				return nil, err
			}
			return piece, nil
		}
		if tallystick.CodeOf(err) != tallystick.NotFound {
			return nil, err
		}
		now, err := a.registered(ctx, at.first)
		switch {
		case err != nil:
			return nil, err
		case now.removed > 0:
			return nil, tallystick.Errorf(tallystick.NotFound, "file %s was removed, because it had been kept for long enough: event %d", was, now.removed)
		case now.file == digest:
			return nil, missing(digest)
		}
		digest = now.file
	}
	return nil, errChanged
}

// narrow leaves the rows of a place in a file that its segments have moved to.
func (a *Archive) narrow(ctx context.Context, p *segment.Piece, at place) error {
	first, err := a.registered(ctx, at.first)
	if err != nil {
		return err
	}
	last, err := a.registered(ctx, at.last)
	if err != nil {
		return err
	}
	if !p.Narrow(first.segment, last.segment) {
		return errChanged
	}
	return nil
}

// registered returns the segment that an event has registered.
func (a *Archive) registered(ctx context.Context, event uint64) (r row, err error) {
	err = a.config.Workspace.DB.Read(ctx, func(tx *state.Tx) error {
		r, err = scanRow(tx.QueryRow("SELECT "+rowColumns+" FROM prediction_segments WHERE event = ?", event))
		return err
	})
	if err != nil {
		return r, fmt.Errorf("look where the segment of event %d lives: %w", event, err)
	}
	return r, nil
}

func missing(digest tallystick.Digest) error {
	return tallystick.Errorf(tallystick.Internal, "segment file %s is missing", digest).WithHint("run `tallystick fsck`; a backup may have it")
}
