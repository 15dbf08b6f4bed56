// Package yamldoc reads YAML that people write and review: strictly, with the file, the line and the key in
// every error.
package yamldoc

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

// Decoder reads a YAML tree: unknown and repeated keys, aliases and further documents are refused with an
// Invalid error of one line.
type Decoder struct {
	File  string // as messages name it
	Noun  string // what the document is, such as contract
	Start string // a hint for an empty file; may be empty
}

// Decode reads the node at path, such as columns.age.min, into what it was made for.
type Decode func(node *yaml.Node, path string) error

// Field is one key that a mapping may have.
type Field struct {
	key    string
	decode Decode
}

// Key returns the field of a name.
func Key(name string, decode Decode) Field { return Field{name, decode} }

// Read returns the root of the one document that r has, which is no larger than most bytes, and those bytes.
func (d Decoder) Read(r io.Reader, most int64) (*yaml.Node, []byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, most+1))
	if err != nil {
		return nil, nil, fmt.Errorf("read %s %s: %w", d.Noun, d.File, err)
	}
	if int64(len(data)) > most {
		return nil, nil, tallystick.Errorf(tallystick.Invalid, "%s %s is larger than %d bytes", d.Noun, d.File, most).
			WithHint("it is for people to read and review")
	}
	node, err := d.Document(data)
	return node, data, err
}

// Errorf returns an Invalid error that begins with the file and the line of node.
func (d Decoder) Errorf(node *yaml.Node, format string, args ...any) *tallystick.Error {
	e := tallystick.Errorf(tallystick.Invalid, format, args...)
	e.Message = d.File + ":" + strconv.Itoa(node.Line) + ": " + e.Message
	return e
}

// Document parses the one document of data and returns its root mapping.
func (d Decoder) Document(data []byte) (*yaml.Node, error) {
	dec := yaml.NewDecoder(strings.NewReader(string(data)))
	var doc, next yaml.Node
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		empty := tallystick.Errorf(tallystick.Invalid, "%s %s is empty", d.Noun, d.File)
		if d.Start != "" {
			return nil, empty.WithHint("%s", d.Start)
		}
		return nil, empty
	case err != nil:
		return nil, tallystick.Errorf(tallystick.Invalid, "%s: %s", d.File, yamlWords(err)).
			WithHint("correct the YAML; indentation is by spaces")
	}
	switch err := dec.Decode(&next); {
	case err == nil:
		return nil, d.Errorf(&next, "a second YAML document begins").WithHint("keep one %s per file", d.Noun)
	case !errors.Is(err, io.EOF):
		return nil, tallystick.Errorf(tallystick.Invalid, "%s: %s", d.File, yamlWords(err)).WithHint("correct the YAML")
	}
	return doc.Content[0], nil
}

var yamlLine = regexp.MustCompile(`^yaml: (line \d+: )?`)

// yamlWords turns "yaml: line 3: x" into "line 3: x" and keeps it on one line.
func yamlWords(err error) string {
	words := strings.TrimPrefix(yamlLine.FindString(err.Error()), "yaml: ") + yamlLine.ReplaceAllString(err.Error(), "")
	return strings.Join(strings.Fields(words), " ")
}

// Entries calls each for every key of a mapping, in the file's order.
func (d Decoder) Entries(node *yaml.Node, path string, each func(key, value *yaml.Node) error) error {
	if node.Kind != yaml.MappingNode {
		return d.Errorf(node, "%s must be a mapping of keys to values, not %s", path, KindOf(node))
	}
	lines := make(map[string]int, len(node.Content)/2)
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		if key.Kind != yaml.ScalarNode {
			return d.Errorf(key, "a key in %s is not plain text", path)
		}
		if line, ok := lines[key.Value]; ok {
			return d.Errorf(key, "%s has the key %q twice, first on line %d", path, key.Value, line).
				WithHint("keep one of them")
		}
		lines[key.Value] = key.Line
		if value.Kind == yaml.AliasNode {
			return d.Errorf(value, "%s is an alias", d.Join(path, key.Value)).
				WithHint("write the value out: a reviewer should not have to follow references")
		}
		if err := each(key, value); err != nil {
			return err
		}
	}
	return nil
}

// Mapping reads a mapping whose keys are those of fields, each at most once.
func (d Decoder) Mapping(node *yaml.Node, path string, fields ...Field) error {
	return d.Entries(node, path, func(key, value *yaml.Node) error {
		for _, f := range fields {
			if f.key == key.Value {
				return f.decode(value, d.Join(path, key.Value))
			}
		}
		keys := make([]string, len(fields))
		for i, f := range fields {
			keys[i] = f.key
		}
		return d.Unknown(key, path+" has no key", keys)
	})
}

// Unknown says that node's value is none of the known words and names the nearest.
func (d Decoder) Unknown(node *yaml.Node, what string, known []string) error {
	e := d.Errorf(node, "%s %q", what, node.Value)
	if near := tallystick.Nearest(node.Value, known); near != "" {
		return e.WithHint("did you mean %q?", near)
	}
	return e.WithHint("use one of %s", List(known))
}

// Join returns the path of a key of what is at path.
func (d Decoder) Join(path, key string) string {
	if path == d.Root() {
		return key
	}
	return path + "." + key
}

// Root is what messages call the outermost mapping: the path to begin with.
func (d Decoder) Root() string { return "the " + d.Noun }

// KindOf says what a node is, for a message.
func KindOf(node *yaml.Node) string {
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

// Scalar refuses everything but one plain value.
func (d Decoder) Scalar(node *yaml.Node, path, want string) error {
	if node.Kind != yaml.ScalarNode || node.Tag == "!!null" || node.Tag == "!!binary" {
		return d.Errorf(node, "%s must be %s, not %s", path, want, KindOf(node))
	}
	return nil
}

// Text reads one plain value as text.
func (d Decoder) Text(dst *string) Decode {
	return func(node *yaml.Node, path string) error {
		if err := d.Scalar(node, path, "text"); err != nil {
			return err
		}
		*dst = node.Value
		return nil
	}
}

// Boolean reads true or false.
func (d Decoder) Boolean(set func(bool)) Decode {
	return func(node *yaml.Node, path string) error {
		if node.Kind != yaml.ScalarNode || node.Tag != "!!bool" {
			return d.Errorf(node, "%s must be true or false, not %s", path, KindOf(node))
		}
		set(strings.EqualFold(node.Value, "true"))
		return nil
	}
}

// Choice reads one of words.
func (d Decoder) Choice(set func(string), words ...string) Decode {
	return func(node *yaml.Node, path string) error {
		if err := d.Scalar(node, path, "one of "+List(words)); err != nil {
			return err
		}
		for _, w := range words {
			if w == node.Value {
				set(w)
				return nil
			}
		}
		return d.Unknown(node, path+" cannot be", words)
	}
}

// Float returns the finite number that node holds.
func (d Decoder) Float(node *yaml.Node, path string) (float64, error) {
	var v float64
	if node.Kind != yaml.ScalarNode || node.Tag != "!!int" && node.Tag != "!!float" || node.Decode(&v) != nil {
		return 0, d.Errorf(node, "%s must be a number, not %s", path, KindOf(node))
	}
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return 0, d.Errorf(node, "%s must be a finite number, not %s", path, node.Value)
	}
	return v, nil
}

// Number reads a number between low and high.
func (d Decoder) Number(dst **float64, low, high float64) Decode {
	return func(node *yaml.Node, path string) error {
		v, err := d.Float(node, path)
		if err != nil {
			return err
		}
		if v < low || v > high {
			return d.Errorf(node, "%s is %s, which is not between %s and %s", path, node.Value, figureOf(low), figureOf(high))
		}
		*dst = &v
		return nil
	}
}

// Share reads a share of rows, 0.02 or 2%.
func (d Decoder) Share(dst **float64) Decode {
	return func(node *yaml.Node, path string) error {
		v, err := d.Fraction(node, path)
		if err != nil {
			return err
		}
		*dst = &v
		return nil
	}
}

// Fraction returns the share of rows that node holds, 0.02 or 2%.
func (d Decoder) Fraction(node *yaml.Node, path string) (float64, error) {
	var v float64
	if digits, ok := strings.CutSuffix(node.Value, "%"); ok && node.Kind == yaml.ScalarNode {
		// By exponent, so that 0.7% is the very number that 0.007 is.
		var err error
		if v, err = strconv.ParseFloat(strings.TrimSpace(digits)+"e-2", 64); err != nil {
			return 0, d.Errorf(node, "%s must be a share such as 0.02 or 2%%, not %q", path, node.Value)
		}
	} else {
		var err error
		if v, err = d.Float(node, path); err != nil {
			return 0, err
		}
	}
	if !(v >= 0 && v <= 1) {
		return 0, d.Errorf(node, "%s is %s, which is no share of rows", path, node.Value).
			WithHint("a share lies between 0 and 1; write two per cent as 0.02 or 2%%")
	}
	return v, nil
}

// Count reads a whole number from low upwards.
func (d Decoder) Count(dst **int64, low int64) Decode {
	return func(node *yaml.Node, path string) error {
		var v int64
		if node.Kind != yaml.ScalarNode || node.Tag != "!!int" || node.Decode(&v) != nil || v < low {
			return d.Errorf(node, "%s must be a whole number from %d upwards, not %s", path, low, KindOf(node))
		}
		*dst = &v
		return nil
	}
}

// Duration reads 90m, 36h, 30d or 2w.
func (d Decoder) Duration(dst *time.Duration) Decode {
	return func(node *yaml.Node, path string) error {
		v, ok := ParseDuration(node.Value)
		if node.Kind != yaml.ScalarNode || !ok {
			return d.Errorf(node, "%s must be a duration, not %s", path, KindOf(node)).WithHint("write 90m, 36h, 30d or 2w")
		}
		*dst = v
		return nil
	}
}

// maxDuration keeps arithmetic on nanoseconds far from overflow.
const maxDuration = 100 * 365 * 24 * time.Hour

// ParseDuration reads 90m, 36h, 30d or 2w.
func ParseDuration(s string) (time.Duration, bool) {
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

// List joins words as "a, b or c".
func List(words []string) string {
	if len(words) == 1 {
		return words[0]
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

func figureOf(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
