// Package yamldoc reads YAML that people write and review: strictly, with the file, the line and the key in
// every error.
package yamldoc

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode"

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

// Errorf returns an Invalid error that begins with the file and the line of node. Whatever it repeats of the file, it is
// one line of a length that people read.
func (d Decoder) Errorf(node *yaml.Node, format string, args ...any) *tallystick.Error {
	e := tallystick.Errorf(tallystick.Invalid, format, args...)
	e.Message = d.File + ":" + strconv.Itoa(node.Line) + ": " + brief(e.Message)
	return e
}

// Wrap returns what is wrong with the text of a node as an error of its line.
func (d Decoder) Wrap(node *yaml.Node, err error) error {
	message, hint := tallystick.Words(err)
	return d.Errorf(node, "%s", message).WithHint("%s", brief(hint))
}

// maxMessage bounds a message, in characters.
const maxMessage = 300

// brief puts text on one line, and shortens it.
func brief(text string) string {
	if strings.ContainsFunc(text, unicode.IsControl) {
		text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) }), " ")
	}
	if characters := []rune(text); len(characters) > maxMessage {
		text = string(characters[:maxMessage]) + "…"
	}
	return text
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
	return brief(words)
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
	if len(known) == 0 {
		return e.WithHint("it has none")
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

// List joins words as "a, b or c".
func List(words []string) string {
	if len(words) == 1 {
		return words[0]
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}
