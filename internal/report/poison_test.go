package report_test

import (
	"reflect"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/performance"
	"github.com/tallystick/tallystick/internal/policy"
	"github.com/tallystick/tallystick/internal/report"
)

// poison replaces every free text of d by text.
func poison(d *report.Document, text string) { poisonValue(reflect.ValueOf(d).Elem(), text) }

// closed are the types of strings whose values the program chooses itself.
var closed = map[reflect.Type]bool{
	reflect.TypeFor[tallystick.Verdict](): true,
	reflect.TypeFor[tallystick.Tier]():    true,
	reflect.TypeFor[performance.Task]():   true,
	reflect.TypeFor[policy.Status]():      true,
}

func poisonValue(v reflect.Value, text string) {
	switch v.Kind() {
	case reflect.String:
		if v.CanSet() && !closed[v.Type()] {
			v.SetString(text)
		}
	case reflect.Pointer:
		if !v.IsNil() {
			poisonValue(v.Elem(), text)
		}
	case reflect.Slice:
		for i := range v.Len() {
			poisonValue(v.Index(i), text)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			poisonValue(v.Field(i), text)
		}
	}
}
