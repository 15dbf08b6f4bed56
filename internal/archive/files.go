package archive

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/segment"
	"github.com/tallystick/tallystick/internal/state"
)

// MaxFiles bounds the files that are open for one question.
const MaxFiles = 2048

// Files returns the files that can have records of a model from the time from, inclusive, to the time to, exclusive; a zero
// time is no bound. They are in the order in which their first segments were registered, and have records of other
// times too. They are open until the caller calls release, which must be called once, also if they are none.
func (a *Archive) Files(ctx context.Context, model string, from, to time.Time) (_ []*segment.File, release func(), err error) {
	if err := a.fresh(ctx); err != nil {
		return nil, func() {}, err
	}
	for range tries {
		var files []*segment.File
		if files, release, err = a.openAll(ctx, model, from, to); !errors.As(err, new(replaced)) {
			return files, release, err
		}
	}
	return nil, func() {}, err
}

func (a *Archive) openAll(ctx context.Context, model string, from, to time.Time) (files []*segment.File, release func(), err error) {
	digests, err := a.digests(ctx, model, from, to)
	if err != nil {
		return nil, func() {}, err
	}
	var taken []*held
	release = func() {
		for _, h := range taken {
			a.files.release(h)
		}
	}
	for _, digest := range digests {
		h, err := a.files.take(digest)
		if err == nil {
			err = ctx.Err()
		}
		if tallystick.CodeOf(err) == tallystick.NotFound {
			err = replaced{missing(digest)}
		}
		if h != nil {
			taken = append(taken, h)
			files = append(files, h.File)
		}
		if err != nil {
			release()
			return nil, func() {}, err
		}
	}
	return files, release, nil
}

func missing(digest tallystick.Digest) error {
	return tallystick.Errorf(tallystick.Internal, "segment file %s is missing", digest).WithHint("run `tallystick fsck`; a backup may have it")
}

func (a *Archive) digests(ctx context.Context, model string, from, to time.Time) (digests []tallystick.Digest, err error) {
	first, last := int64(math.MinInt64), int64(math.MaxInt64)
	if !from.IsZero() {
		first = int64(prediction.TimeOf(from))
	}
	if !to.IsZero() {
		last = to.Add(-time.Microsecond).UnixMicro()
	}
	err = a.config.Workspace.DB.Read(ctx, func(tx *state.Tx) error {
		digests, err = state.Collect(tx, func(s state.Scanner) (tallystick.Digest, error) {
			var digest string
			err := s.Scan(&digest)
			return tallystick.Digest(digest), err
		}, "SELECT file_digest FROM prediction_segments WHERE model = ? AND last_us >= ? AND first_us <= ? AND removed = 0 GROUP BY file_digest ORDER BY min(event) "+state.Limit,
			model, first, last, MaxFiles+1)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look for the predictions of %s: %w", model, err)
	}
	if len(digests) > MaxFiles {
		return nil, tallystick.Errorf(tallystick.Unavailable, "the predictions of %s of that time are in more than %d files", model, MaxFiles).
			WithHint("ask about a shorter time; files of past days are joined in the background")
	}
	return digests, nil
}
