package audit

import (
	"context"
	"fmt"
	"slices"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/table"
)

// minRowsForOrder is the number of rows from which sorted values are taken for a counter.
const minRowsForOrder = 100

// settleFeatures decides which columns are features: those named, or all that have no other role
// and are not in truth identifiers, counters or times. Columns that are left apart are still
// checked for quality.
func (p *plan) settleFeatures(ctx context.Context, cfg Config, in inputs) error {
	if len(cfg.Features) > 0 {
		for _, name := range cfg.Features {
			if p.taken(name) {
				return tallystick.Errorf(tallystick.Invalid, "--features names %q, which has another role", name)
			}
			c, err := in.data.Column(name)
			if err != nil {
				return err
			}
			if c.Kind == table.Time || c.Kind == table.Text {
				return tallystick.Errorf(tallystick.Invalid, "--features names %q, whose values are %s", name, c.Kind).
					WithHint("features are numbers or categories")
			}
		}
		p.Features = cfg.Features
		return nil
	}
	var counters []string
	for _, c := range in.data.Columns() {
		switch {
		case p.taken(c.Name):
		case c.Kind == table.Time:
			p.apart[c.Name] = "it holds times"
		case c.Kind == table.Text:
			p.apart[c.Name] = "it holds text with too many different values"
		case c.Kind == table.Number && c.Integer && in.data.Rows() >= minRowsForOrder:
			why, err := counter(ctx, in, c.Name)
			if err != nil {
				return err
			}
			if why != "" {
				p.apart[c.Name] = why
				counters = append(counters, c.Name)
				continue
			}
			p.Features = append(p.Features, c.Name)
		default:
			p.Features = append(p.Features, c.Name)
		}
	}
	if len(counters) > 0 {
		p.guess("not features, because they run with the rows like a counter or a date: %s (name the features with --features)", quoted(counters, 10))
	}
	return nil
}

// counter says why a column of integers is a counter, an identifier or a date in disguise, or
// returns the empty string: it rises from row to row, or it never falls and carries on where the
// reference ended.
func counter(ctx context.Context, in inputs, name string) (string, error) {
	sorted, rising, first, last, err := runsWithRows(ctx, in.data, name)
	if err != nil || !sorted || first == last {
		return "", err
	}
	if rising {
		return "it rises from row to row", nil
	}
	if in.reference == nil {
		return "", nil
	}
	if c, err := in.reference.Column(name); err != nil || c.Kind != table.Number {
		return "", nil //nolint:nilerror // a reference without the column says nothing about it
	}
	sorted, _, _, before, err := runsWithRows(ctx, in.reference, name)
	if err != nil || !sorted || before > first {
		return "", err
	}
	return fmt.Sprintf("it never falls, and starts at %s where the reference ended at %s", number(first), number(before)), nil
}

// role says what a column is to the audit.
func (p *plan) role(name string) string {
	switch {
	case name == p.Label:
		return "label"
	case name == p.Prediction:
		return "prediction"
	case name == p.Score:
		return "score"
	case name == p.Time:
		return "time"
	case name == p.ID:
		return "id"
	case name == p.Query:
		return "query"
	case name == p.Item:
		return "item"
	case slices.Contains(p.Groups, name):
		return "group"
	case slices.Contains(p.Features, name):
		return "feature"
	}
	return "other"
}
