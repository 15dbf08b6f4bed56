package monitor

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
	"github.com/tallystick/tallystick/internal/window"
)

// Judge judges the window that a moment is in, as it was known at asOf; zero means now. The monitor and the reference are
// those that were in force then, and only what was on record then counts, but for predictions that were erased since.
func (o *Office) Judge(ctx context.Context, name string, at, asOf time.Time) (*WindowJudgement, error) {
	until := uint64(0)
	if !asOf.IsZero() {
		var err error
		if until, err = o.config.Trail.NewestAt(ctx, asOf); err != nil {
			return nil, err
		}
		if until == 0 {
			return nil, tallystick.Errorf(tallystick.Invalid, "nothing was on record on %s", stamp(asOf))
		}
	}
	_, doc, err := o.monitorAt(ctx, name, until)
	if err != nil {
		return nil, err
	}
	if doc == nil {
		return nil, tallystick.Errorf(tallystick.Conflict, "the monitor %s was removed", name).WithHint("apply it again, or name a moment at which it was in force")
	}
	w := doc.WindowAt(at)
	if now := o.config.Now(); w.To.After(now) {
		return nil, tallystick.Errorf(tallystick.Invalid, "the window %s has not ended", w)
	}
	j, err := o.judge(ctx, doc, w, until, asOf)
	if err == nil && j.removed {
		return nil, tallystick.Errorf(tallystick.Conflict, "predictions of %s from %s are not kept any more", doc.Model, w).WithHint("what was judged of them stays: `tallystick monitor judgements %s`", name)
	}
	return j, err
}

// judge judges a window of a monitor by what events up to until put on record.
func (o *Office) judge(ctx context.Context, doc *Document, w Window, until uint64, asOf time.Time) (*WindowJudgement, error) {
	version, err := o.versionOf(ctx, doc, w)
	if tallystick.CodeOf(err) == tallystick.NotFound {
		return doc.Judge(w, "", &Seen{Unserved: true}), nil
	}
	if err != nil {
		return nil, err
	}
	reference, err := o.referenceOf(ctx, doc, version, until)
	if err != nil {
		return nil, err
	}
	seen, err := o.look(ctx, doc, w, version, reference, until, asOf)
	if err != nil {
		return nil, err
	}
	return doc.Judge(w, version, seen), nil
}

// referenceOf returns the reference of a monitor, nil if none is pinned.
func (o *Office) referenceOf(ctx context.Context, d *Document, version string, until uint64) (*window.Reference, error) {
	digest := d.Reference
	if digest == "" {
		err := o.config.DB.Read(ctx, func(tx *state.Tx) error {
			is, err := newestReference(tx, d.Model, version, until)
			digest = is.Digest
			return err
		})
		if tallystick.CodeOf(err) == tallystick.NotFound {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
	}
	return o.reference(ctx, digest)
}

// Keep stores a judgement and returns the change that puts it on record.
func (o *Office) Keep(ctx context.Context, j *WindowJudgement) (*Judged, error) {
	data, err := j.Marshal()
	if err != nil {
		return nil, err
	}
	digest, err := o.config.Evidence.Put(ctx, data)
	return &Judged{
		Monitor: j.Monitor, Model: j.Model, Version: j.Version, From: stamp(j.From), To: stamp(j.To), Known: j.Known.Event, Judgement: digest,
		Verdict: j.Verdict, Predictions: j.Predictions, Backfilled: j.Backfilled, Labelled: j.Labelled, Wrong: j.Wrong, Awaits: stamp(j.Awaits),
	}, err
}

// ProposeJudged returns the change, nil if the newest judgement of the window is this one already.
func (o *Office) ProposeJudged(tx *state.Tx, c *Judged) (trail.Change, error) {
	from, err := micro(c.From)
	if err != nil {
		return nil, err
	}
	var digest string
	err = tx.QueryRow("SELECT digest FROM window_judgements WHERE monitor = ? AND from_us = ? ORDER BY event DESC LIMIT 1", c.Monitor, from).Scan(&digest)
	switch {
	case err == nil && digest == string(c.Judgement):
		return nil, nil
	case err != nil && !errors.Is(err, sql.ErrNoRows):
		return nil, fmt.Errorf("judgements of %s: %w", c.Monitor, err)
	}
	return c, nil
}

// JudgedWindow is a judgement on record, without its rows.
type JudgedWindow struct {
	Monitor     string             `json:"monitor"`
	Model       string             `json:"model"`
	Version     string             `json:"version,omitempty"`
	From        time.Time          `json:"from"`
	To          time.Time          `json:"to"`
	Verdict     tallystick.Verdict `json:"verdict" enum:"pass,warn,inconclusive,insufficient,fail"`
	Predictions int64              `json:"predictions"`
	Backfilled  int64              `json:"backfilled" doc:"predictions that came on record after the window was due"`
	Labelled    int64              `json:"labelled,omitempty" doc:"predictions with an output and a label, once labels are there"`
	Wrong       int64              `json:"wrong,omitempty" doc:"of those, predictions whose output was wrong"`
	Awaits      time.Time          `json:"awaits,omitzero" doc:"when the window is judged again, because labels should be there then"`
	Known       uint64             `json:"known_event" doc:"newest event by which predictions of that time came on record"`
	Judgement   tallystick.Digest  `json:"judgement_digest" doc:"of the whole, with a row for every check"`
	Judged      time.Time          `json:"judged"`
	Event       uint64             `json:"event" doc:"sequence of the event"`
}

// JudgedFilter chooses judgements. Zero fields choose all.
type JudgedFilter struct {
	Monitor, Model string
	From, To       time.Time // windows that begin from one until before the other
	Verdict        tallystick.Verdict
	All            bool // those too that another has taken the place of
	ByWindow       bool // the windows that begin last first, instead of what was judged last
	Before         uint64
	Limit          int // 0 means 100; at most 1,000
}

const judgedColumns = "event, monitor, model, version, from_us, to_us, known_event, digest, verdict, predictions, backfilled, labelled, wrong, awaits_us, judged_ms"

func scanJudged(row state.Scanner) (v JudgedWindow, err error) {
	var from, to, awaits, judged int64
	err = row.Scan(&v.Event, &v.Monitor, &v.Model, &v.Version, &from, &to, &v.Known, &v.Judgement, &v.Verdict, &v.Predictions, &v.Backfilled, &v.Labelled, &v.Wrong, &awaits, &judged)
	v.From, v.To, v.Awaits, v.Judged = time.UnixMicro(from).UTC(), time.UnixMicro(to).UTC(), instant(awaits), time.UnixMilli(judged).UTC()
	return v, err
}

// Judged returns judgements, what was judged last first unless the filter says otherwise.
func (o *Office) Judged(ctx context.Context, f JudgedFilter) (all []JudgedWindow, err error) {
	conditions, args := []string{"1 = 1"}, []any{}
	add := func(use bool, condition string, arg any) {
		if use {
			conditions, args = append(conditions, condition), append(args, arg)
		}
	}
	add(f.Monitor != "", "monitor = ?", f.Monitor)
	add(f.Model != "", "model = ?", f.Model)
	add(!f.From.IsZero(), "from_us >= ?", f.From.UnixMicro())
	add(!f.To.IsZero(), "from_us < ?", f.To.UnixMicro())
	add(f.Verdict != "", "verdict = ?", string(f.Verdict))
	add(f.Before > 0, "event < ?", int64(f.Before))
	if !f.All {
		conditions = append(conditions, "event = (SELECT max(event) FROM window_judgements n WHERE n.monitor = j.monitor AND n.from_us = j.from_us)")
	}
	order := "event DESC"
	if f.ByWindow {
		order = "from_us DESC, event DESC"
	}
	limit := min(f.Limit, maxListed)
	if f.Limit <= 0 {
		limit = 100
	}
	err = o.config.DB.Read(ctx, func(tx *state.Tx) error {
		all, err = state.Collect(tx, scanJudged, "SELECT "+judgedColumns+" FROM window_judgements j WHERE "+strings.Join(conditions, " AND ")+" ORDER BY "+order+" "+state.Limit, append(args, limit)...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list judgements: %w", err)
	}
	return all, nil
}

// Judgement returns a judgement on record.
func (o *Office) Judgement(ctx context.Context, digest tallystick.Digest) (j WindowJudgement, err error) {
	err = o.config.DB.Read(ctx, func(tx *state.Tx) error {
		var one int
		return tx.QueryRow("SELECT 1 FROM window_judgements WHERE digest = ? LIMIT 1", string(digest)).Scan(&one)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return j, tallystick.Errorf(tallystick.NotFound, "there is no judgement %s", digest).WithHint("`tallystick monitor judgements` has those that there are")
	}
	if err != nil {
		return j, fmt.Errorf("judgement %s: %w", digest, err)
	}
	data, err := o.config.Evidence.Get(ctx, digest)
	if err != nil {
		return j, fmt.Errorf("judgement %s: %w", digest, err)
	}
	return ParseJudgement(data)
}
