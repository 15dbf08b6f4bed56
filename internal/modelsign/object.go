package modelsign

import (
	"encoding/json"
	"slices"

	"github.com/tallystick/tallystick"
)

// object is a JSON object whose members are known by their exact names; encoding/json alone takes
// names in any case.
type object struct {
	what    string
	members map[string]json.RawMessage
}

// parseObject reads an object whose members are all in known. CheckJSON has seen data before.
func parseObject(what string, data []byte, known ...string) (object, error) {
	o, err := parseOpenObject(what, data)
	if err != nil {
		return object{}, err
	}
	for name := range o.members {
		if !slices.Contains(known, name) {
			return object{}, tallystick.Errorf(tallystick.Invalid, "%s has the unknown member %q", what, name)
		}
	}
	return o, nil
}

// parseOpenObject is parseObject for objects that the specification leaves open to extension.
func parseOpenObject(what string, data []byte) (object, error) {
	o := object{what: what}
	if err := json.Unmarshal(data, &o.members); err != nil || o.members == nil {
		return object{}, tallystick.Errorf(tallystick.Invalid, "%s is not a json object", what)
	}
	return o, nil
}

func (o object) has(name string) bool { return o.members[name] != nil }

// get reads a member that must be there, and not null.
func (o object) get(name string, v any) error {
	raw := o.members[name]
	if raw == nil {
		return tallystick.Errorf(tallystick.Invalid, "%s has no %q", o.what, name)
	}
	if string(raw) == "null" {
		return tallystick.Errorf(tallystick.Invalid, "%q of %s is null", name, o.what)
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return tallystick.Errorf(tallystick.Invalid, "%q of %s is not of the right type", name, o.what)
	}
	return nil
}

// want checks that a member is a string of exactly this value.
func (o object) want(name, value string) error {
	var got string
	if err := o.get(name, &got); err != nil {
		return err
	}
	if got != value {
		return tallystick.Errorf(tallystick.Invalid, "%q of %s is %q, want %q", name, o.what, got, value)
	}
	return nil
}
