package contract

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// mapping builds a YAML mapping in the order in which keys are added.
type mapping struct {
	yaml yaml.Node
	note string // a comment of the whole
}

func newMapping() *mapping { return &mapping{yaml: yaml.Node{Kind: yaml.MappingNode}} }

// newFlow builds a mapping that is written on one line.
func newFlow() *mapping {
	m := newMapping()
	m.yaml.Style = yaml.FlowStyle
	return m
}

// add appends one key, with an optional comment.
func (m *mapping) add(key string, value *yaml.Node, comment ...string) *mapping {
	k := word(key)
	if text := strings.Join(comment, " "); text != "" {
		// A comment of a scalar stands behind it; behind a collection it would come after its end.
		target := value
		if value.Kind != yaml.ScalarNode && value.Style != yaml.FlowStyle {
			target = k
		}
		target.LineComment = "# " + text
	}
	m.yaml.Content = append(m.yaml.Content, k, value)
	return m
}

func (m *mapping) node() *yaml.Node {
	if m.note != "" {
		m.yaml.HeadComment = "# " + m.note
	}
	return &m.yaml
}

// word is a string, quoted if it would else be something else.
func word(s string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s} }

func whole(n int64) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: strconv.FormatInt(n, 10)}
}

// float writes v so that it is read back as it is.
func float(v float64) *yaml.Node {
	text := strconv.FormatFloat(v, 'g', -1, 64)
	if digits := strconv.FormatFloat(v, 'f', -1, 64); len(digits) <= 12 {
		text = digits
	}
	tag := "!!float"
	if !strings.ContainsAny(text, ".e") {
		tag = "!!int"
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: text}
}
