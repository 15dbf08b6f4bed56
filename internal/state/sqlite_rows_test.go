package state

import (
	"database/sql"
	"encoding/json"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tallystick/tallystick"
)

func TestAssign(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ from, want any }{
		"text":            {"a", "a"},
		"text of a type":  {"sha256:a", tallystick.Digest("sha256:a")},
		"text as bytes":   {"a", []byte("a")},
		"bytes":           {[]byte{0, 1}, []byte{0, 1}},
		"no bytes":        {nil, []byte(nil)},
		"number":          {int64(7), int64(7)},
		"small number":    {int64(-7), int8(-7)},
		"natural number":  {int64(7), uint64(7)},
		"truth":           {int64(1), true},
		"falsehood":       {int64(0), false},
		"fraction":        {0.5, 0.5},
		"whole fraction":  {int64(2), 2.0},
		"null that may":   {nil, sql.NullInt64{}},
		"no null":         {int64(3), sql.NullInt64{Int64: 3, Valid: true}},
		"null pointer":    {nil, (*int64)(nil)},
		"pointer":         {int64(4), new(int64(4))},
		"json":            {[]byte("{}"), json.RawMessage("{}")},
		"no null of text": {"x", sql.NullString{String: "x", Valid: true}},
	} {
		dest := reflect.New(reflect.TypeOf(test.want))
		if err := assign(dest.Interface(), test.from); err != nil || !cmp.Equal(dest.Elem().Interface(), test.want) {
			t.Errorf("%s: %v, %v", name, dest.Elem(), err)
		}
	}
	for name, test := range map[string]struct{ from, dest any }{
		"null":                 {nil, new(string)},
		"null number":          {nil, new(int64)},
		"text as a number":     {"7", new(int)},
		"number as text":       {int64(7), new(string)},
		"too large a number":   {int64(300), new(int8)},
		"negative":             {int64(-1), new(uint64)},
		"fraction as a number": {0.5, new(int)},
		"no pointer":           {int64(1), 1},
	} {
		if err := assign(test.dest, test.from); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}
