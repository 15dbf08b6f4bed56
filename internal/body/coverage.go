package body

import (
	"context"
	"slices"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/query"
	"github.com/tallystick/tallystick/internal/selection"
	"github.com/tallystick/tallystick/internal/stat"
)

// Coverage says which share of the bodies that were sent was kept, as the records tell it.
type Coverage struct {
	Covered
	Strata []CoveredStratum `json:"strata" doc:"those with most predictions first; empty if none were asked for"`
	More   int              `json:"more_strata,omitempty" doc:"strata that are not told; at least so many if untold is not 0"`
	Untold int64            `json:"untold,omitempty" doc:"predictions of strata that came after the ten thousandth, which are in the totals alone"`
}

// Covered counts predictions, the bodies that were sent with them, and those that were kept.
type Covered struct {
	Predictions int64    `json:"predictions" doc:"erased ones are not among them"`
	Sent        int64    `json:"sent" doc:"of them, those with which a body was sent"`
	Kept        int64    `json:"kept" doc:"of these, those whose bodies a rule kept"`
	Share       *float64 `json:"share" doc:"of those that were sent; null if none was"`
	Low         *float64 `json:"low" doc:"of the 95 % Wilson interval"`
	High        *float64 `json:"high"`
	All         bool     `json:"all" doc:"every body that was sent was kept, and some were"`
}

// CoveredStratum is one combination of values of the columns by which records are told apart.
type CoveredStratum struct {
	Key []any `json:"key" doc:"number, text, boolean or null for each column"`
	Covered
}

// maxStrata bounds the strata that are told.
const maxStrata = 1000

// Question says of which predictions is counted what was sent and what was kept, and by which columns. The tier is
// that of the model: no record has it, so all of them are of the one that the model has now.
type Question struct {
	query.Selection
	By   []string
	Tier tallystick.Tier
}

// Measure counts for the predictions of a selection, by the values of columns, what was sent and what was kept.
func Measure(ctx context.Context, asker *query.Asker, of Question) (c Coverage, err error) {
	sent, err := query.ParseCondition("body_rule != null")
	if err != nil {
		return c, err
	}
	kept, err := query.ParseCondition("body_rule != " + prediction.Dropped)
	if err != nil {
		return c, err
	}
	q := query.Figures{Selection: of.Selection, Rates: []query.Condition{sent, kept}, Groups: 1}
	all, err := asker.Aggregate(ctx, q)
	if err != nil {
		return c, err
	}
	for _, g := range all.Groups {
		c.Covered = covered(g)
	}
	c.Strata = []CoveredStratum{}
	if len(of.By) == 0 {
		return c, nil
	}
	tier := slices.Index(of.By, selection.Tier)
	q.By, q.Groups = slices.Clone(of.By), maxStrata
	if tier >= 0 {
		q.By = slices.Delete(q.By, tier, tier+1)
	}
	if all, err = asker.Aggregate(ctx, q); err != nil {
		return c, err
	}
	for _, g := range all.Groups {
		key := g.Key
		if tier >= 0 {
			key = slices.Insert(slices.Clone(key), tier, of.tier())
		}
		c.Strata = append(c.Strata, CoveredStratum{Key: key, Covered: covered(g)})
	}
	c.More, c.Untold = all.More, all.Ungrouped
	return c, nil
}

// tier is as a key has it.
func (q *Question) tier() any {
	if q.Tier == "" {
		return nil
	}
	return string(q.Tier)
}

func covered(g query.FiguredGroup) Covered {
	c := Covered{Predictions: g.Count, Sent: g.Rates[0].Count, Kept: g.Rates[1].Count}
	if c.Sent > 0 {
		e := stat.Proportion{K: c.Kept, N: c.Sent}.Estimate()
		c.Share, c.Low, c.High, c.All = &e.Value, &e.Interval.Low, &e.Interval.High, c.Kept == c.Sent
	}
	return c
}
