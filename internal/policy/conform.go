package policy

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
)

// fields are the top-level fields that a document must have, and of which kind.
var fields = []struct {
	name     string
	kind     string
	nullable bool
	ofAudit  bool // null too where there is no report
}{
	{"schema", "string", false, false},
	{"now", "string", false, false},
	{"model", "object", false, false},
	{"environment", "string", true, false},
	{"release", "object", true, false},
	{"report", "object", true, false},
	{"limits", "object", false, true},
	{"criteria", "object", false, true},
	{"champion", "object", true, false},
	{"waivers", "array", false, false},
	{"freeze", "array", false, false},
}

// maxWrong bounds how much of what is wrong with a document is said.
const maxWrong = 8

// conform returns why document cannot be judged at all, or "". This is the layer below the rules:
// Rego takes a missing field for undefined, and a rule that only looks for something bad would
// then find nothing.
func conform(f *facts, tier tallystick.Tier) string {
	wrong, known := f.wrong[tier]
	if !known {
		wrong = f.deviations(tier)
		if !f.typed { // which several goroutines may judge
			f.wrong = map[tallystick.Tier]string{tier: wrong}
		}
	}
	return wrong
}

func (f *facts) deviations(tier tallystick.Tier) string {
	document := f.document
	var wrong []string
	for _, field := range fields {
		value, there := document[field.name]
		switch {
		case !there:
			wrong = append(wrong, field.name+" is missing")
		case value == nil && (field.nullable || field.ofAudit && document["report"] == nil):
		case kindOf(value) != field.kind:
			wrong = append(wrong, fmt.Sprintf("%s is %s and not %s", field.name, kindOf(value), field.kind))
		}
	}
	if schema, ok := document["schema"].(string); ok && schema != InputSchema {
		wrong = append(wrong, fmt.Sprintf("schema is %q and not %q", schema, InputSchema))
	}
	if model, ok := document["model"].(map[string]any); ok && model["tier"] != string(tier) {
		wrong = append(wrong, fmt.Sprintf("model.tier is %v but the policy was loaded for %s", model["tier"], tier))
	}
	if release := document["release"]; release != nil && !f.typed {
		for _, deviation := range deviations(release, reflect.TypeFor[Release]()) {
			wrong = append(wrong, "release"+deviation)
		}
		for _, deviation := range deviations(document["freeze"], reflect.TypeFor[[]Freeze]()) {
			wrong = append(wrong, "freeze"+deviation)
		}
	}
	slices.Sort(wrong)
	wrong = slices.Compact(wrong)
	if more := len(wrong) - maxWrong; more > 0 {
		wrong = append(wrong[:maxWrong], "and more")
	}
	return strings.Join(wrong, "; ")
}

// deviations says where value is not of the form that t has in JSON, each as the path below value and
// what is wrong there. Every field of t must be there: InputSchema stands for these fields, so that
// adding one to Release asks for a new schema, or recorded documents would no longer be judged. One that
// is omitempty may be missing.
func deviations(value any, t reflect.Type) (wrong []string) {
	if t.Kind() == reflect.Pointer {
		if value == nil {
			return nil
		}
		t = t.Elem()
	}
	if t == reflect.TypeFor[time.Time]() {
		text, _ := value.(string)
		if _, err := time.Parse(time.RFC3339Nano, text); err != nil {
			return []string{" is no time"}
		}
		return nil
	}
	if want := jsonKind(t); kindOf(value) != want {
		return []string{fmt.Sprintf(" is %s and not %s", kindOf(value), want)}
	}
	switch value := value.(type) {
	case []any:
		for i, element := range value {
			for _, deviation := range deviations(element, t.Elem()) {
				wrong = append(wrong, fmt.Sprintf("/%d%s", i, deviation))
			}
		}
	case map[string]any:
		for i := range t.NumField() {
			name, option, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
			part, there := value[name]
			if !there && option == "omitempty" {
				continue // it came later: documents that lack it say what its zero value says
			}
			if !there {
				wrong = append(wrong, "/"+name+" is missing")
				continue
			}
			for _, deviation := range deviations(part, t.Field(i).Type) {
				wrong = append(wrong, "/"+name+deviation)
			}
		}
	}
	return wrong[:min(len(wrong), maxWrong+1)]
}

func jsonKind(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "boolean"
	case reflect.String:
		return "string"
	case reflect.Slice:
		return "array"
	case reflect.Struct:
		return "object"
	}
	return "number"
}

func kindOf(value any) string {
	switch value.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case json.Number:
		return "number"
	case string:
		return "string"
	case []any:
		return "array"
	default:
		return "object"
	}
}
