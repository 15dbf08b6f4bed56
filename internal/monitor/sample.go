package monitor

import (
	"context"
	"fmt"

	"github.com/tallystick/tallystick/internal/outcome"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/query"
)

// sample keeps some of the predictions of a selection as rows of numbers. encode makes them of what a prediction has in the
// columns, and returns nil for one that has nothing to say.
func (o *Office) sample(ctx context.Context, s query.Selection, columns []string, most int, encode func(value func(column int) prediction.Value) []float64) (*outcome.Sample, error) {
	kept := outcome.NewSample(most)
	for b, err := range o.config.Asker.Blocks(ctx, s, append([]string{"id", "time"}, columns...)) {
		if err != nil {
			return nil, err
		}
		for k := range b.Rows() {
			id, err := prediction.ParseID(b.Value(0, k).String())
			if err != nil {
				return nil, fmt.Errorf("sample predictions of %s: %w", s.Model, err)
			}
			if !kept.Wants(id) {
				kept.Skip()
				continue
			}
			row := encode(func(column int) prediction.Value { return b.Value(column+2, k) })
			if row != nil {
				kept.Add(id, prediction.Time(b.Value(1, k).Int()), row)
			}
		}
	}
	return kept, nil
}
