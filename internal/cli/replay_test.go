package cli

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tallystick/tallystick/internal/trail"
)

// TestChangesAreTheirEvents holds the fields of every change that is replayed, of whatever package, against
// the definition of its event, both ways.
func TestChangesAreTheirEvents(t *testing.T) {
	t.Parallel()
	definitions := map[trail.Type]trail.Definition{}
	for _, d := range trail.Definitions() {
		definitions[d.Type] = d
	}
	for kind, fresh := range replayer(nil).Changes {
		change := fresh()
		if is, _ := change.Subject(); is != kind {
			t.Errorf("the change of %s says that it is %s", kind.Short(), is.Short())
		}
		var want []string
		for _, f := range definitions[kind].Fields {
			want = append(want, f.Name)
		}
		slices.Sort(want)
		if diff := cmp.Diff(want, fieldsOf(reflect.TypeOf(change).Elem())); diff != "" {
			t.Errorf("%s: %s", kind.Short(), diff)
		}
		if _, err := json.Marshal(change); err != nil {
			t.Errorf("%s: %v", kind.Short(), err)
		}
	}
}

// fieldsOf returns the JSON names of a struct's fields, those of embedded structs included, sorted.
func fieldsOf(s reflect.Type) (names []string) {
	for f := range s.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous:
			names = append(names, fieldsOf(f.Type)...)
		case f.IsExported() && name != "-":
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
