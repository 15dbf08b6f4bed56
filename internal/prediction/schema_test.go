package prediction_test

import (
	"reflect"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tallystick/tallystick/internal/prediction"
)

// TestSchema makes the schema of the API from the type, as a door will: values are of any type, and
// features are objects of them. Each field has a description.
func TestSchema(t *testing.T) {
	t.Parallel()
	registry := huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)
	registry.RegisterTypeAlias(reflect.TypeFor[prediction.Value](), reflect.TypeFor[any]())
	registry.RegisterTypeAlias(reflect.TypeFor[prediction.Features](), reflect.TypeFor[map[string]any]())
	schema := huma.SchemaFromType(registry, reflect.TypeFor[prediction.Record]())
	if schema.Ref != "" {
		schema = registry.SchemaFromRef(schema.Ref)
	}
	for name, want := range map[string]string{
		"id": "string", "time": "string", "model": "string", "trace_id": "string", "input_digest": "string", "input_keyed": "boolean",
		"features": "object", "attributions": "object", "output": "", "score": "", "latency_us": "", "flags": "array", "extra": "",
	} {
		if p := schema.Properties[name]; p == nil || p.Type != want {
			t.Errorf("%s: %+v, not of type %q", name, p, want)
		}
	}
	for name, p := range schema.Properties {
		if p.Description == "" && p.Ref == "" {
			t.Errorf("%s has no description", name)
		}
	}
	if len(schema.Required) != 1 || schema.Required[0] != "model" {
		t.Errorf("required: %q", schema.Required)
	}
}
