package obligation

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/tallystick/tallystick"
)

//go:embed controls.yaml
var controls []byte

// Schema names the form of a catalogue of controls.
const Schema = "tallystick.controls/v1"

// Level says how far evidence goes towards a control.
type Level string

// The levels.
const (
	Satisfies Level = "satisfies" // the part that a machine can check
	Supports  Level = "supports"  // people and process are still needed
	Nothing   Level = "none"      // nothing on record can show it
)

// Catalogue is the list of frameworks with their controls.
type Catalogue struct {
	Schema        string            `yaml:"schema"`
	Version       string            `yaml:"version"`
	AsOf          Date              `yaml:"as_of"`
	EvidenceTypes map[string]string `yaml:"evidence_types"`
	Milestones    []Milestone       `yaml:"milestones"`
	Frameworks    []Framework       `yaml:"frameworks"`
}

// Milestone is a day on which something begins to apply.
type Milestone struct {
	Date       Date   `yaml:"date"`
	What       string `yaml:"what"`
	Confidence string `yaml:"confidence"`
}

// Framework is a law, a standard or a guidance.
type Framework struct {
	ID         string    `yaml:"id"`
	Aliases    []string  `yaml:"aliases"` // other names by which it is asked for
	Title      string    `yaml:"title"`
	Version    string    `yaml:"version"`
	Status     string    `yaml:"status"`
	Source     string    `yaml:"source"`
	Confidence string    `yaml:"confidence"`
	Note       string    `yaml:"note"`
	Controls   []Control `yaml:"controls"`
}

// Control is one clause of a framework, in our words.
type Control struct {
	Ref        string            `yaml:"ref"`
	Title      string            `yaml:"title"`
	Section    string            `yaml:"section"`
	From       Date              `yaml:"from"`  // first day on which it applies; zero: it does
	Needs      []string          `yaml:"needs"` // what must hold of a model, see conditions
	Says       string            `yaml:"says"`
	Role       string            `yaml:"role"`
	Applies    string            `yaml:"applies"`
	Parts      []string          `yaml:"parts"`
	Params     map[string]string `yaml:"params"`
	Note       string            `yaml:"note"`
	Evidence   []string          `yaml:"evidence"`
	Level      Level             `yaml:"level"`
	Confidence string            `yaml:"confidence"`

	maxAge time.Duration // of any evidence for it; 0: as old as the tier allows
}

// Date is a day, in UTC.
type Date struct{ time.Time }

// UnmarshalYAML reads a day such as 2027-12-02.
func (d *Date) UnmarshalYAML(n *yaml.Node) (err error) {
	d.Time, err = time.Parse(time.DateOnly, n.Value)
	return err
}

// String returns the day, such as 2027-12-02, and nothing for none.
func (d Date) String() string {
	if d.IsZero() {
		return ""
	}
	return d.Format(time.DateOnly)
}

// Standard returns the catalogue of this program.
func Standard() (*Catalogue, error) { return Parse(controls) }

// Parse reads a catalogue. What it does not know it refuses: a field, an evidence type, a condition, a
// level; and whatever is there twice.
func Parse(data []byte) (*Catalogue, error) {
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	var c Catalogue
	if err := d.Decode(&c); err != nil {
		return nil, tallystick.Errorf(tallystick.Invalid, "catalogue of controls: %w", err)
	}
	if err := d.Decode(new(any)); !errors.Is(err, io.EOF) {
		return nil, tallystick.Errorf(tallystick.Invalid, "catalogue of controls: something follows the document")
	}
	if err := c.check(); err != nil {
		return nil, tallystick.Errorf(tallystick.Invalid, "catalogue of controls: %w", err)
	}
	return &c, nil
}

func (c *Catalogue) check() error {
	if c.Schema != Schema || c.Version == "" || c.AsOf.IsZero() {
		return fmt.Errorf("it is %q version %q of %q, not a dated %s", c.Schema, c.Version, c.AsOf, Schema)
	}
	for _, m := range c.Milestones {
		if m.Date.IsZero() || m.What == "" || !confident(m.Confidence) {
			return fmt.Errorf("milestone %q has no date, no words or no confidence", m.What)
		}
	}
	seen := map[string]bool{}
	for i := range c.Frameworks {
		f := &c.Frameworks[i]
		for _, name := range append([]string{f.ID}, f.Aliases...) {
			if seen[name] || name == "" {
				return fmt.Errorf("the name %q is given to two frameworks", name)
			}
			seen[name] = true
		}
		if err := f.check(c.EvidenceTypes); err != nil {
			return fmt.Errorf("framework %s: %w", f.ID, err)
		}
	}
	return nil
}

func (f *Framework) check(types map[string]string) error {
	if f.Title == "" || f.Version == "" || f.Source == "" || !confident(f.Confidence) {
		return errors.New("title, version, source or confidence is missing")
	}
	seen := map[string]bool{}
	for i := range f.Controls {
		c := &f.Controls[i]
		if c.Ref == "" || seen[c.Ref] {
			return fmt.Errorf("control %d: the reference %q is empty or not the first", i+1, c.Ref)
		}
		seen[c.Ref] = true
		if err := c.check(types); err != nil {
			return fmt.Errorf("control %s: %w", c.Ref, err)
		}
	}
	return nil
}

func (c *Control) check(types map[string]string) (err error) {
	switch {
	case c.Title == "" || c.Role == "" || !confident(c.Confidence):
		return errors.New("title, role or confidence is missing")
	case c.Level != Satisfies && c.Level != Supports && c.Level != Nothing:
		return fmt.Errorf("there is no level %q", c.Level)
	case len(c.Evidence) == 0:
		return errors.New("it asks for no evidence")
	}
	for i, id := range c.Evidence {
		if types[id] == "" || slices.Contains(c.Evidence[:i], id) {
			return fmt.Errorf("evidence type %q is not known, or asked for twice", id)
		}
	}
	for _, need := range c.Needs {
		if _, known := conditions()[need]; !known {
			return fmt.Errorf("there is no condition %q", need)
		}
	}
	if age := c.Params["max_age"]; age != "" {
		c.maxAge, err = parsePeriod(age)
	}
	return err
}

func confident(word string) bool { return word == "high" || word == "medium" || word == "low" }

// parsePeriod reads an ISO 8601 duration of whole years, months or days; a year has 365 days and a month 30.
func parsePeriod(s string) (time.Duration, error) {
	days := map[string]int{"D": 1, "M": 30, "Y": 365}
	for unit, length := range days {
		number, found := strings.CutSuffix(s, unit)
		n, err := strconv.Atoi(strings.TrimPrefix(number, "P"))
		if found && strings.HasPrefix(number, "P") && err == nil && n > 0 && n < 1000 {
			return time.Duration(n*length) * 24 * time.Hour, nil
		}
	}
	return 0, fmt.Errorf("%q is no period such as P1Y, P6M or P90D", s)
}

// Framework returns the framework of that name or alias, or a NotFound error.
func (c *Catalogue) Framework(name string) (*Framework, error) {
	var names []string
	for i := range c.Frameworks {
		f := &c.Frameworks[i]
		if f.ID == name || slices.Contains(f.Aliases, name) {
			return f, nil
		}
		names = append(names, f.ID)
	}
	return nil, tallystick.Errorf(tallystick.NotFound, "there is no framework %q", name).WithHint("use one of %s", strings.Join(names, ", "))
}
