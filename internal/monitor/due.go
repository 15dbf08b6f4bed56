package monitor

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// maxCatchUp bounds the windows of one monitor that one Run judges; the next goes on from there.
const maxCatchUp = 60

// watched is a monitor in force.
type watched struct {
	Monitor
	doc *Document
}

// Run judges the windows that are due and were not judged: of each monitor the oldest first and always the newest, so that
// who catches up after a rest tells of the present too; and it judges again those of which more came on record. It says
// how many it judged, and how many wait. What fails of one monitor does not keep the others back.
func (o *Office) Run(ctx context.Context) (outcome string, err error) {
	all, err := o.Monitors(ctx, "")
	if err != nil {
		return "", err
	}
	var faults []error
	var inForce []watched
	for _, m := range all {
		if m.Removed {
			continue
		}
		doc, err := o.document(ctx, m)
		if err != nil {
			faults = append(faults, fmt.Errorf("monitor %s: %w", m.Name, err))
			continue
		}
		inForce = append(inForce, watched{m, doc})
	}
	if err := o.countAll(ctx, inForce); err != nil {
		faults = append(faults, err)
	}
	judged, waiting, anew, labelled := 0, int64(0), 0, 0
	for _, w := range inForce {
		n, left, err := o.runDue(ctx, w.Monitor, w.doc)
		judged, waiting = judged+n, waiting+left
		if err == nil {
			n, err = o.runAgain(ctx, w.Monitor, w.doc)
			anew += n
			if err == nil {
				var still int64
				n, still, err = o.runAwaited(ctx, w.Monitor, w.doc)
				labelled, waiting = labelled+n, waiting+still
			}
		}
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("monitor %s: %w", w.Name, err))
		}
	}
	if judged > 0 || waiting > 0 {
		outcome = fmt.Sprintf("judged %d windows; %d wait", judged, waiting)
	}
	if anew > 0 {
		if outcome != "" {
			outcome += "; "
		}
		outcome += fmt.Sprintf("judged %d again, of which more predictions came on record", anew)
	}
	if labelled > 0 {
		if outcome != "" {
			outcome += "; "
		}
		outcome += fmt.Sprintf("judged %d again, of which labels should be there", labelled)
	}
	return outcome, errors.Join(faults...)
}

// runDue judges what is due of one monitor, and returns how many windows it judged and how many still wait.
func (o *Office) runDue(ctx context.Context, m Monitor, doc *Document) (judged int, left int64, err error) {
	from := m.Applied
	if !doc.From.IsZero() {
		from = doc.From
	}
	first, end := doc.WindowAt(from).From, doc.WindowAt(o.config.Now().Add(-doc.Delay-settle)).From // of the first window that is not due
	if !first.Before(end) {
		return 0, 0, nil
	}
	newest := doc.WindowAt(end.Add(-time.Nanosecond))
	at := first
	for judged < maxCatchUp && at.Before(end) {
		if at, err = o.unjudged(ctx, doc, at); err != nil || !at.Before(end) {
			break
		}
		w := doc.WindowAt(at)
		if err = o.record(ctx, doc, w); err != nil {
			break
		}
		judged++
		at = w.To
	}
	// Of months about so many.
	if left = max(0, int64((end.Sub(at)+doc.Width-1)/doc.Width)); err != nil || left == 0 {
		return judged, left, err
	}
	next, err := o.unjudged(ctx, doc, newest.From)
	if err != nil || !next.Equal(newest.From) {
		return judged, left, err
	}
	return judged + 1, left - 1, o.record(ctx, doc, newest)
}

// unjudged returns the beginning of the first window from a moment on that was not judged.
func (o *Office) unjudged(ctx context.Context, d *Document, from time.Time) (time.Time, error) {
	var next sql.NullInt64
	err := o.config.DB.Read(ctx, func(tx *state.Tx) error {
		var is bool
		err := tx.QueryRow("SELECT EXISTS (SELECT 1 FROM window_judgements WHERE monitor = ? AND from_us = ?)", d.Name, from.UnixMicro()).Scan(&is)
		if err != nil || !is {
			return err
		}
		return tx.QueryRow(`SELECT j.to_us FROM window_judgements j WHERE j.monitor = ? AND j.from_us >= ? AND j.to_us - j.from_us BETWEEN ? AND ?
			AND NOT EXISTS (SELECT 1 FROM window_judgements n WHERE n.monitor = j.monitor AND n.from_us = j.to_us) ORDER BY j.from_us LIMIT 1`,
			d.Name, from.UnixMicro(), d.narrowest().Microseconds(), d.Width.Microseconds()).Scan(&next)
	})
	if err != nil {
		return from, fmt.Errorf("look which windows of %s were judged: %w", d.Name, err)
	}
	if !next.Valid {
		return from, nil
	}
	return instant(next.Int64), nil
}

// record judges a window and puts the judgement on record.
func (o *Office) record(ctx context.Context, doc *Document, w Window) error {
	j, err := o.judge(ctx, doc, w, 0, time.Time{})
	if err != nil {
		return err
	}
	return o.keep(ctx, j)
}

// keep puts a judgement on record.
func (o *Office) keep(ctx context.Context, j *WindowJudgement) error {
	change, err := o.Keep(ctx, j)
	if err != nil {
		return err
	}
	return o.config.DB.Write(ctx, func(tx *state.Tx) error {
		proposed, err := o.ProposeJudged(tx, change)
		if err != nil || proposed == nil {
			return err
		}
		_, err = o.config.Recorder.Commit(tx, trail.Act{Actor: o.config.Actor}, proposed)
		return err
	})
}
