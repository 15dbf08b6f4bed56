package objective

import (
	"context"
	"math"
	"slices"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/query"
	"github.com/tallystick/tallystick/internal/window"
)

// referred returns what counts predictions against the reference that is pinned for the model, or for the version that the
// document names. Without one nothing is valid, and so nothing passes.
func (o *Office) referred(ctx context.Context, d *Document, until uint64) (source, tallystick.Digest, error) {
	pinned, err := o.config.Monitors.References(ctx, d.Model)
	if err != nil {
		return nil, "", err
	}
	var digest tallystick.Digest
	own := ""
	if d.Version != champion {
		own = d.Version
	}
	for _, version := range slices.Compact([]string{own, ""}) {
		for _, p := range pinned { // the newest first
			if digest == "" && p.Version == version && (until == 0 || p.Event <= until) {
				digest = p.Digest
			}
		}
	}
	if digest == "" {
		return &records{o, d, nil, func(*query.Block, int) (good, valid bool) { return false, false }}, "", nil
	}
	reference, _, err := o.config.Monitors.Reference(ctx, digest)
	if err != nil {
		return nil, "", err
	}
	var columns []string
	var bounds []bounded
	for _, f := range reference.Features {
		if f.Role == window.RoleFeature {
			columns, bounds = append(columns, "f_"+f.Name), append(bounds, newBounded(f, d.Indicator == "in_domain"))
		}
	}
	return &records{o, d, columns, func(b *query.Block, k int) (good, valid bool) {
		for i := range bounds {
			if !bounds[i].accepts(b, first+i, k) {
				return false, true
			}
		}
		return true, true
	}}, digest, nil
}

// bounded is what a feature may be.
type bounded struct {
	domain    bool // the value itself is held against the reference, not its kind alone
	number    bool
	optional  bool // the reference has rows without it
	low, high float64
	known     map[string]bool // nil: not every value of the reference is known by name
}

func newBounded(f window.Feature, domain bool) bounded {
	b := bounded{domain: domain, number: f.Kind == window.KindNumber, optional: f.Missing > 0}
	if b.number {
		edges := f.Number.Edges
		b.low, b.high = math.Inf(-1), edges[len(edges)-1]
		if f.Number.Counts[0] == 0 { // nothing of the reference lies below the first edge, which is next below its least value
			b.low = edges[0]
		}
		return b
	}
	if f.Category.Other == 0 {
		b.known = make(map[string]bool, len(f.Category.Values))
		for _, v := range f.Category.Values {
			b.known[v] = true
		}
	}
	return b
}

// accepts reports whether a row has what the reference leads to expect.
func (b *bounded) accepts(block *query.Block, column, k int) bool {
	v := block.Value(column, k)
	if v.IsNull() {
		return b.optional || b.domain // that it is missing says nothing about the domain
	}
	if b.number {
		x, is := block.Number(column, k)
		if !is || x-x != 0 {
			return false
		}
		return !b.domain || x > b.low && x <= b.high
	}
	if !b.domain || b.known == nil {
		return true
	}
	if text, is := block.Text(column, k); is {
		return b.known[window.ValueName(string(text))]
	}
	return b.known[window.ValueName(v.String())]
}
