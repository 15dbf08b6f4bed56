package expectation

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/yamldoc"
)

// step is a part of a series as `promtool test rules` has it: a+bxn is a, a+b, … and ends with a+bn; axn is a and n times a again.
var step = regexp.MustCompile(`^(_|[+-]?[0-9.eE]+)(?:([+-][0-9.eE]+))?x([0-9]+)$`)

// series reads a list of values, or the notation of promtool, where _ is a missing one.
func (d decoder) series(node *yaml.Node, path string, c *Column) error {
	if node.Kind == yaml.SequenceNode {
		return d.list(maxRows, func(item *yaml.Node, path string) error {
			*d.listed++
			c.Series = append(c.Series, item)
			if item.Kind != yaml.ScalarNode {
				return d.Errorf(item, "%s must be one value, not %s", path, yamldoc.KindOf(item))
			}
			return nil
		})(node, path)
	}
	if err := d.Scalar(node, path, "a list of values, or a series such as 1+1x9"); err != nil {
		return err
	}
	for _, part := range strings.Fields(node.Value) {
		if err := d.steps(node, path, part, c); err != nil {
			return err
		}
	}
	if len(c.Series) == 0 {
		return d.Errorf(node, "%s is empty", path)
	}
	return nil
}

func (d decoder) steps(node *yaml.Node, path, part string, c *Column) error {
	add := func(value string) error {
		if *d.listed++; *d.listed > maxRows {
			return d.Errorf(node, "%s: the series of a file have more than %d values", path, maxRows)
		}
		item := &yaml.Node{Kind: yaml.ScalarNode, Value: value, Line: node.Line}
		if value == "_" {
			item.Tag = "!!null"
		} else if _, err := strconv.ParseFloat(value, 64); err == nil {
			item.Tag = "!!float"
		}
		c.Series = append(c.Series, item)
		return nil
	}
	m := step.FindStringSubmatch(part)
	if m == nil {
		return add(part)
	}
	n, err := strconv.ParseInt(m[3], 10, 64)
	if err != nil || n > maxRows {
		return d.Errorf(node, "%s: %q has too many values", path, part)
	}
	if m[1] == "_" { // as promtool has it, _xn are n of them
		for range n {
			if err := add("_"); err != nil {
				return err
			}
		}
		return nil
	}
	from, err := strconv.ParseFloat(m[1], 64)
	by := 0.0
	if err == nil && m[2] != "" {
		by, err = strconv.ParseFloat(m[2], 64)
	}
	if err != nil {
		return d.Errorf(node, "%s: %q is no part of a series", path, part).WithHint("write 1+2x3 for 1, 3, 5, 7, 1x3 for four times 1, _x2 for two that are missing")
	}
	for i := range n + 1 {
		if err := add(strconv.FormatFloat(from+by*float64(i), 'g', -1, 64)); err != nil {
			return err
		}
	}
	return nil
}

// valueOf returns what a plain value of YAML is in a record.
func valueOf(node *yaml.Node) (prediction.Value, error) {
	switch node.Tag {
	case "!!null":
		return prediction.Value{}, nil
	case "!!bool":
		return prediction.Boolean(strings.EqualFold(node.Value, "true")), nil
	case "!!int", "!!float":
		var x float64
		if node.Decode(&x) != nil {
			return prediction.Value{}, fmt.Errorf("%q is no number", node.Value)
		}
		return prediction.Number(x), nil
	}
	return prediction.String(node.Value), nil
}
