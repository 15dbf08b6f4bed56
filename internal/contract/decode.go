package contract

import (
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
	"go.yaml.in/yaml/v3"
)

// decoder reads a YAML tree strictly: unknown and repeated keys, aliases and further documents are
// refused, and every error names the file, the line and the key.
type decoder struct{ file string }

// decode reads the node at path, such as columns.age.min, into what it was made for.
type decode func(node *yaml.Node, path string) error

// field is one key that a mapping may have.
type field struct {
	key    string
	decode decode
}

func (d decoder) errorf(node *yaml.Node, format string, args ...any) *tallystick.Error {
	e := tallystick.Errorf(tallystick.Invalid, format, args...)
	e.Message = d.file + ":" + strconv.Itoa(node.Line) + ": " + e.Message
	return e
}

// document parses the one document of data and returns its root mapping.
func (d decoder) document(data []byte) (*yaml.Node, error) {
	dec := yaml.NewDecoder(strings.NewReader(string(data)))
	var doc, next yaml.Node
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return nil, tallystick.Errorf(tallystick.Invalid, "contract %s is empty", d.file).
			WithHint("write one, or let 'tallystick data infer FILE' write a first one from good data")
	case err != nil:
		return nil, tallystick.Errorf(tallystick.Invalid, "%s: %s", d.file, yamlWords(err)).
			WithHint("correct the YAML; indentation is by spaces")
	}
	switch err := dec.Decode(&next); {
	case err == nil:
		return nil, d.errorf(&next, "a second YAML document begins").WithHint("keep one contract per file")
	case !errors.Is(err, io.EOF):
		return nil, tallystick.Errorf(tallystick.Invalid, "%s: %s", d.file, yamlWords(err)).WithHint("correct the YAML")
	}
	return doc.Content[0], nil
}

var yamlLine = regexp.MustCompile(`^yaml: (line \d+: )?`)

// yamlWords turns "yaml: line 3: x" into "line 3: x" and keeps it on one line.
func yamlWords(err error) string {
	words := strings.TrimPrefix(yamlLine.FindString(err.Error()), "yaml: ") + yamlLine.ReplaceAllString(err.Error(), "")
	return strings.Join(strings.Fields(words), " ")
}

// entries calls each for every key of a mapping, in the file's order.
func (d decoder) entries(node *yaml.Node, path string, each func(key, value *yaml.Node) error) error {
	if node.Kind != yaml.MappingNode {
		return d.errorf(node, "%s must be a mapping of keys to values, not %s", path, kindWords(node))
	}
	lines := make(map[string]int, len(node.Content)/2)
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		if key.Kind != yaml.ScalarNode {
			return d.errorf(key, "a key in %s is not plain text", path)
		}
		if line, ok := lines[key.Value]; ok {
			return d.errorf(key, "%s has the key %q twice, first on line %d", path, key.Value, line).
				WithHint("keep one of them")
		}
		lines[key.Value] = key.Line
		if value.Kind == yaml.AliasNode {
			return d.errorf(value, "%s is an alias", join(path, key.Value)).
				WithHint("write the value out: a reviewer should not have to follow references")
		}
		if err := each(key, value); err != nil {
			return err
		}
	}
	return nil
}

// mapping reads a mapping whose keys are those of fields, each at most once.
func (d decoder) mapping(node *yaml.Node, path string, fields ...field) error {
	return d.entries(node, path, func(key, value *yaml.Node) error {
		for _, f := range fields {
			if f.key == key.Value {
				return f.decode(value, join(path, key.Value))
			}
		}
		keys := make([]string, len(fields))
		for i, f := range fields {
			keys[i] = f.key
		}
		return d.unknown(key, path+" has no key", keys)
	})
}

// unknown says that node's value is none of the known words and names the nearest.
func (d decoder) unknown(node *yaml.Node, what string, known []string) error {
	e := d.errorf(node, "%s %q", what, node.Value)
	if near := tallystick.Nearest(node.Value, known); near != "" {
		return e.WithHint("did you mean %q?", near)
	}
	return e.WithHint("use one of %s", list(known))
}

func join(path, key string) string {
	if path == root {
		return key
	}
	return path + "." + key
}

// root is what messages call the outermost mapping.
const root = "the contract"

func kindWords(node *yaml.Node) string {
	switch node.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode:
		return "an alias"
	}
	if node.Tag == "!!null" {
		return "nothing"
	}
	if words := []rune(node.Value); len(words) > maxWords {
		return strconv.Quote(string(words[:maxWords])) + "…"
	}
	return strconv.Quote(node.Value)
}

// maxWords bounds, in characters, what a message repeats of a file: YAML reads any text as one value.
const maxWords = 60

// scalar refuses everything but one plain value.
func (d decoder) scalar(node *yaml.Node, path, want string) error {
	if node.Kind != yaml.ScalarNode || node.Tag == "!!null" || node.Tag == "!!binary" {
		return d.errorf(node, "%s must be %s, not %s", path, want, kindWords(node))
	}
	return nil
}

func (d decoder) text(dst *string) decode {
	return func(node *yaml.Node, path string) error {
		if err := d.scalar(node, path, "text"); err != nil {
			return err
		}
		*dst = node.Value
		return nil
	}
}

func (d decoder) boolean(set func(bool)) decode {
	return func(node *yaml.Node, path string) error {
		if node.Kind != yaml.ScalarNode || node.Tag != "!!bool" {
			return d.errorf(node, "%s must be true or false, not %s", path, kindWords(node))
		}
		set(strings.EqualFold(node.Value, "true"))
		return nil
	}
}

func (d decoder) choice(set func(string), words ...string) decode {
	return func(node *yaml.Node, path string) error {
		if err := d.scalar(node, path, "one of "+list(words)); err != nil {
			return err
		}
		for _, w := range words {
			if w == node.Value {
				set(w)
				return nil
			}
		}
		return d.unknown(node, path+" cannot be", words)
	}
}

// float returns the finite number that node holds.
func (d decoder) float(node *yaml.Node, path string) (float64, error) {
	var v float64
	if node.Kind != yaml.ScalarNode || node.Tag != "!!int" && node.Tag != "!!float" || node.Decode(&v) != nil {
		return 0, d.errorf(node, "%s must be a number, not %s", path, kindWords(node))
	}
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return 0, d.errorf(node, "%s must be a finite number, not %s", path, node.Value)
	}
	return v, nil
}

// number reads a number between low and high.
func (d decoder) number(dst **float64, low, high float64) decode {
	return func(node *yaml.Node, path string) error {
		v, err := d.float(node, path)
		if err != nil {
			return err
		}
		if v < low || v > high {
			return d.errorf(node, "%s is %s, which is not between %s and %s", path, node.Value, formatNumber(low), formatNumber(high))
		}
		*dst = &v
		return nil
	}
}

// share reads a share of rows, 0.02 or 2%.
func (d decoder) share(dst **float64) decode {
	return func(node *yaml.Node, path string) error {
		v, err := d.fraction(node, path)
		if err != nil {
			return err
		}
		*dst = &v
		return nil
	}
}

func (d decoder) fraction(node *yaml.Node, path string) (float64, error) {
	var v float64
	if digits, ok := strings.CutSuffix(node.Value, "%"); ok && node.Kind == yaml.ScalarNode {
		// By exponent, so that 0.7% is the very number that 0.007 is.
		var err error
		if v, err = strconv.ParseFloat(strings.TrimSpace(digits)+"e-2", 64); err != nil {
			return 0, d.errorf(node, "%s must be a share such as 0.02 or 2%%, not %q", path, node.Value)
		}
	} else {
		var err error
		if v, err = d.float(node, path); err != nil {
			return 0, err
		}
	}
	if !(v >= 0 && v <= 1) {
		return 0, d.errorf(node, "%s is %s, which is no share of rows", path, node.Value).
			WithHint("a share lies between 0 and 1; write two per cent as 0.02 or 2%%")
	}
	return v, nil
}

// count reads a whole number from low upwards.
func (d decoder) count(dst **int64, low int64) decode {
	return func(node *yaml.Node, path string) error {
		var v int64
		if node.Kind != yaml.ScalarNode || node.Tag != "!!int" || node.Decode(&v) != nil || v < low {
			return d.errorf(node, "%s must be a whole number from %d upwards, not %s", path, low, kindWords(node))
		}
		*dst = &v
		return nil
	}
}

// bounds reads {min: a, max: b} or [a, b]; one reads a single bound.
func (d decoder) bounds(dst *Range, one func(**float64) decode) decode {
	return func(node *yaml.Node, path string) error {
		switch node.Kind {
		case yaml.SequenceNode:
			if len(node.Content) != 2 {
				return d.errorf(node, "%s must have two bounds, not %d", path, len(node.Content)).WithHint("write [least, greatest]")
			}
			for i, bound := range []**float64{&dst.Min, &dst.Max} {
				if err := one(bound)(node.Content[i], fmt.Sprintf("%s[%d]", path, i)); err != nil {
					return err
				}
			}
		case yaml.MappingNode:
			if err := d.mapping(node, path, field{"min", one(&dst.Min)}, field{"max", one(&dst.Max)}); err != nil {
				return err
			}
		default:
			return d.errorf(node, "%s must be a range, not %s", path, kindWords(node)).WithHint("write {min: A, max: B} or [A, B]")
		}
		if dst.empty() {
			return d.errorf(node, "%s has neither min nor max", path)
		}
		return d.ordered(node, path, *dst)
	}
}

func (d decoder) ordered(node *yaml.Node, path string, r Range) error {
	if r.Min != nil && r.Max != nil && *r.Min > *r.Max {
		return d.errorf(node, "%s: min %s is above max %s", path, formatNumber(*r.Min), formatNumber(*r.Max))
	}
	return nil
}

// duration reads 90m, 36h, 30d or 2w.
func (d decoder) duration(dst *time.Duration) decode {
	return func(node *yaml.Node, path string) error {
		v, ok := parseDuration(node.Value)
		if node.Kind != yaml.ScalarNode || !ok {
			return d.errorf(node, "%s must be a duration, not %s", path, kindWords(node)).WithHint("write 90m, 36h, 30d or 2w")
		}
		*dst = v
		return nil
	}
}

// maxDuration keeps arithmetic on nanoseconds far from overflow.
const maxDuration = 100 * 365 * 24 * time.Hour

func parseDuration(s string) (time.Duration, bool) {
	units := map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour, "w": 7 * 24 * time.Hour}
	if s == "" {
		return 0, false
	}
	unit, ok := units[s[len(s)-1:]]
	n, err := strconv.ParseFloat(s[:len(s)-1], 64)
	if !ok || err != nil || !(n > 0) || n > float64(maxDuration/unit) {
		return 0, false
	}
	return time.Duration(n * float64(unit)), true
}

// moment reads now, a date, or an RFC 3339 time; a date is its first moment in UTC.
func (d decoder) moment(dst **Moment) decode {
	return func(node *yaml.Node, path string) error {
		if node.Kind == yaml.ScalarNode {
			if node.Value == "now" {
				*dst = &Moment{Now: true}
				return nil
			}
			for _, layout := range []string{time.RFC3339Nano, time.DateOnly} {
				if at, err := time.Parse(layout, node.Value); err == nil && at.Year() >= 1700 && at.Year() <= 2200 {
					*dst = &Moment{At: at}
					return nil
				}
			}
		}
		return d.errorf(node, "%s must be a time, not %s", path, kindWords(node)).
			WithHint("write now, 2026-01-31 or 2026-01-31T12:00:00Z")
	}
}
