package monitor

import (
	"context"
	"fmt"

	"go.yaml.in/yaml/v3"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/drift"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/rollup"
	"github.com/tallystick/tallystick/internal/window"
	"github.com/tallystick/tallystick/internal/yamldoc"
)

// skewCheck compares what the model is given with what it was trained on: the same feature by the pipeline that serves and by
// the one that trained.
type skewCheck struct {
	against tallystick.Digest
	driftCheck
}

func newSkewCheck() *skewCheck {
	th := drift.Defaults()
	return &skewCheck{driftCheck: driftCheck{&th}}
}

func (*skewCheck) about() About {
	return About{
		Key:    "skew",
		Needs:  "{against: sha256:…}",
		Method: "features by the two keys of `drift`, against the reference of the training data that `against` names by digest",
		Fails:  "as drift",
		Why:    "off until a reference of the training data is named. The pinned one follows the world; what a model was trained on does not, and a feature that is computed otherwise when it serves differs from the first hour",
	}
}

func (c *skewCheck) decode(d decoder) yamldoc.Decode {
	return func(node *yaml.Node, path string) error {
		var against string
		limits := &yaml.Node{Kind: yaml.MappingNode, Line: node.Line}
		err := d.Entries(node, path, func(key, value *yaml.Node) (err error) {
			if key.Value != "against" {
				limits.Content = append(limits.Content, key, value)
				return nil
			}
			if err := d.Text(&against)(value, d.Join(path, key.Value)); err != nil {
				return err
			}
			if c.against, err = tallystick.ParseDigest(against); err != nil {
				return d.Errorf(value, "%s is no digest", d.Join(path, key.Value)).WithHint("`tallystick reference list` has the digests")
			}
			return nil
		})
		if err != nil {
			return err
		}
		if against == "" {
			return d.Errorf(node, "%s does not say what the model was trained on", path).WithHint("write against: sha256:…, as `tallystick reference list` has it")
		}
		return c.driftCheck.decode(d)(limits, path)
	}
}

func (c *skewCheck) begin(ctx context.Context, s *subject) (*look, error) {
	if c.against == "" {
		return nil, nil
	}
	trained, err := s.office.reference(ctx, c.against)
	if err != nil {
		return nil, fmt.Errorf("what %s was trained on: %w", s.document.Model, err)
	}
	rules := &rollup.Rules{Reference: trained}
	counter, tally := rollup.NewCounter(rules, 0), rules.Tally()
	return &look{
		columns: rules.Columns(),
		count:   func(b block, at []int) { counter.Add(tally, nil, view{b, at}) },
		judge:   func(f *facts) []Row { return c.rows(f, tally.Profile) },
	}, nil
}

// view is a block of which the columns are in another order.
type view struct {
	block
	at []int
}

func (v view) Value(column, k int) prediction.Value      { return v.block.Value(v.at[column], k) }
func (v view) Number(column, k int) (float64, bool)      { return v.block.Number(v.at[column], k) }
func (v view) Text(column, k int) (text []byte, ok bool) { return v.block.Text(v.at[column], k) }

func (c *skewCheck) rows(f *facts, p *window.Profile) (rows []Row) {
	served := &facts{Seen: &Seen{Profile: p, Predictions: f.Predictions}, document: f.document, window: f.window}
	for _, moved := range served.comparedBy(*c.thresholds) {
		r := c.row(moved)
		r.Check, r.Method = "skew", "skew/1: against "+c.against.Short()+", "+moved.Method
		rows = append(rows, r)
	}
	return rows
}
