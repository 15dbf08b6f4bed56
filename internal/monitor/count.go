package monitor

import (
	"context"
	"errors"
	"fmt"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/rollup"
)

// countAll counts what came on record into tallies, by the references and checks of the monitors in force. What fails of
// one model does not keep the others back, and no judgement: it counts records then.
func (o *Office) countAll(ctx context.Context, watched []watched) error {
	type of struct {
		model     string
		reference tallystick.Digest
	}
	all, order := map[of][]*rollup.Rules{}, []of{}
	var faults []error
	for _, w := range watched {
		rules, err := o.counted(ctx, w.doc)
		if rules == nil || err != nil {
			faults = append(faults, err)
			continue
		}
		k := of{model: w.doc.Model}
		if rules.Reference != nil {
			k.reference = rules.Reference.Digest()
		}
		if n := len(all[k]); n == 0 {
			all[k], order = []*rollup.Rules{rules}, append(order, k)
		} else if !all[k][n-1].Add(rules) {
			all[k] = append(all[k], rules)
		}
	}
	for _, k := range order {
		for _, rules := range all[k] {
			if _, err := o.tallies.Count(ctx, k.model, rules); err != nil {
				faults = append(faults, err)
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
		}
	}
	return errors.Join(append(faults, o.tallies.Expire(ctx))...)
}

// counted returns what is counted for a monitor now, nil if it watches a champion and there is none.
func (o *Office) counted(ctx context.Context, d *Document) (*rollup.Rules, error) {
	version, err := o.versionOf(ctx, d, windowAt(o.config.Now(), minWidth))
	if tallystick.CodeOf(err) == tallystick.NotFound {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("monitor %s: %w", d.Name, err)
	}
	reference, err := o.referenceOf(ctx, d, version, 0)
	if err != nil {
		return nil, fmt.Errorf("monitor %s: %w", d.Name, err)
	}
	return d.Checks.rules(reference), nil
}
