package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"

	"github.com/tallystick/tallystick"
)

// MaxBytes is the size beyond which ReadJSON refuses a report.
const MaxBytes = 256 << 20

// WriteJSON writes d as report.json: indented, every float in the shortest form that reads back to
// the same bits, null where a figure has no value, and never null for a list: it first makes the
// nil lists of d empty ones. schema/report-v1.schema.json describes the form.
func WriteJSON(w io.Writer, d *Document) error {
	fillLists(reflect.ValueOf(d).Elem())
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	if err := enc.Encode(d); err != nil {
		return fmt.Errorf("write report as JSON: %w", err)
	}
	return nil
}

// fillLists replaces every nil slice within v by an empty one, so that a program can iterate over
// any list of a report without asking whether it is there. Lists marked omitzero stay as they are:
// for them nil means that nobody looked.
func fillLists(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			fillLists(v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Field(i)
			if absent := f.IsZero() && strings.HasSuffix(v.Type().Field(i).Tag.Get("json"), ",omitzero"); f.CanSet() && !absent {
				fillLists(f)
			}
		}
	case reflect.Slice:
		if v.IsNil() {
			v.Set(reflect.MakeSlice(v.Type(), 0, 0))
		}
		for i := range v.Len() {
			fillLists(v.Index(i))
		}
	}
}

// ReadJSON reads what WriteJSON writes and nothing else: one object with the schema id [Schema]
// and known fields only, of at most [MaxBytes].
func ReadJSON(r io.Reader) (*Document, error) {
	const hint = "give a report.json that tallystick audit wrote"
	data, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read report: %w", err)
	}
	if len(data) > MaxBytes {
		return nil, tallystick.Errorf(tallystick.Invalid, "report is larger than %d MiB", MaxBytes>>20).WithHint(hint)
	}
	// The schema id comes first, because a report of another version fails on unknown fields too.
	var head struct {
		Schema string `json:"schema"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, tallystick.Errorf(tallystick.Invalid, "report is not JSON: %w", located(data, err)).WithHint(hint)
	}
	if head.Schema != Schema {
		return nil, tallystick.Errorf(tallystick.Invalid, "report has the schema %q, and this version reads %q", head.Schema, Schema).WithHint(hint)
	}
	var d Document
	if err := strictly(data, &d); err != nil {
		return nil, tallystick.Errorf(tallystick.Invalid, "report does not have the form of its schema: %w", located(data, err)).WithHint(hint)
	}
	return &d, nil
}

// strictly decodes one JSON value without unknown fields and without anything after it.
func strictly(data []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is more after the report")
	}
	return nil
}

// located adds the line of an error that knows its offset.
func located(data []byte, err error) error {
	offset := int64(-1)
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		offset = syntax.Offset
	case errors.As(err, &kind):
		offset = kind.Offset
	}
	if offset < 0 || offset > int64(len(data)) {
		return err
	}
	if kind != nil { // whose own words are those of Go's types
		err = fmt.Errorf("field %q cannot be a %s", kind.Field, kind.Value)
	}
	return fmt.Errorf("line %d: %w", 1+bytes.Count(data[:offset], []byte{'\n'}), err)
}
