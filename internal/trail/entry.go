package trail

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/verify"
)

// Entry is what a package says of an event; the recorder adds identity, time and place.
type Entry struct {
	Type        Type
	Actor       Actor
	Resource    Resource
	Outcome     tallystick.Outcome
	Purpose     string         // may be empty
	Description string         // a sentence; may be empty
	Context     map[string]any // circumstances; sealed; may be nil
	Data        map[string]any // the fields of the type, by name
}

// Actor is who did something. Its id is sealed: it names a person.
type Actor struct {
	ID   string
	Kind string // "person", "service" or "program"; public
}

// Resource is what something was done to. Both of its fields are public.
type Resource struct {
	Type string // "model", "version", "key", ...
	ID   string
}

// phase tells the two events of an intent from all others.
type phase string

const (
	phaseIntent  phase = "intent"
	phaseOutcome phase = "outcome"
)

const maxText = 4096 // bytes of a description, a purpose, an id

// kind is a definition prepared for encoding.
type kind struct {
	Definition
	members []member // in canonical order
	name    any      // of the type; as any, like action, once and for all
	action  any
}

// member is one member of an event's data.
type member struct {
	Field
	common bool // a field that all events have
}

func newKind(d Definition) *kind {
	k := &kind{Definition: d, name: string(d.Type), action: d.Action}
	for _, f := range commonFields {
		k.members = append(k.members, member{f, true})
	}
	for _, f := range d.Fields {
		k.members = append(k.members, member{f, false})
	}
	slices.SortFunc(k.members, func(a, b member) int { return strings.Compare(a.Name, b.Name) }) // names are ASCII
	return k
}

// scratch is the working memory of a draft.
type scratch struct {
	drafter         verify.Drafter
	data            []verify.Member
	actor, resource [2]verify.Member
}

// data returns the data of the event that e describes: the common fields and those of the type,
// absent ones as nil. An entry that lacks a required field or has one that its type does not know
// is an Invalid error.
func (e *Entry) data(s *scratch, k *kind, p phase, intent string) ([]verify.Member, error) {
	if err := e.check(p); err != nil {
		return nil, fmt.Errorf("event %s: %w", k.Type.Short(), err)
	}
	data := s.data[:0]
	left := len(e.Data)
	for _, m := range k.members {
		if m.common {
			if member, present := e.common(s, m.Name, k, p, intent); present {
				member.Name, member.Public = m.Name, m.Public
				data = append(data, member)
			}
			continue
		}
		value, given := e.Data[m.Name]
		if given {
			left--
		}
		if absent(value) {
			if m.Required && p != phaseIntent && e.Outcome == tallystick.Success {
				return nil, tallystick.Errorf(tallystick.Invalid, "event %s has no %s", k.Type.Short(), m.Name).
					WithHint("its %s is required: %s", m.Kind, m.Description)
			}
			value = nil
		} else if err := m.Kind.check(value); err != nil {
			return nil, tallystick.Errorf(tallystick.Invalid, "event %s: %s: %w", k.Type.Short(), m.Name, err)
		}
		data = append(data, verify.Member{Name: m.Name, Value: value, Public: m.Public})
	}
	if left > 0 {
		return nil, e.unknownField(k)
	}
	s.data = data
	return data, nil
}

// common returns one of commonFields; present is false if the event goes without it.
func (e *Entry) common(s *scratch, name string, k *kind, p phase, intent string) (m verify.Member, present bool) {
	present = true
	switch name {
	case "action":
		m.Value = k.action
	case "actor":
		s.actor = [...]verify.Member{{Name: "id", Value: e.Actor.ID}, {Name: "kind", Value: e.Actor.Kind, Public: true}}
		m.Members = s.actor[:]
	case "context":
		if len(e.Context) > 0 {
			m.Value = e.Context
		}
	case "description":
		m.Value = textOrNil(e.Description)
	case "intent":
		m.Value, present = intent, intent != ""
	case "outcome":
		m.Value, present = string(e.Outcome), e.Outcome != ""
	case "phase":
		m.Value, present = string(p), p != ""
	case "purpose":
		m.Value = textOrNil(e.Purpose)
	case "resource":
		s.resource = [...]verify.Member{{Name: "id", Value: e.Resource.ID, Public: true}, {Name: "type", Value: e.Resource.Type, Public: true}}
		m.Members = s.resource[:]
	}
	return m, present
}

func (e *Entry) unknownField(k *kind) error {
	for _, name := range slices.Sorted(maps.Keys(e.Data)) {
		if !slices.ContainsFunc(k.Fields, func(f Field) bool { return f.Name == name }) {
			return tallystick.Errorf(tallystick.Invalid, "event %s has a field %q that its type does not know", k.Type.Short(), name).
				WithHint("add it to the type's definition, public or not")
		}
	}
	return nil
}

func (e *Entry) check(p phase) error {
	if err := cmp.Or(
		checkText("actor id", e.Actor.ID, true),
		checkText("actor kind", e.Actor.Kind, true),
		checkText("resource type", e.Resource.Type, true),
		checkText("resource id", e.Resource.ID, true),
		checkText("purpose", e.Purpose, false),
		checkText("description", e.Description, false),
	); err != nil {
		return err
	}
	switch e.Outcome {
	case tallystick.Success, tallystick.Denied, tallystick.Failed:
		if p == phaseIntent {
			return tallystick.Errorf(tallystick.Invalid, "an intent has no outcome yet, but %q is given", e.Outcome)
		}
	case "":
		if p != phaseIntent {
			return tallystick.Errorf(tallystick.Invalid, "no outcome is given")
		}
	default:
		return tallystick.Errorf(tallystick.Invalid, "outcome %q is not success, denied or failed", e.Outcome)
	}
	return nil
}

func checkText(name, value string, required bool) error {
	if required && value == "" {
		return tallystick.Errorf(tallystick.Invalid, "no %s is given", name)
	}
	if len(value) > maxText {
		return tallystick.Errorf(tallystick.Invalid, "the %s is %d bytes long, the limit is %d", name, len(value), maxText)
	}
	return nil
}

func textOrNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// absent reports whether a field has no value: nil, an empty text or an empty list.
func absent(value any) bool {
	switch v := value.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case tallystick.Digest:
		return v == ""
	}
	switch v := reflect.ValueOf(value); v.Kind() {
	case reflect.Slice, reflect.Map:
		return v.Len() == 0
	}
	return false
}

// check reports whether value is of kind k. It keeps a slip, such as a path in the place of a
// digest, out of the public leaf.
func (k Kind) check(value any) error {
	v := reflect.ValueOf(value)
	ok := true
	switch k {
	case Text:
		ok = v.Kind() == reflect.String
	case Digest:
		if ok = v.Kind() == reflect.String; ok {
			return tallystick.Digest(v.String()).Validate()
		}
	case Digests:
		ok = v.Kind() == reflect.Slice
		for i := 0; ok && i < v.Len(); i++ {
			if err := Digest.check(v.Index(i).Interface()); err != nil {
				return fmt.Errorf("element %d: %w", i, err)
			}
		}
	case List:
		ok = v.Kind() == reflect.Slice
		for i := 0; ok && i < v.Len(); i++ {
			if err := Text.check(v.Index(i).Interface()); err != nil {
				return fmt.Errorf("element %d: %w", i, err)
			}
		}
	case Objects:
		ok = v.Kind() == reflect.Slice
		for i := 0; ok && i < v.Len(); i++ {
			if err := Object.check(v.Index(i).Interface()); err != nil {
				return fmt.Errorf("element %d: %w", i, err)
			}
		}
	case Number:
		ok = v.CanInt() || v.CanUint() || v.CanFloat()
	case Flag:
		ok = v.Kind() == reflect.Bool
	case Object:
		ok = v.Kind() == reflect.Map
	}
	if !ok {
		return fmt.Errorf("a %T is no %s", value, k)
	}
	return nil
}
