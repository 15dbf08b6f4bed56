package catalog

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
)

// ModelFilter chooses models. Zero fields choose all.
type ModelFilter struct {
	State ModelState
	Tier  tallystick.Tier
	Owner string
	Text  string // words that those of name, summary or purpose begin with, whatever the case
	Label string // "name=value"
	// EvaluatedBefore chooses models of which the latest version was not evaluated since, or never.
	EvaluatedBefore time.Time
	Order           ModelOrder // empty: ByName
	Descending      bool
	After           string // name of the last model of the page before
	Limit           int    // 0 means 100; at most 1,000

	common int // for tests: instead of commonWord
}

// ModelOrder is an order of models, each with an index; those that are alike are in the order of names.
type ModelOrder string

// The orders of models.
const (
	ByName  ModelOrder = "name"
	ByTier  ModelOrder = "tier" // high, limited, low, as it happens in the order of letters
	ByOwner ModelOrder = "owner"
)

// ordered returns the ORDER BY of the models that f chooses, and lets w begin behind those of the page before.
func (f ModelFilter) ordered(tx *state.Tx, w *where) (string, error) {
	behind, way := ">", ""
	if f.Descending {
		behind, way = "<", " DESC"
	}
	if f.Order == "" || f.Order == ByName {
		w.add(f.After != "", "name "+behind+" ?", f.After)
		return "name" + way, nil
	}
	if f.Order != ByTier && f.Order != ByOwner {
		return "", tallystick.Errorf(tallystick.Invalid, "models have no order %q", f.Order).WithHint("use name, tier or owner")
	}
	column := string(f.Order)
	if f.After != "" {
		m, err := model(tx, f.After)
		if err != nil {
			return "", err
		}
		key := map[ModelOrder]string{ByTier: string(m.Tier), ByOwner: m.Owner}[f.Order]
		w.add(true, "("+column+", name) "+behind+" (?, ?)", key, m.Name)
	}
	return column + way + ", name" + way, nil
}

// Models returns the models that f chooses, in its order.
func (c *Catalog) Models(ctx context.Context, f ModelFilter) (models []Model, err error) {
	var w where
	w.add(f.State != "", "state = ?", string(f.State))
	w.add(f.State != "" && f.State != Active, "state <> 'active'") // follows, and leads to the index of the few
	w.add(f.Tier != "", "tier = ?", string(f.Tier))
	w.add(f.Owner != "", "owner = ?", f.Owner)
	w.add(!f.EvaluatedBefore.IsZero(), "evaluated_ms < ?", f.EvaluatedBefore.UnixMilli())
	words := soughtIn(f.Text)
	w.add(f.Text != "" && len(words) == 0, "1 = 0") // nothing that a word could begin with
	if f.Label != "" {
		name, value, named := strings.Cut(f.Label, "=")
		if !named {
			return nil, tallystick.Errorf(tallystick.Invalid, "label %q has no value", f.Label).WithHint("write it as name=value")
		}
		words = append(words, sought{"word = ?", []any{labelWord(name, value)}})
	}
	if len(words) > 0 {
		if err := c.prepareWords(ctx); err != nil {
			return nil, err
		}
	}
	err = c.db.Read(ctx, func(tx *state.Tx) error {
		if err := w.words(tx, words, cmp.Or(f.common, commonWord)); err != nil {
			return err
		}
		order, err := f.ordered(tx, &w)
		if err != nil {
			return err
		}
		models, err = state.Collect(tx, scanModel, "SELECT "+modelColumns+" FROM models WHERE "+w.String()+" ORDER BY "+order+" "+state.Limit, append(w.args, limit(f.Limit))...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("models: %w", err)
	}
	return models, nil
}

// Priority returns the models that should be audited first: by tier, then by how far their outputs reach, then
// by how long ago their latest version was evaluated, never counting as longest. after names the last
// model of the page before, and size is as Limit in ModelFilter. Experiments and retired models come last.
func (c *Catalog) Priority(ctx context.Context, after string, size int) (models []Model, err error) {
	err = c.db.Read(ctx, func(tx *state.Tx) error {
		var w where
		if after != "" {
			m, err := model(tx, after)
			if err != nil {
				return err
			}
			w.add(true, "(urgency, evaluated_ms, name) > (?, ?, ?)", m.urgency, millis(m.Evaluated), m.Name)
		}
		models, err = state.Collect(tx, scanModel, "SELECT "+modelColumns+" FROM models WHERE "+w.String()+" ORDER BY urgency, evaluated_ms, name "+state.Limit, append(w.args, limit(size))...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("priority: %w", err)
	}
	return models, nil
}
