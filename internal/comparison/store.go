package comparison

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/revision"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// Comparison is a comparison on record.
type Comparison struct {
	Name     string            `json:"name"`
	Model    string            `json:"model"`
	Document tallystick.Digest `json:"document_digest" doc:"of the comparison as it was written"`
	Removed  bool              `json:"removed,omitempty" doc:"versions are not compared so any more"`
	Applied  time.Time         `json:"applied" doc:"when it was written so, or removed"`
	Event    uint64            `json:"event" doc:"sequence of the event"`
}

// maxListed bounds what one answer lists.
const maxListed = 1000

// PrepareApply reads and keeps a comparison, and returns the change that applies it.
func (o *Office) PrepareApply(ctx context.Context, name string, source []byte) (*Applied, error) {
	doc, err := Parse(source, "comparison")
	if err != nil {
		return nil, err
	}
	if doc.Name != name {
		return nil, tallystick.Errorf(tallystick.Invalid, "the comparison is called %s, not %s", doc.Name, name)
	}
	digest, err := o.config.Evidence.Put(ctx, source)
	return &Applied{doc.Name, doc.Model, digest}, err
}

// ProposeApply returns the change, nil if the comparison is so already.
func (o *Office) ProposeApply(tx *state.Tx, a *Applied) (trail.Change, error) {
	if _, err := o.config.Catalog.ModelIn(tx, a.Model); err != nil {
		return nil, err
	}
	if is, err := kept.Is(tx, a.Comparison, a.Document); err != nil || is {
		return nil, err
	}
	return a, nil
}

// ProposeRemove returns the change by which versions are not compared so any more, nil if they are not now.
func (o *Office) ProposeRemove(tx *state.Tx, name string) (trail.Change, error) {
	is, err := kept.At(tx, name, 0)
	if err != nil || is.Removed {
		return nil, err
	}
	return &Removed{is.Name, is.Model}, nil
}

// kept are the comparisons on record.
var kept = revision.Kind{Noun: "comparison", Table: "comparison_revisions", About: []string{"model"}}

func comparisonOf(r revision.Revision) Comparison {
	return Comparison{r.Name, r.Model, r.Document, r.Removed, r.Applied, r.Event}
}

// Comparisons returns the comparisons of a model, or of all, by name, those that were removed too.
func (o *Office) Comparisons(ctx context.Context, model string) (all []Comparison, err error) {
	err = o.config.DB.Read(ctx, func(tx *state.Tx) error {
		found, err := kept.List(tx, model, maxListed)
		for _, r := range found {
			all = append(all, comparisonOf(r))
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list comparisons: %w", err)
	}
	return all, nil
}

// Comparison returns a comparison with its document, which is nil if it was removed.
func (o *Office) Comparison(ctx context.Context, name string) (Comparison, *Document, error) {
	return o.comparisonAt(ctx, name, 0)
}

func (o *Office) comparisonAt(ctx context.Context, name string, until uint64) (c Comparison, doc *Document, err error) {
	err = o.config.DB.Read(ctx, func(tx *state.Tx) error {
		r, err := kept.At(tx, name, until)
		c = comparisonOf(r)
		return err
	})
	if err != nil || c.Removed {
		return c, nil, err
	}
	source, err := o.config.Evidence.Get(ctx, c.Document)
	if err != nil {
		return c, nil, fmt.Errorf("comparison %s: %w", name, err)
	}
	doc, err = Parse(source, name)
	return c, doc, err
}

// Keep stores a judgement and returns the change that puts it on record.
func (o *Office) Keep(ctx context.Context, j *VersionsJudgement) (*Judged, error) {
	data, err := j.Marshal()
	if err != nil {
		return nil, err
	}
	digest, err := o.config.Evidence.Put(ctx, data)
	if err == nil {
		_, err = o.config.Evidence.Put(ctx, j.source) // a comparison that was not applied is known by its judgements alone
	}
	return &Judged{
		Comparison: j.Comparison, Model: j.Model, Version: j.New, Against: j.Old, Environment: j.Environment, From: moment(j.From), To: moment(j.To),
		Known: max(j.Known.Event, j.Known.Labels), Judgement: digest, Verdict: j.Verdict, Predictions: j.Traffic.New.Predictions + j.Traffic.Old.Predictions,
	}, err
}

// ProposeJudged returns the change, nil if the newest judgement of those versions is this one already.
func (o *Office) ProposeJudged(tx *state.Tx, c *Judged) (trail.Change, error) {
	var digest string
	err := tx.QueryRow("SELECT digest FROM comparison_judgements WHERE comparison = ? AND model = ? AND new_version = ? AND old_version = ? ORDER BY event DESC LIMIT 1",
		c.Comparison, c.Model, c.Version, c.Against).Scan(&digest)
	switch {
	case err == nil && digest == string(c.Judgement):
		return nil, nil
	case err != nil && !errors.Is(err, sql.ErrNoRows):
		return nil, fmt.Errorf("judgements of %s: %w", c.Comparison, err)
	}
	return c, nil
}

// JudgedVersions is a judgement on record, without its rows.
type JudgedVersions struct {
	Comparison  string            `json:"comparison"`
	Model       string            `json:"model"`
	New         string            `json:"new"`
	Old         string            `json:"old"`
	Environment string            `json:"environment,omitempty"`
	From        time.Time         `json:"from,omitzero"`
	To          time.Time         `json:"to,omitzero"`
	Verdict     Verdict           `json:"verdict" enum:"promote,hold,rollback,inconclusive"`
	Predictions int64             `json:"predictions"`
	Judgement   tallystick.Digest `json:"judgement_digest" doc:"of the whole, with a row for every metric"`
	Judged      time.Time         `json:"judged"`
	Event       uint64            `json:"event" doc:"sequence of the event"`
}

// Filter chooses judgements. Zero fields choose all.
type Filter struct {
	Comparison, Model, Version string
	Verdict                    Verdict
	Before                     uint64
	Limit                      int // 0 means 100; at most 1,000
}

// Judged returns judgements, what was judged last first.
func (o *Office) Judged(ctx context.Context, f Filter) (all []JudgedVersions, err error) {
	conditions, args := []string{"1 = 1"}, []any{}
	add := func(use bool, condition string, values ...any) {
		if use {
			conditions, args = append(conditions, condition), append(args, values...)
		}
	}
	add(f.Comparison != "", "comparison = ?", f.Comparison)
	add(f.Model != "", "model = ?", f.Model)
	add(f.Version != "", "(new_version = ? OR old_version = ?)", f.Version, f.Version)
	add(f.Verdict != "", "verdict = ?", string(f.Verdict))
	add(f.Before > 0, "event < ?", int64(f.Before))
	limit := min(f.Limit, maxListed)
	if f.Limit <= 0 {
		limit = 100
	}
	err = o.config.DB.Read(ctx, func(tx *state.Tx) error {
		all, err = state.Collect(tx, func(row state.Scanner) (v JudgedVersions, err error) {
			var from, to, judged int64
			err = row.Scan(&v.Event, &v.Comparison, &v.Model, &v.New, &v.Old, &v.Environment, &from, &to, &v.Judgement, &v.Verdict, &v.Predictions, &judged)
			v.From, v.To, v.Judged = instant(from), instant(to), time.UnixMilli(judged).UTC()
			return v, err
		}, "SELECT event, comparison, model, new_version, old_version, environment, from_us, to_us, digest, verdict, predictions, judged_ms FROM comparison_judgements WHERE "+
			strings.Join(conditions, " AND ")+" ORDER BY event DESC "+state.Limit, append(args, limit)...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list judgements of comparisons: %w", err)
	}
	return all, nil
}

// Judgement returns a judgement on record.
func (o *Office) Judgement(ctx context.Context, digest tallystick.Digest) (j VersionsJudgement, err error) {
	err = o.config.DB.Read(ctx, func(tx *state.Tx) error {
		var one int
		return tx.QueryRow("SELECT 1 FROM comparison_judgements WHERE digest = ? LIMIT 1", string(digest)).Scan(&one)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return j, tallystick.Errorf(tallystick.NotFound, "there is no judgement %s of a comparison", digest).WithHint("`tallystick comparison judgements` has those that there are")
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
