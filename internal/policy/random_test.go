package policy_test

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/policy"
)

// TestRulesReadWhatTheyAreSaidToRead: a document that holds nothing else gets the same answer.
func TestRulesReadWhatTheyAreSaidToRead(t *testing.T) {
	t.Parallel()
	for _, tier := range []tallystick.Tier{tallystick.TierLow, tallystick.TierHigh} {
		pack := load(t, "", tier)
		for n, input := range recordings(t, tier) {
			err := pack.Narrowed(t.Context(), input, func(rule string, whole, narrow any) {
				if !reflect.DeepEqual(whole, narrow) {
					t.Errorf("%s, recording %d: %s says %v, and %v of what it reads", tier, n, rule, whole, narrow)
				}
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestRememberedIsFresh asks about documents that are put together of parts of others at random, at different times: what is
// remembered is what is answered afresh.
func TestRememberedIsFresh(t *testing.T) {
	t.Parallel()
	chance := rand.New(rand.NewPCG(4, 200))
	tier := tallystick.TierHigh
	pack, fresh := load(t, "", tier), load(t, "", tier)
	var all []map[string]any
	for _, input := range recordings(t, tier) {
		var document map[string]any
		if err := json.Unmarshal(input, &document); err != nil {
			t.Fatal(err)
		}
		all = append(all, document)
	}
	for range 100 {
		document := mixed(chance, all[chance.IntN(len(all))], all[chance.IntN(len(all))], 3).(map[string]any)
		at := now.Add(time.Duration(chance.IntN(400*24)-200*24) * time.Hour)
		canonical, err := policy.Canonical(document, at)
		if err != nil {
			t.Fatal(err)
		}
		fresh.Forget()
		want := replay(t, fresh, canonical)
		if got := replay(t, pack, canonical); !reflect.DeepEqual(got, want) {
			t.Fatalf("remembered otherwise\n got %+v\nwant %+v\nof %s", got, want, canonical)
		}
	}
}

// mixed is a with some members, down to a depth, of b.
func mixed(chance *rand.Rand, a, b any, depth int) any {
	x, isX := a.(map[string]any)
	y, isY := b.(map[string]any)
	if !isX || !isY || depth == 0 {
		if chance.IntN(4) == 0 {
			return b
		}
		return a
	}
	object := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(x)) {
		object[name] = mixed(chance, x[name], y[name], depth-1)
	}
	return object
}
