package lineage

import (
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tallystick/tallystick"
)

// Kind says what a node stands for.
type Kind string

// The kinds of nodes.
const (
	Source         Kind = "source"         // where data comes from, or lies and changes: a table, a topic, a directory
	Transformation Kind = "transformation" // what makes data from data: a job, a stage, a script
	Snapshot       Kind = "snapshot"       // data that does not change
	Run            Kind = "run"            // one execution, such as a training
	Version        Kind = "version"        // of a model; its id is model@version
	Deployment     Kind = "deployment"     // a version that serves
	Segment        Kind = "segment"        // predictions that were recorded together
	Feature        Kind = "feature"        // what a model sees
	Column         Kind = "column"         // of a source or snapshot
	Code           Kind = "code"           // a commit
	Image          Kind = "image"          // a container image
)

// Kinds returns the kinds in the order in which data flows.
func Kinds() []Kind {
	return []Kind{Source, Column, Feature, Transformation, Code, Image, Snapshot, Run, Version, Deployment, Segment}
}

func (k Kind) validate() error {
	if slices.Contains(Kinds(), k) {
		return nil
	}
	return tallystick.Errorf(tallystick.Invalid, "%.40q is no kind of node", string(k)).WithHint("kinds are %s", kindList())
}

// fixed reports whether what a node of this kind stands for never changes, so that it has one digest.
func (k Kind) fixed() bool {
	switch k {
	case Snapshot, Version, Segment, Code, Image:
		return true
	}
	return false
}

// owned reports whether nodes of this kind may belong to a model.
func (k Kind) owned() bool {
	switch k {
	case Run, Version, Deployment, Segment, Feature:
		return true
	}
	return false
}

const maxID = 512 // bytes

// Ref names a node. Its text form is kind:id, as in "version:credit@3".
type Ref struct {
	Kind Kind
	ID   string
}

// ParseRef reads the text form of a Ref, or returns an Invalid error.
func ParseRef(s string) (Ref, error) {
	kind, id, found := strings.Cut(s, ":")
	if !found {
		return Ref{}, tallystick.Errorf(tallystick.Invalid, "%.80q names no node", s).
			WithHint("write kind:id, such as version:credit@3; kinds are %s", kindList())
	}
	r := Ref{Kind(kind), id}
	return r, r.Validate()
}

// VersionRef returns the node of a version of a model.
func VersionRef(model, version string) Ref { return Ref{Version, model + "@" + version} }

// Validate returns an Invalid error unless r can name a node: a known kind, and an id of 1 to 512
// bytes of UTF-8 without control characters; of a version, the name of a model, "@" and of a version.
func (r Ref) Validate() error {
	if err := r.Kind.validate(); err != nil {
		return err
	}
	if r.ID == "" || len(r.ID) > maxID || !plain(r.ID) {
		return tallystick.Errorf(tallystick.Invalid, "id %.80q of a %s is not usable", r.ID, r.Kind).
			WithHint("use 1 to %d bytes of UTF-8 without control characters", maxID)
	}
	if r.Kind != Version {
		return nil
	}
	model, version, found := strings.Cut(r.ID, "@")
	if !found {
		return tallystick.Errorf(tallystick.Invalid, "id %.80q of a version has no @", r.ID).WithHint("write model@version, such as credit@3")
	}
	if err := tallystick.ValidateName("model", model); err != nil {
		return err
	}
	return tallystick.ValidateName("version", version)
}

// String returns the text form.
func (r Ref) String() string { return string(r.Kind) + ":" + r.ID }

// MarshalText writes the text form.
func (r Ref) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads the text form.
func (r *Ref) UnmarshalText(text []byte) (err error) {
	*r, err = ParseRef(string(text))
	return err
}

func kindList() string {
	var words []string
	for _, k := range Kinds() {
		words = append(words, string(k))
	}
	return strings.Join(words, ", ")
}

// plain reports whether s can stand in one line of text.
func plain(s string) bool { return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl) }

// Node is something that data flows into, through or out of.
type Node struct {
	Ref    Ref               `json:"node" doc:"kind:id, such as version:credit@3"`
	Label  string            `json:"label,omitempty" doc:"name for people; it may change"`
	Digest tallystick.Digest `json:"digest,omitempty" doc:"of what never changes: snapshot, version, segment, code, image"`
	Model  string            `json:"model,omitempty" doc:"name of the model that a run, deployment, segment or feature belongs to"`
	Facts  map[string]string `json:"facts,omitempty" doc:"what else is known, such as schema or commit"`
	Event  uint64            `json:"event,omitempty" readOnly:"true" doc:"sequence of the first event that named the node"`
}

// The bounds of what is known of a node, all in bytes but the first.
const (
	maxFacts     = 64
	maxFactName  = 128
	maxFact      = 4 << 10
	maxFactBytes = 16 << 10 // of all values together
	maxLabel     = 512
	maxReason    = 2 << 10
)

// labelFact is the name under which a node's label is kept with its facts.
const labelFact = "label"

func (n Node) validate() error {
	if err := n.Ref.Validate(); err != nil {
		return err
	}
	invalid := func(format string, args ...any) error {
		return tallystick.Errorf(tallystick.Invalid, "node %s: %w", n.Ref, tallystick.Errorf(tallystick.Invalid, format, args...))
	}
	if n.Digest != "" {
		if !n.Ref.Kind.fixed() {
			return tallystick.Errorf(tallystick.Invalid, "node %s: a %s changes and has no digest", n.Ref, n.Ref.Kind).
				WithHint("give the digest to the snapshot that was taken of it")
		}
		if err := n.Digest.Validate(); err != nil {
			return invalid("%w", err)
		}
	}
	if n.Model != "" {
		if !n.Ref.Kind.owned() {
			return invalid("a %s belongs to no model", n.Ref.Kind)
		}
		if err := tallystick.ValidateName("model", n.Model); err != nil {
			return invalid("%w", err)
		}
		if of, _, _ := strings.Cut(n.Ref.ID, "@"); n.Ref.Kind == Version && of != n.Model {
			return invalid("it cannot belong to model %q", n.Model)
		}
	}
	if len(n.Label) > maxLabel || !plain(n.Label) {
		return invalid("its label is longer than %d bytes or no plain text", maxLabel)
	}
	if len(n.Facts) > maxFacts {
		return invalid("it has %d facts, the limit is %d", len(n.Facts), maxFacts)
	}
	total := 0
	for _, name := range slices.Sorted(maps.Keys(n.Facts)) {
		value := n.Facts[name]
		total += len(value)
		switch {
		case name == labelFact:
			return invalid("the label stands beside the facts, not among them")
		case name == "" || len(name) > maxFactName || !plain(name):
			return invalid("a fact cannot be called %.80q", name)
		case value == "" || len(value) > maxFact || !text(value):
			return invalid("its fact %q is empty, longer than %d bytes or no text", name, maxFact)
		}
	}
	if total > maxFactBytes {
		return invalid("its facts are %d bytes long, the limit is %d", total, maxFactBytes)
	}
	return nil
}

// text reports whether s is text of several lines at most.
func text(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' })
}

// said returns facts and label under one roof.
func (n Node) said() map[string]string {
	said := maps.Clone(n.Facts)
	if n.Label != "" {
		if said == nil {
			said = map[string]string{}
		}
		said[labelFact] = n.Label
	}
	return said
}

// model returns the model that the node belongs to, as far as it says so itself.
func (n Node) model() string {
	if n.Ref.Kind == Version {
		model, _, _ := strings.Cut(n.Ref.ID, "@")
		return model
	}
	return n.Model
}
