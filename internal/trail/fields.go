package trail

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"sync"
)

// fieldReader returns the data of a change as json.Marshal and json.Unmarshal would, one after the other: its
// fields by their JSON names. It looks at each type once, and encodes only what is no text, whole number or
// truth: of the time that an event takes, both encodings were a tenth.
type fieldReader struct {
	types sync.Map // from reflect.Type to []changeField
}

// changeField is a field of a change.
type changeField struct {
	name  string
	index []int // as for reflect.Value.FieldByIndex
	empty func(reflect.Value) bool
	plain func(reflect.Value) (any, error)
}

func (r *fieldReader) data(change Change) (map[string]any, error) {
	v := reflect.ValueOf(change)
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct || takesCare(v.Type()) {
		return encoded(change)
	}
	v = v.Elem()
	known, ok := r.types.Load(v.Type())
	if !ok {
		known, _ = r.types.LoadOrStore(v.Type(), changeFields(v.Type(), nil))
	}
	fields := known.([]changeField)
	if fields == nil {
		return encoded(change)
	}
	data := make(map[string]any, len(fields))
	for _, f := range fields {
		value := v.FieldByIndex(f.index)
		if f.empty(value) {
			continue
		}
		plain, err := f.plain(value)
		if err != nil {
			return nil, fmt.Errorf("field %s: %w", f.name, err)
		}
		data[f.name] = plain
	}
	return data, nil
}

func encoded(change any) (data map[string]any, err error) {
	raw, err := json.Marshal(change)
	if err == nil {
		err = json.Unmarshal(raw, &data)
	}
	return data, err
}

// changeFields returns the fields of a struct, those of embedded structs among them, or nil if it has
// some that only encoding/json understands.
func changeFields(t reflect.Type, at []int) []changeField {
	fields := []changeField{}
	seen := map[string]bool{}
	for i := range t.NumField() {
		f := t.Field(i)
		tag, tagged := f.Tag.Lookup("json")
		name, options, _ := strings.Cut(tag, ",")
		index := append(at[:len(at):len(at)], i)
		var found []changeField
		switch {
		case tag == "-" || !f.Anonymous && !f.IsExported():
			continue
		case f.Anonymous && name == "" && f.Type.Kind() == reflect.Struct && f.IsExported() && !takesCare(reflect.PointerTo(f.Type)):
			if found = changeFields(f.Type, index); found == nil {
				return nil
			}
		case f.Anonymous || !tagged || name == "":
			return nil
		default:
			field := changeField{name: name, index: index, plain: plainOf(f.Type)}
			switch options {
			case "":
				field.empty = func(reflect.Value) bool { return false }
			case "omitempty":
				field.empty = isEmpty
			case "omitzero":
				field.empty = reflect.Value.IsZero
			default:
				return nil
			}
			if options == "omitzero" && f.Type.Kind() == reflect.Struct {
				return nil // it may know itself what zero is
			}
			found = []changeField{field}
		}
		for _, field := range found {
			if seen[field.name] {
				return nil // which of two counts is a matter of depth
			}
			seen[field.name] = true
		}
		fields = append(fields, found...)
	}
	return fields
}

// isEmpty reports what omitempty leaves out.
func isEmpty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Array, reflect.Map, reflect.Slice, reflect.String:
		return v.Len() == 0
	case reflect.Struct:
		return false
	}
	return v.IsZero()
}

// plainOf returns what makes JSON's own types of values of type t.
func plainOf(t reflect.Type) func(reflect.Value) (any, error) {
	switch {
	case takesCare(reflect.PointerTo(t)):
	case t.Kind() == reflect.String:
		return func(v reflect.Value) (any, error) { return v.String(), nil }
	case t.Kind() == reflect.Bool:
		return func(v reflect.Value) (any, error) { return v.Bool(), nil }
	case t.Kind() == reflect.Int || t.Kind() == reflect.Int64:
		return func(v reflect.Value) (any, error) { return float64(v.Int()), nil }
	}
	return func(v reflect.Value) (plain any, err error) {
		raw, err := json.Marshal(v.Addr().Interface())
		if err == nil {
			err = json.Unmarshal(raw, &plain)
		}
		return plain, err
	}
}

// takesCare reports whether values to which t points write their JSON themselves.
func takesCare(t reflect.Type) bool {
	return t.Implements(reflect.TypeFor[json.Marshaler]()) || t.Implements(reflect.TypeFor[encoding.TextMarshaler]())
}
