package policy

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/verify"
)

// Part is a piece of an input document in the forms in which the gate needs it. A field of [Input] that is one is not worked
// out again: the report of an audit is most of a document, and the same in many.
type Part struct {
	plain     any // maps, lists, strings, json.Number in canonical form, bool and nil
	canonical []byte
	value     *ast.Term
}

// NewPart returns v as a part of a document.
func NewPart(v any) (*Part, error) { return newPart(v, verify.Canonical) }

func newPart(v any, canonical func(plain any) ([]byte, error)) (*Part, error) {
	if part, ok := v.(*Part); ok && part != nil {
		return part, nil
	}
	p := new(Part)
	var err error
	if p.plain, err = plain(v); err != nil {
		return nil, err
	}
	if p.canonical, err = canonical(p.plain); err != nil {
		return nil, err
	}
	value, err := ast.InterfaceToValue(p.plain)
	p.value = ast.NewTerm(value)
	return p, err
}

// MarshalJSON returns the canonical form.
func (p *Part) MarshalJSON() ([]byte, error) {
	if p == nil {
		return []byte("null"), nil
	}
	return p.canonical, nil
}

// Plain returns what the part holds, which is shared: it must not be changed.
func (p *Part) Plain() any { return p.plain }

// plain returns v as what its canonical JSON reads as.
func plain(v any) (any, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case *string:
		if v == nil {
			return nil, nil
		}
		return text(*v), nil
	case string:
		return text(v), nil
	case Model, *Release, []Waiver, []Freeze:
		return typed(reflect.ValueOf(v)), nil
	}
	data, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var read any
	if err := decoder.Decode(&read); err != nil {
		return nil, err
	}
	return settle(read)
}

func text(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// typed does without JSON for the types of this package: no field is left out but one that is omitempty and zero, and a list that is nil is an empty one.
func typed(v reflect.Value) any {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return typed(v.Elem())
	case reflect.String:
		return text(v.String())
	case reflect.Bool:
		return v.Bool()
	case reflect.Slice:
		list := make([]any, v.Len())
		for i := range list {
			list[i] = typed(v.Index(i))
		}
		return list
	case reflect.Struct:
		if at, is := v.Interface().(time.Time); is {
			return at.Format(time.RFC3339Nano)
		}
		object := make(map[string]any, v.NumField())
		for i := range v.NumField() {
			name, option, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
			if option != "omitempty" || !v.Field(i).IsZero() {
				object[name] = typed(v.Field(i))
			}
		}
		return object
	}
	canonical, err := verify.Canonical(v.Interface())
	if err != nil {
		return nil // no finite number, which the form of the document does not have either
	}
	number, _ := settle(json.Number(canonical))
	return number
}

// settle brings the numbers in v into canonical form, in place.
func settle(v any) (_ any, err error) {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			if v[name], err = settle(member); err != nil {
				return nil, err
			}
		}
	case []any:
		for i, element := range v {
			if v[i], err = settle(element); err != nil {
				return nil, err
			}
		}
	case json.Number:
		if len(v) < 16 && strings.Trim(string(v), "0123456789") == "" {
			return v, nil
		}
		canonical, err := verify.Canonical(v)
		if err != nil {
			return nil, err
		}
		if digits, quoted := strings.CutPrefix(string(canonical), `"`); quoted { // beyond what every reader keeps exactly
			return strings.TrimSuffix(digits, `"`), nil
		}
		return json.Number(canonical), nil
	}
	return v, nil
}

// prepare makes the document of typed input: what [Canonical] writes and parse reads, in one go.
func (in Input) prepare(now time.Time) (*facts, []byte, error) {
	f := &facts{document: make(map[string]any, len(fields)), typed: true, now: now, pieces: make(map[string]json.RawMessage, 2*len(fields))}
	at := now.UTC().Format(time.RFC3339Nano)
	members := make([][2]*ast.Term, 0, len(fields))
	for name, v := range map[string]any{
		"schema": InputSchema, "now": at, "model": in.Model, "environment": in.Environment, "release": in.Release, "report": in.Report,
		"limits": in.Limits, "criteria": in.Criteria, "champion": in.Champion, "waivers": in.Waivers, "freeze": in.Freeze,
	} {
		part, err := newPart(v, func(plain any) ([]byte, error) { return f.bytesOf(name, plain) })
		if err != nil {
			return nil, nil, tallystick.Errorf(tallystick.Invalid, "gate input has no canonical form: %s: %w", name, err)
		}
		f.document[name], f.pieces[name] = part.plain, part.canonical
		members = append(members, [2]*ast.Term{ast.StringTerm(name), part.value})
	}
	canonical := f.object("", slices.Sorted(maps.Keys(f.document)))
	if len(canonical) > MaxInput {
		return nil, nil, tooLarge(len(canonical))
	}
	f.whole, f.digest = ast.NewObject(members...), tallystick.DigestOf(canonical)
	return f, canonical, nil
}

// bytesOf returns the canonical form of what lies at a path, and notes those of its pieces.
func (f *facts) bytesOf(path string, plain any) (_ []byte, err error) {
	object, ok := plain.(map[string]any)
	if !ok || piece(append(strings.Split(path, below), "")) == path { // in one piece
		return verify.Canonical(plain)
	}
	names := slices.Sorted(maps.Keys(object))
	for _, name := range names {
		at := path + below + name
		if f.pieces[at], err = f.bytesOf(at, object[name]); err != nil {
			return nil, err
		}
	}
	return f.object(path+below, names), nil
}

// object puts pieces together whose names need no escapes and are sorted.
func (f *facts) object(prefix string, names []string) []byte {
	object := []byte("{")
	for i, name := range names {
		if i > 0 {
			object = append(object, ',')
		}
		object = append(fmt.Appendf(object, "%q:", name), f.pieces[prefix+name]...)
	}
	return append(object, '}')
}

// Document is an input document that is ready to be judged.
type Document struct {
	facts     *facts
	canonical []byte
}

// Prepare makes the document of typed input at the time now.
func Prepare(in Input, now time.Time) (*Document, error) {
	f, canonical, err := in.prepare(now)
	return &Document{f, canonical}, err
}

// Canonical returns the bytes that a decision about the document carries the digest of.
func (d *Document) Canonical() []byte { return d.canonical }

// Judge is Evaluate for a document that was prepared.
func (p *Pack) Judge(ctx context.Context, d *Document) (Decision, error) {
	return p.decide(ctx, d.facts)
}
