package monitor

import (
	"bytes"
	"encoding/json"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/query"
	"github.com/tallystick/tallystick/internal/yamldoc"
)

// source is where a check finds a value in a prediction: a feature, a field of the record such as latency_us, or a value in
// what else was sent, such as extra.cost. A feature that has the name of a field is f_NAME.
type source struct {
	name   string // as the monitor says
	column string
	path   []string // in extra
}

const columnExtra = "extra"

func newSource(name string) source {
	if path, is := strings.CutPrefix(name, columnExtra+"."); is {
		return source{name, columnExtra, strings.Split(path, ".")}
	}
	if query.OfRecord(name) == nil {
		return source{name, name, nil}
	}
	return source{name, "f_" + name, nil}
}

func (d decoder) source(dst *source) yamldoc.Decode {
	return func(node *yaml.Node, path string) error {
		if err := d.Scalar(node, path, "a name"); err != nil {
			return err
		}
		if *dst = newSource(node.Value); node.Value == "" || strings.Contains("."+node.Value+".", "..") {
			return d.Errorf(node, "%s is no name", path).WithHint("write the name of a feature, a field such as latency_us, or extra.NAME")
		}
		return nil
	}
}

// value returns what the k-th prediction of a block has, null if that is nothing.
func (s *source) value(b block, column, k int) (v prediction.Value) {
	if s.path == nil {
		return b.Value(column, k)
	}
	data, ok := b.Text(column, k)
	if !ok {
		return v
	}
	for _, key := range s.path {
		var object map[string]json.RawMessage
		if json.Unmarshal(data, &object) != nil {
			return v
		}
		data = object[key]
	}
	if data = bytes.TrimSpace(data); len(data) > 0 && data[0] != '{' && data[0] != '[' {
		_ = v.UnmarshalJSON(data) // what is no value is none
	}
	return v
}

// number returns what the k-th prediction has if it is a finite number.
func (s *source) number(b block, column, k int) (x float64, ok bool) {
	if s.path == nil {
		x, ok = b.Number(column, k)
	} else if v := s.value(b, column, k); v.IsNumber() {
		x, _ = v.Float()
		ok = true
	}
	return x, ok && x-x == 0
}

// text returns what the k-th prediction has as text, empty if it has nothing.
func (s *source) text(b block, column, k int) string {
	if s.path == nil {
		if text, ok := b.Text(column, k); ok {
			return string(text)
		}
	}
	if v := s.value(b, column, k); !v.IsNull() {
		return v.String()
	}
	return ""
}
