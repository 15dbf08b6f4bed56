package body

import (
	"context"

	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/query"
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

// Measure counts for the predictions of a selection, by the values of columns, what was sent and what was kept.
func Measure(ctx context.Context, asker *query.Asker, s query.Selection, by []string) (c Coverage, err error) {
	sent, err := query.ParseCondition("body_rule != null")
	if err != nil {
		return c, err
	}
	kept, err := query.ParseCondition("body_rule != " + prediction.Dropped)
	if err != nil {
		return c, err
	}
	q := query.Figures{Selection: s, Rates: []query.Condition{sent, kept}, Groups: 1}
	all, err := asker.Aggregate(ctx, q)
	if err != nil {
		return c, err
	}
	for _, g := range all.Groups {
		c.Covered = covered(g)
	}
	c.Strata = []CoveredStratum{}
	if len(by) == 0 {
		return c, nil
	}
	q.By, q.Groups = by, maxStrata
	if all, err = asker.Aggregate(ctx, q); err != nil {
		return c, err
	}
	for _, g := range all.Groups {
		c.Strata = append(c.Strata, CoveredStratum{Key: g.Key, Covered: covered(g)})
	}
	c.More, c.Untold = all.More, all.Ungrouped
	return c, nil
}

func covered(g query.FiguredGroup) Covered {
	c := Covered{Predictions: g.Count, Sent: g.Rates[0].Count, Kept: g.Rates[1].Count}
	if c.Sent > 0 {
		e := stat.Proportion{K: c.Kept, N: c.Sent}.Estimate()
		c.Share, c.Low, c.High, c.All = &e.Value, &e.Interval.Low, &e.Interval.High, c.Kept == c.Sent
	}
	return c
}
