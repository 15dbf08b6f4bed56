package monitor

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
)

// NewestJudged returns the sequence of the newest event up to until by which a monitor judged a window, 0 if there is none.
func (o *Office) NewestJudged(ctx context.Context, name string, until uint64) (newest uint64, err error) {
	err = o.config.DB.Read(ctx, func(tx *state.Tx) error {
		return tx.QueryRow("SELECT coalesce(max(event), 0) FROM window_judgements WHERE monitor = ? AND event <= ?", name, bound(until)).Scan(&newest)
	})
	if err != nil {
		return 0, fmt.Errorf("judgements of %s: %w", name, err)
	}
	return newest, nil
}

// maxStanding bounds the windows of one answer: two days of minutes, eleven years of hours.
const maxStanding = 100_000

// JudgedBetween returns the windows ending from a moment on that a monitor judged by events after one sequence up to another.
func (o *Office) JudgedBetween(ctx context.Context, name string, from time.Time, after, until uint64) (all []Window, err error) {
	err = o.config.DB.Read(ctx, func(tx *state.Tx) error {
		all, err = state.Collect(tx, func(row state.Scanner) (w Window, err error) {
			var from, to int64
			err = row.Scan(&from, &to)
			w.From, w.To = instant(from), instant(to)
			return w, err
		}, "SELECT DISTINCT from_us, to_us FROM window_judgements WHERE monitor = ? AND to_us >= ? AND event > ? AND event <= ? ORDER BY to_us DESC "+state.Limit,
			name, from.UnixMicro(), int64(after), bound(until), maxStanding)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("judgements of %s: %w", name, err)
	}
	return all, nil
}

// Standing yields what events up to until say of the windows of a monitor that end from one moment until before another: of
// each its newest judgement.
func (o *Office) Standing(ctx context.Context, name string, from, to time.Time, until uint64) iter.Seq2[*WindowJudgement, error] {
	return func(yield func(*WindowJudgement, error) bool) {
		var digests []tallystick.Digest
		err := o.config.DB.Read(ctx, func(tx *state.Tx) (err error) {
			digests, err = state.Collect(tx, func(row state.Scanner) (d tallystick.Digest, err error) { return d, row.Scan(&d) },
				`SELECT digest FROM window_judgements j WHERE monitor = ? AND to_us >= ? AND to_us < ?
				AND event = (SELECT max(event) FROM window_judgements n WHERE n.monitor = j.monitor AND n.from_us = j.from_us AND n.event <= ?) ORDER BY to_us `+state.Limit,
				name, from.UnixMicro(), to.UnixMicro(), bound(until), maxStanding)
			return err
		})
		if err != nil {
			yield(nil, fmt.Errorf("judgements of %s: %w", name, err))
			return
		}
		for _, digest := range digests {
			data, err := o.config.Evidence.Get(ctx, digest)
			if err != nil {
				yield(nil, fmt.Errorf("judgement %s: %w", digest, err))
				return
			}
			j, err := ParseJudgement(data)
			if !yield(&j, err) || err != nil {
				return
			}
		}
	}
}
