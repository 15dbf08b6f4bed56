package monitor

import (
	"context"
	"fmt"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/figure"
	"github.com/tallystick/tallystick/internal/stat"
	"github.com/tallystick/tallystick/internal/yamldoc"
)

// costCheck holds what predictions cost against a budget.
type costCheck struct {
	of      source   // of each prediction; no name: all cost the same
	price   *float64 // of a prediction
	unit    string   // such as EUR
	budgets [2]*float64
	warn    float64 // share of a budget
	missing float64 // share of predictions that may lack their cost
}

// budgetKeys name the budgets, in their order.
func budgetKeys() [2]string { return [2]string{"window", "day"} }

func newCostCheck() *costCheck { return &costCheck{warn: 0.8, missing: 0.01} }

func (*costCheck) about() About {
	return About{
		Key:    "cost",
		Needs:  "{price: 0.002, budget: {day: 100}}",
		Method: "sum over the window, and over its day until the end of the window, of what each prediction cost (`of`) or of a `price` for each",
		Fails:  "more than the `budget`; more than 80 % of it: `warn`. Where more than 1 % of predictions lack their cost: `inconclusive`",
		Why:    "nobody else knows what may be spent",
	}
}

func (c *costCheck) decode(d decoder) yamldoc.Decode {
	return func(node *yaml.Node, path string) error {
		const most = 1e15
		var warn *float64
		err := d.Mapping(node, path,
			yamldoc.Key("of", d.source(&c.of)), yamldoc.Key("price", d.Number(&c.price, 0, most)), yamldoc.Key("unit", d.Text(&c.unit)), yamldoc.Key("warn", d.Share(&warn)),
			yamldoc.Key("budget", func(node *yaml.Node, path string) error {
				var fields []yamldoc.Field
				for i, key := range budgetKeys() {
					fields = append(fields, yamldoc.Key(key, d.Number(&c.budgets[i], 0, most)))
				}
				return d.Mapping(node, path, fields...)
			}),
		)
		switch {
		case err != nil:
			return err
		case (c.of.name == "") == (c.price == nil):
			return d.Errorf(node, "%s needs what a prediction cost, or a price for each: one of the two", path).WithHint("write of: extra.cost, or price: 0.002")
		case c.budgets == [2]*float64{}:
			return d.Errorf(node, "%s has no budget", path).WithHint("write budget: {window: 5} or budget: {day: 100}")
		}
		if warn != nil {
			c.warn = *warn
		}
		return nil
	}
}

// spent is a sum, and the predictions that lack their part of it.
type spent struct {
	sum     float64
	n       int64
	missing int64
}

func (s *spent) add(c *costCheck, b block, column int) {
	n := int64(b.Rows())
	if s.n += n; c.price != nil {
		s.sum = *c.price * float64(s.n)
		return
	}
	for k := range b.Rows() {
		if x, ok := c.of.number(b, column, k); ok {
			s.sum += x
		} else {
			s.missing++
		}
	}
}

func (c *costCheck) begin(ctx context.Context, s *subject) (*look, error) {
	if c.budgets == [2]*float64{} {
		return nil, nil
	}
	column := columnStatus
	if c.of.name != "" {
		column = c.of.column
	}
	var window, day spent
	if c.budgets[1] != nil {
		until := s.selection
		until.From = s.window.To.Add(-1).Truncate(24 * time.Hour) // of a window of a week, its last day
		for b, err := range s.office.config.Asker.Blocks(ctx, until, []string{column}) {
			if err != nil {
				return nil, err
			}
			day.add(c, b, 0)
		}
	}
	return &look{
		columns: []string{column},
		count:   func(b block, at []int) { window.add(c, b, at[0]) },
		judge: func(*facts) (rows []Row) {
			for i, s := range []spent{window, day} {
				if c.budgets[i] != nil {
					rows = append(rows, c.row(budgetKeys()[i], s, *c.budgets[i]))
				}
			}
			return rows
		},
	}, nil
}

func (c *costCheck) row(of string, s spent, budget float64) Row {
	r := Row{
		Check: "cost", Subject: of, Method: "cost/1: sum of what predictions cost", N: s.n, Measure: "sum", Value: stat.Number(s.sum),
		Threshold: number(budget), Warn: number(c.warn * budget), Origin: ofMonitor, Verdict: tallystick.Pass,
	}
	unit := ""
	if c.unit != "" {
		unit = " " + c.unit
	}
	r.Words = fmt.Sprintf("%d predictions of the %s cost %s%s, of a budget of %s%s.", s.n, of, figure.Plain(s.sum), unit, figure.Plain(budget), unit)
	switch {
	case s.sum > budget:
		r.Verdict = tallystick.Fail
	case float64(s.missing) > c.missing*float64(s.n):
		r.Verdict = tallystick.Inconclusive
	case s.sum > c.warn*budget:
		r.Verdict = tallystick.Warn
	}
	if s.missing > 0 {
		r.Words += fmt.Sprintf(" What %d of them cost is not known.", s.missing)
	}
	return r
}
