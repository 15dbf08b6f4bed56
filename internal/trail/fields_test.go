package trail

import (
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
)

type Inner struct {
	Tier   tallystick.Tier `json:"tier,omitempty"`
	Reason string          `json:"tier_reason,omitempty"`
}

type Said struct {
	Reason string            `json:"reason"`
	Labels map[string]string `json:"labels,omitempty"`
	Flag   bool              `json:"flag,omitempty"`
}

// odd is a change of which encoding/json alone understands a field.
type odd struct {
	unchanging
	Name   string
	Digest tallystick.Digest `json:"digest"`
}

type plain struct {
	unchanging `json:"-"`
	Inner
	Said
	Model   string            `json:"model"`
	Count   int64             `json:"count"`
	Some    int               `json:"some,omitempty"`
	Names   []string          `json:"names"`
	Few     []string          `json:"few,omitempty"`
	Kinds   []tallystick.Tier `json:"kinds,omitempty"`
	Taken   time.Time         `json:"taken_at"`
	Later   *time.Time        `json:"later,omitempty"`
	Parts   []Inner           `json:"parts,omitempty"`
	Share   float64           `json:"share"`
	Any     any               `json:"any,omitempty"`
	Wait    patience          `json:"wait,omitempty"`
	Left    string            `json:"-"`
	ignored func()
}

// patience writes its own JSON, if it can be addressed.
type patience int64

func (p *patience) MarshalText() ([]byte, error) { return []byte(time.Duration(*p).String()), nil }

type unchanging struct{}

func (unchanging) Subject() (Type, Resource)   { return "", Resource{} }
func (unchanging) Apply(*state.Tx, Mark) error { return nil }

// The data of an event is what encoding/json makes of its change, however it is come by.
func TestChangeData(t *testing.T) {
	t.Parallel()
	var r fieldReader
	at := time.Date(2026, 3, 3, 4, 5, 6, 0, time.UTC)
	full := &plain{
		Inner: Inner{"high", "because"}, Said: Said{"a reason", map[string]string{"b": "2", "a": "1"}, true},
		Model: "credit", Count: 1<<53 + 1, Some: -3, Names: []string{"x", "y"}, Few: []string{"z"}, Kinds: []tallystick.Tier{"low"},
		Taken: at, Later: &at, Parts: []Inner{{Tier: "low"}}, Share: 0.25, Any: []int{1}, Wait: 7, Left: "out", ignored: func() {},
	}
	for name, change := range map[string]Change{
		"empty": &plain{}, "full": full, "empty lists": &plain{Names: []string{}, Few: []string{}, Said: Said{Labels: map[string]string{}}},
		"odd": &odd{Name: "credit", Digest: "sha256:0"}, "a value": plain{Model: "credit"},
	} {
		want, err := encoded(change)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second time the type is known
			got, err := r.data(change)
			if err != nil || !cmp.Equal(got, want) {
				t.Errorf("%s: %v\n%s", name, err, cmp.Diff(want, got))
			}
		}
	}
	if _, err := r.data(&plain{Any: func() {}}); err == nil {
		t.Error("a function was encoded")
	}
	if fields, _ := r.types.Load(reflect.TypeFor[plain]()); len(fields.([]changeField)) == 0 {
		t.Error("plain was left to encoding/json: nothing was compared")
	}
}
