package trail

import (
	"fmt"
	"reflect"

	"github.com/tallystick/tallystick"
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

// data returns the data of the event that e describes: the common fields and those of the type,
// absent ones as nil. An entry that lacks a required field or has one that its type does not know
// is an Invalid error.
func (e Entry) data(d Definition, p phase, intent string) (map[string]any, error) {
	if err := e.check(p); err != nil {
		return nil, fmt.Errorf("event %s: %w", d.Type.Short(), err)
	}
	data := make(map[string]any, len(commonFields)+len(d.Fields))
	left := len(e.Data)
	for _, f := range d.Fields {
		value, given := e.Data[f.Name]
		if given {
			left--
		}
		if absent(value) {
			if f.Required && p != phaseIntent && e.Outcome == tallystick.Success {
				return nil, tallystick.Errorf(tallystick.Invalid, "event %s has no %s", d.Type.Short(), f.Name).
					WithHint("its %s is required: %s", f.Kind, f.Description)
			}
			data[f.Name] = nil
			continue
		}
		if err := f.Kind.check(value); err != nil {
			return nil, tallystick.Errorf(tallystick.Invalid, "event %s: %s: %w", d.Type.Short(), f.Name, err)
		}
		data[f.Name] = value
	}
	if left > 0 {
		for name := range e.Data {
			if _, known := data[name]; !known {
				return nil, tallystick.Errorf(tallystick.Invalid, "event %s has a field %q that its type does not know", d.Type.Short(), name).
					WithHint("add it to the type's definition, public or not")
			}
		}
	}
	data["action"] = d.Action
	data["actor"] = map[string]any{"id": e.Actor.ID, "kind": e.Actor.Kind}
	data["resource"] = map[string]any{"type": e.Resource.Type, "id": e.Resource.ID}
	data["purpose"] = textOrNil(e.Purpose)
	data["description"] = textOrNil(e.Description)
	data["context"] = nil
	if len(e.Context) > 0 {
		data["context"] = e.Context
	}
	if e.Outcome != "" {
		data["outcome"] = string(e.Outcome)
	}
	if p != "" {
		data["phase"] = string(p)
	}
	if intent != "" {
		data["intent"] = intent
	}
	return data, nil
}

func (e Entry) check(p phase) error {
	for _, f := range []struct {
		name, value string
		required    bool
	}{
		{"actor id", e.Actor.ID, true},
		{"actor kind", e.Actor.Kind, true},
		{"resource type", e.Resource.Type, true},
		{"resource id", e.Resource.ID, true},
		{"purpose", e.Purpose, false},
		{"description", e.Description, false},
	} {
		if f.required && f.value == "" {
			return tallystick.Errorf(tallystick.Invalid, "no %s is given", f.name)
		}
		if len(f.value) > maxText {
			return tallystick.Errorf(tallystick.Invalid, "the %s is %d bytes long, the limit is %d", f.name, len(f.value), maxText)
		}
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
	case Number:
		ok = v.CanInt() || v.CanUint() || v.CanFloat()
	case Object:
		ok = v.Kind() == reflect.Map
	}
	if !ok {
		return fmt.Errorf("a %T is no %s", value, k)
	}
	return nil
}
