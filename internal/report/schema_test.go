package report_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/performance"
	"github.com/tallystick/tallystick/internal/policy"
	"github.com/tallystick/tallystick/internal/report"
	"github.com/tallystick/tallystick/internal/stat"
)

var update = flag.Bool("update", false, "write the golden files and the schema")

const schemaFile = "schema/report-v1.schema.json"

// TestSchemaIsCurrent derives the schema from the Go types and their comments, and compares it
// with the published file. A difference is a change of a documented format: it needs either to be
// undone or, if no reader can break by it, -update.
func TestSchemaIsCurrent(t *testing.T) {
	t.Parallel()
	b := schemaBuilder{defs: map[string]any{}, comments: readComments(t)}
	root := b.object(reflect.TypeFor[report.Document]())
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["$id"] = report.Schema
	root["title"] = "Tallystick audit report, version 1"
	root["properties"].(map[string]any)["schema"] = map[string]any{"const": report.Schema}
	root["$defs"] = b.defs
	var got bytes.Buffer
	enc := json.NewEncoder(&got)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(root); err != nil {
		t.Fatal(err)
	}
	compareGolden(t, schemaFile, got.String())
}

func compareGolden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-file +now); if that is right, run the test with -update:\n%s", path, diff)
	}
}

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	data, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource(report.Schema, doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(report.Schema)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestDocumentsKeepTheSchema(t *testing.T) {
	t.Parallel()
	schema := compiled(t)
	for name, d := range map[string]*report.Document{"compas": compas(), "stream": stream(34, 5, 3), "quiet": quiet()} {
		var b bytes.Buffer
		if err := report.WriteJSON(&b, d); err != nil {
			t.Fatal(err)
		}
		instance, err := jsonschema.UnmarshalJSON(&b)
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(instance); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		object := instance.(map[string]any)
		for _, spoil := range []func(){
			func() { object["surprise"] = 1 },
			func() { delete(object, "surprise"); object["schema"] = "v0" },
			func() { object["schema"] = report.Schema; delete(object, "gate") },
		} {
			if spoil(); schema.Validate(instance) == nil {
				t.Errorf("%s: the schema takes a spoilt document", name)
			}
		}
	}
}

// schemaBuilder turns Go types into JSON Schema.
type schemaBuilder struct {
	defs     map[string]any
	comments map[string]string // "package.Type" and "package.Type.Field"
}

var number = map[string]any{"type": []string{"number", "null"}}

// simple returns the schema of types that do not speak for themselves.
func simple(t reflect.Type) map[string]any {
	enum := func(values ...any) map[string]any { return map[string]any{"enum": values} }
	switch t {
	case reflect.TypeFor[stat.Number]():
		return number
	case reflect.TypeFor[stat.Interval]():
		return map[string]any{"type": "array", "items": number, "minItems": 2, "maxItems": 2, "description": "95 % interval [low, high], null bounds where there is none"}
	case reflect.TypeFor[stat.Estimate]():
		return map[string]any{"type": "object", "additionalProperties": false, "required": []string{"value", "ci", "n", "method"},
			"properties": map[string]any{"value": number, "ci": simple(reflect.TypeFor[stat.Interval]()), "n": map[string]any{"type": "integer"}, "method": map[string]any{"type": "string"}}}
	case reflect.TypeFor[time.Time]():
		return map[string]any{"type": "string", "format": "date-time"}
	case reflect.TypeFor[tallystick.Digest]():
		return map[string]any{"type": "string", "pattern": "^(sha256:[0-9a-f]{64})?$"}
	case reflect.TypeFor[tallystick.Verdict]():
		return enum(tallystick.Pass, tallystick.Warn, tallystick.Fail, tallystick.Inconclusive, tallystick.Insufficient)
	case reflect.TypeFor[tallystick.Tier]():
		return enum(tallystick.TierLow, tallystick.TierLimited, tallystick.TierHigh)
	case reflect.TypeFor[performance.Task]():
		return enum(performance.Binary, performance.Multiclass, performance.Regression, performance.Ranking)
	case reflect.TypeFor[policy.Status]():
		return enum(policy.Pass, policy.Warn, policy.Waived, policy.Fail, policy.Error, policy.Skip, policy.Inconclusive, policy.Insufficient)
	}
	return nil
}

func (b *schemaBuilder) of(t reflect.Type) map[string]any {
	if s := simple(t); s != nil && t != reflect.TypeFor[stat.Estimate]() {
		return s
	}
	switch t.Kind() {
	case reflect.Pointer:
		return b.of(t.Elem())
	case reflect.Slice:
		return map[string]any{"type": "array", "items": b.of(t.Elem())}
	case reflect.String:
		return map[string]any{"type": "string"}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Float64:
		return map[string]any{"type": "number"}
	case reflect.Int, reflect.Int64:
		return map[string]any{"type": "integer"}
	case reflect.Uint64:
		return map[string]any{"type": "integer", "minimum": 0}
	case reflect.Struct:
		name := t.String()
		if b.defs[name] == nil {
			b.defs[name] = true // so that a type within itself ends
			if s := simple(t); s != nil {
				s["description"] = b.comments[name]
				b.defs[name] = s
			} else {
				b.defs[name] = b.object(t)
			}
		}
		return map[string]any{"$ref": "#/$defs/" + name}
	}
	panic(fmt.Sprintf("no schema for %v", t))
}

func (b *schemaBuilder) object(t reflect.Type) map[string]any {
	properties, required := map[string]any{}, []string{}
	b.fields(t, properties, &required)
	o := map[string]any{"type": "object", "additionalProperties": false, "properties": properties, "required": required}
	if c := b.comments[t.String()]; c != "" {
		o["description"] = c
	}
	return o
}

func (b *schemaBuilder) fields(t reflect.Type, properties map[string]any, required *[]string) {
	for f := range t.Fields() {
		if f.Anonymous {
			b.fields(f.Type, properties, required)
			continue
		}
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		s := b.of(f.Type)
		if f.Type.Kind() == reflect.Pointer && options == "" {
			s = map[string]any{"anyOf": []any{s, map[string]any{"type": "null"}}}
		}
		if c := b.comments[t.String()+"."+f.Name]; c != "" {
			described := map[string]any{"description": c}
			for k, v := range s {
				if k != "description" {
					described[k] = v
				}
			}
			s = described
		}
		properties[name] = s
		if options == "" {
			*required = append(*required, name)
		}
	}
}

// readComments collects the comments of types and fields of the packages that make up a report.
func readComments(t *testing.T) map[string]string {
	t.Helper()
	comments := map[string]string{}
	set := token.NewFileSet()
	for _, dir := range []string{".", "../performance", "../fairness", "../drift", "../quality", "../contract", "../policy", "../stat"} {
		files, err := filepath.Glob(dir + "/*.go")
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range files {
			if strings.HasSuffix(path, "_test.go") {
				continue
			}
			f, err := parser.ParseFile(set, path, nil, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(f, func(n ast.Node) bool {
				if decl, ok := n.(*ast.GenDecl); ok && decl.Tok == token.TYPE {
					for _, spec := range decl.Specs {
						collect(comments, f.Name.Name, decl, spec.(*ast.TypeSpec))
					}
				}
				return true
			})
		}
	}
	return comments
}

func collect(comments map[string]string, pkg string, decl *ast.GenDecl, spec *ast.TypeSpec) {
	name := pkg + "." + spec.Name.Name
	comments[name] = flat(decl.Doc, spec.Doc)
	st, ok := spec.Type.(*ast.StructType)
	if !ok {
		return
	}
	for _, field := range st.Fields.List {
		for _, n := range field.Names {
			comments[name+"."+n.Name] = flat(field.Doc, field.Comment)
		}
	}
}

func flat(groups ...*ast.CommentGroup) string {
	var parts []string
	for _, g := range groups {
		if s := strings.Join(strings.Fields(g.Text()), " "); s != "" {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, " ")
}
