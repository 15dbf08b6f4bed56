package policy

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"
)

// Documents are read as encoding/json reads them, whole and piece by piece.
func FuzzRead(f *testing.F) {
	recorded, err := os.ReadFile("testdata/recorded/v1/release.input.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{
		string(recorded), ` { "a" : [ 1e999 , -0 , null , true , {} ] , "a" : "\ud800\u0041\n" } `, `[]`, `null`, `"{"`, `{"":{"":[[]]}}`, "{\"\xff\":\"\xff\"}", `{"a":1}{`,
		strings.Repeat("[", 30) + `{"a":-0.10E+2,"b":"\ud800"}` + strings.Repeat("]", 30),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		decoder := json.NewDecoder(bytes.NewReader(data))
		decoder.UseNumber()
		var want any
		valid := json.Valid(data)
		if err := decoder.Decode(&want); valid && err != nil {
			t.Fatal(err)
		}
		pieces, err := members(data)
		object, is := want.(map[string]any)
		if is = is && valid; (err == nil) != is {
			t.Fatalf("members: %v, and it is an object: %v", err, is)
		}
		if !valid {
			return
		}
		if got := read(data); !reflect.DeepEqual(got, want) {
			t.Errorf("read as %#v, want %#v", got, want)
		}
		if len(pieces) != len(object) {
			t.Errorf("%d members, want %d", len(pieces), len(object))
		}
		for name, piece := range pieces {
			if got := read(piece); !reflect.DeepEqual(got, object[name]) {
				t.Errorf("%q is read as %#v, want %#v", name, got, object[name])
			}
		}
	})
}
