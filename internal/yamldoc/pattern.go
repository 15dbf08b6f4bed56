package yamldoc

import (
	"fmt"
	"path"

	"go.yaml.in/yaml/v3"
)

// maxPatterns bounds a list of patterns.
const maxPatterns = 1000

// Pattern reads a pattern in which a star stands for any part between slashes, as in package path.
func (d Decoder) Pattern(dst *string) Decode {
	return func(node *yaml.Node, at string) error {
		if err := d.Text(dst)(node, at); err != nil {
			return err
		}
		if _, err := path.Match(*dst, ""); err != nil {
			return d.Errorf(node, "%s: %q is no pattern", at, *dst).WithHint("a * stands for any part between slashes")
		}
		return nil
	}
}

// Matches reports whether a pattern, which was tried when it was read, chooses a name. An empty one chooses all.
func Matches(pattern, name string) bool {
	if pattern == "" {
		return true
	}
	ok, _ := path.Match(pattern, name)
	return ok
}

// Patterns reads one pattern, or a list of them.
func (d Decoder) Patterns(dst *[]string) Decode {
	return func(node *yaml.Node, at string) error {
		items := []*yaml.Node{node}
		if node.Kind == yaml.SequenceNode {
			items = node.Content
		}
		if len(items) > maxPatterns {
			return d.Errorf(node, "%s has %d patterns, the limit is %d", at, len(items), maxPatterns)
		}
		for i, item := range items {
			var one string
			if err := d.Pattern(&one)(item, fmt.Sprintf("%s[%d]", at, i)); err != nil {
				return err
			}
			*dst = append(*dst, one)
		}
		return nil
	}
}
