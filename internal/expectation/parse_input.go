package expectation

import (
	"cmp"
	"math"

	"go.yaml.in/yaml/v3"

	"github.com/tallystick/tallystick/internal/yamldoc"
)

// input reads predictions: columns that are drawn or listed, rows, or a file.
func (d decoder) input(dst **Input) yamldoc.Decode {
	return func(node *yaml.Node, path string) error {
		in := &Input{Line: node.Line, Seed: 1}
		var n, seed *int64
		err := d.Mapping(node, path,
			yamldoc.Key("n", d.Count(&n, 1)),
			yamldoc.Key("seed", d.Count(&seed, 0)),
			yamldoc.Key("over", d.Duration(&in.Over)),
			yamldoc.Key("columns", d.columns(&in.Columns)),
			yamldoc.Key("rows", d.list(10_000, func(item *yaml.Node, path string) error {
				row := map[string]*yaml.Node{}
				err := d.Entries(item, path, func(key, value *yaml.Node) error {
					if value.Kind != yaml.ScalarNode {
						return d.Errorf(value, "%s must be one value, not %s", d.Join(path, key.Value), yamldoc.KindOf(value))
					}
					row[key.Value] = value
					return nil
				})
				in.Rows = append(in.Rows, row)
				return err
			})),
			yamldoc.Key("file", d.Text(&in.File)),
			yamldoc.Key("map", func(node *yaml.Node, path string) error {
				in.Map = map[string]string{}
				return d.Entries(node, path, func(key, value *yaml.Node) error {
					var column string
					err := d.Text(&column)(value, d.Join(path, key.Value))
					in.Map[column] = key.Value
					return err
				})
			}),
			yamldoc.Key("skip", d.texts(&in.Skip)),
			yamldoc.Key("category", d.texts(&in.Categories)),
		)
		if err != nil {
			return err
		}
		forms := 0
		for _, has := range []bool{len(in.Columns) > 0, len(in.Rows) > 0, in.File != ""} {
			if has {
				forms++
			}
		}
		if forms != 1 {
			return d.Errorf(node, "%s needs columns, rows or a file: one of the three", path)
		}
		if in.N, in.Seed = in.longest(), 1; n != nil {
			in.N = *n
		}
		if seed != nil {
			in.Seed = uint64(*seed)
		}
		switch {
		case n != nil && len(in.Columns) == 0:
			return d.Errorf(node, "%s.n is about columns", path)
		case len(in.Columns) > 0 && in.N == 0:
			return d.Errorf(node, "%s does not say how many predictions there are", path).WithHint("write n: 1000")
		case in.N > maxRows:
			return d.Errorf(node, "%s has %d predictions, the limit is %d", path, in.N, maxRows)
		case in.File == "" && (in.Map != nil || len(in.Skip) > 0):
			return d.Errorf(node, "%s: map and skip are about a file", path)
		}
		*dst = in
		return nil
	}
}

func (d decoder) columns(dst *[]Column) yamldoc.Decode {
	return func(node *yaml.Node, path string) error {
		err := d.Entries(node, path, func(key, value *yaml.Node) error {
			c := Column{Name: key.Value}
			if err := d.column(value, d.Join(path, key.Value), &c); err != nil {
				return err
			}
			*dst = append(*dst, c)
			return nil
		})
		if err == nil && len(*dst) == 0 {
			return d.Errorf(node, "%s is empty", path)
		}
		return err
	}
}

// column reads a value for all rows, a series in the notation of promtool, or how values are drawn.
func (d decoder) column(node *yaml.Node, path string, c *Column) error {
	if node.Kind == yaml.ScalarNode {
		c.Series = []*yaml.Node{node}
		return nil
	}
	drawn := func(name string, wants int) yamldoc.Field {
		return yamldoc.Key(name, func(node *yaml.Node, path string) error {
			if c.Drawn != "" || c.Series != nil || c.Choice != nil {
				return d.Errorf(node, "%s: values are drawn in one way", path)
			}
			c.Drawn = name
			if err := d.list(wants, func(item *yaml.Node, path string) error {
				x, err := d.Float(item, path)
				c.Of = append(c.Of, x)
				return err
			})(node, path); err != nil {
				return err
			}
			if len(c.Of) != wants {
				return d.Errorf(node, "%s takes %d numbers, not %d", path, wants, len(c.Of))
			}
			return c.valid(d, node, path)
		})
	}
	var missing *float64
	err := d.Mapping(node, path,
		drawn("normal", 2), drawn("lognormal", 2), drawn("uniform", 2), drawn("integer", 2), drawn("exponential", 1),
		yamldoc.Key("choice", d.choice(c)),
		yamldoc.Key("values", func(node *yaml.Node, path string) error {
			if c.Drawn != "" || c.Choice != nil {
				return d.Errorf(node, "%s: values are drawn in one way", path)
			}
			return d.series(node, path, c)
		}),
		yamldoc.Key("missing", d.Share(&missing)),
	)
	if err != nil {
		return err
	}
	if missing != nil {
		c.Missing = *missing
	}
	if c.Drawn == "" && c.Choice == nil && c.Series == nil {
		return d.Errorf(node, "%s does not say what its values are", path).WithHint("write {normal: [40, 10]}, {choice: {north: 0.4, south: 0.6}} or {values: 1+1x9}")
	}
	return nil
}

func (c *Column) valid(d decoder, node *yaml.Node, path string) error {
	switch {
	case (c.Drawn == "normal" || c.Drawn == "lognormal") && c.Of[1] < 0, c.Drawn == "exponential" && c.Of[0] <= 0:
		return d.Errorf(node, "%s: the spread is below 0", path)
	case (c.Drawn == "uniform" || c.Drawn == "integer") && c.Of[0] > c.Of[1]:
		return d.Errorf(node, "%s: %g is above %g", path, c.Of[0], c.Of[1])
	case c.Drawn == "integer" && (c.Of[0] != math.Trunc(c.Of[0]) || c.Of[1] != math.Trunc(c.Of[1]) || max(-c.Of[0], c.Of[1]) > 1<<53):
		return d.Errorf(node, "%s needs whole numbers", path)
	}
	return nil
}

// choice reads values with their weights, or a list of equally likely ones.
func (d decoder) choice(c *Column) yamldoc.Decode {
	return func(node *yaml.Node, path string) error {
		if c.Drawn != "" || c.Series != nil {
			return d.Errorf(node, "%s: values are drawn in one way", path)
		}
		if node.Kind == yaml.SequenceNode {
			return d.list(10_000, func(item *yaml.Node, path string) error {
				c.Choice, c.Weights = append(c.Choice, item), append(c.Weights, 1)
				return d.Scalar(item, path, "one value")
			})(node, path)
		}
		total := 0.0
		err := d.Entries(node, path, func(key, value *yaml.Node) error {
			weight, err := d.Float(value, d.Join(path, key.Value))
			if err == nil && weight < 0 {
				err = d.Errorf(value, "%s is below 0", d.Join(path, key.Value))
			}
			c.Choice, c.Weights = append(c.Choice, key), append(c.Weights, weight)
			total += weight
			return err
		})
		if err == nil && total <= 0 {
			return d.Errorf(node, "%s has no weight", path)
		}
		return err
	}
}

// longest is the length of the longest series, 0 if there is none.
func (in *Input) longest() (n int64) {
	for i := range in.Columns {
		if series := in.Columns[i].Series; len(series) > 1 {
			n = max(n, int64(len(series)))
		}
	}
	return cmp.Or(n, 0)
}
