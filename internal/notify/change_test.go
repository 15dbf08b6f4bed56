package notify

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// TestFields: what a change says is what the definition of its event lists.
func TestFields(t *testing.T) {
	t.Parallel()
	full := Terms{Topics: []string{"*"}, Models: []string{"m"}, Environments: []string{"e"}, Host: "h", Address: "a", AddressDigest: "d", Template: "t"}
	changes := []trail.Change{
		&Created{Subscription: "s", Name: "n", Channel: Webhook, Secret: "k", SecretDigest: "d", Terms: full}, &Updated{Subscription: "s", Name: "n", Terms: full},
		&Marked{}, &Rotated{}, &Removed{}, &Tested{}, &Retried{}, &Skipped{},
	}
	if len(changes) != len(Changes()) {
		t.Errorf("%d changes, want %d", len(changes), len(Changes()))
	}
	for _, c := range changes {
		kind, _ := c.Subject()
		if _, ok := Changes()[kind]; !ok {
			t.Errorf("%s is not among the changes", kind)
		}
		raw, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		var said map[string]any
		if err := json.Unmarshal(raw, &said); err != nil {
			t.Fatal(err)
		}
		var got, want []string
		for name := range said {
			got = append(got, name)
		}
		for _, d := range trail.Definitions() {
			for _, f := range d.Fields {
				if d.Type == kind {
					want = append(want, f.Name)
				}
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-definition +change):\n%s", kind.Short(), diff)
		}
	}
}

func (h house) replay(t *testing.T) error {
	t.Helper()
	scratch, err := state.Open(t.Context(), state.Config{Path: filepath.Join(t.TempDir(), "scratch.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = scratch.Close() }() // thrown away
	_, err = trail.Replayer{Changes: Changes(), Tables: Tables()}.Check(t.Context(), h.reader, scratch)
	return err
}

// TestReplay: the tables follow from the trail, whatever was delivered meanwhile, and not from
// elsewhere.
func TestReplay(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	in := newReceiver(t, nil)
	for i := range 4 {
		h.subscribe(t, fmt.Sprintf("s%d", i), Webhook, Address{URL: in.URL}, func(n *New) { n.Template, n.Models = "{{json .}}", []string{"credit", "b"} })
	}
	_, stop := h.courier(t, nil, in.entry())
	h.raise(t, "credit", "production")
	in.next(t)
	secret := func() KeptSecret {
		k, err := h.store.KeepSecret()
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	topics := []string{"refused", "model.*", "refused"}
	for i, propose := range []func(tx *state.Tx) (trail.Change, error){
		func(tx *state.Tx) (trail.Change, error) { return h.store.Mark(tx, "s0", Paused) },
		func(tx *state.Tx) (trail.Change, error) { return h.store.Rotate(tx, "s1", secret(), time.Hour) },
		func(tx *state.Tx) (trail.Change, error) { return h.store.Rotate(tx, "s1", secret(), time.Minute) },
		func(tx *state.Tx) (trail.Change, error) {
			return h.store.Update(tx, "s1", Update{Topics: &topics, Models: new([]string)})
		},
		func(tx *state.Tx) (trail.Change, error) { return h.store.Test(tx, "s1") },
		func(tx *state.Tx) (trail.Change, error) { return h.store.Remove(tx, "s2") },
		func(tx *state.Tx) (trail.Change, error) { return h.store.Mark(tx, "s0", Active) },
	} {
		if err := h.commit(t.Context(), propose); err != nil {
			t.Fatal(i, err)
		}
	}
	stop()
	if err := h.replay(t); err != nil {
		t.Fatal(err)
	}
	s := h.subscription(t, "s1")
	if diff := cmp.Diff([]string{"model.*", "refused"}, s.Topics); diff != "" || len(s.Models) != 0 || len(s.Signing) != 2 {
		t.Errorf("%+v", s)
	}
	for _, touch := range []string{
		"UPDATE subscriptions SET host = 'evil.example' WHERE name = 's1'", "UPDATE subscription_secrets SET ends_ms = NULL",
	} {
		if err := h.db.Write(t.Context(), func(tx *state.Tx) error { _, err := tx.Exec(touch); return err }); err != nil {
			t.Fatal(err)
		}
		if err := h.replay(t); tallystick.CodeOf(err) != tallystick.Invalid {
			t.Errorf("%s: %v", touch, err)
		}
	}
}

// TestProposalsRefuse: what is wrong is refused by name, and never with the secret in it.
func TestProposalsRefuse(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.subscribe(t, "ops", Slack, Address{URL: "https://hooks.example.org/T0/secret"}, nil)
	for name, test := range map[string]struct {
		channel Channel
		address Address
	}{
		"no URL":             {Webhook, Address{URL: "secret"}},
		"credentials":        {Webhook, Address{URL: "https://a:secret@example.org/"}},
		"another scheme":     {Teams, Address{URL: "file:///secret"}},
		"chat with a token":  {Slack, Address{URL: "https://example.org/", Authorization: "secret"}},
		"header with a line": {Webhook, Address{URL: "https://example.org/", Authorization: "secret\r\nX: y"}},
		"mail without":       {Email, Address{}},
		"mail with a name":   {Email, Address{To: []string{"Ana <ana@example.org>"}}},
		"mail with a line":   {Email, Address{To: []string{"ana@example.org\r\nBcc: x@example.org"}}},
	} {
		if _, err := h.store.KeepAddress(test.channel, test.address); tallystick.CodeOf(err) != tallystick.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	address, err := h.store.KeepAddress(Webhook, Address{URL: "https://example.org/"})
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		change func(*New)
		code   tallystick.Code
	}{
		"name in use":       {func(n *New) { n.Name = "ops" }, tallystick.Conflict},
		"no name":           {func(n *New) { n.Name = "" }, tallystick.Invalid},
		"no topic":          {func(n *New) { n.Topics = nil }, tallystick.Invalid},
		"unknown topic":     {func(n *New) { n.Topics = []string{"findng"} }, tallystick.Invalid},
		"unknown type":      {func(n *New) { n.Topics = []string{"model.retird"} }, tallystick.Invalid},
		"unknown family":    {func(n *New) { n.Topics = []string{"modl.*"} }, tallystick.Invalid},
		"unknown channel":   {func(n *New) { n.Channel = "pigeon" }, tallystick.Invalid},
		"no name of models": {func(n *New) { n.Models = []string{"a b"} }, tallystick.Invalid},
		"chat and template": {func(n *New) { n.Channel, n.Template = Slack, "x" }, tallystick.Invalid},
		"bad template":      {func(n *New) { n.Template = "{{.model" }, tallystick.Invalid},
	} {
		n := New{Name: "new", Channel: Webhook, Topics: []string{"finding"}, Address: address}
		test.change(&n)
		err := h.db.Read(t.Context(), func(tx *state.Tx) error { _, err := h.store.Subscribe(tx, n); return err })
		if tallystick.CodeOf(err) != test.code {
			t.Errorf("%s: %v", name, err)
		}
	}
	var missing error
	if missing = h.db.Read(t.Context(), func(tx *state.Tx) error { _, err := h.store.Remove(tx, "opps"); return err }); tallystick.CodeOf(missing) != tallystick.NotFound {
		t.Errorf("remove what is not there: %v", missing)
	}
	rotate := func(tx *state.Tx) error { _, err := h.store.Rotate(tx, "ops", KeptSecret{}, 0); return err }
	if err := h.db.Read(t.Context(), rotate); tallystick.CodeOf(err) != tallystick.Invalid {
		t.Errorf("rotate what does not sign: %v", err)
	}
}

// TestSweep: the files of what is gone are removed once they are old, and no others.
func TestSweep(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.subscribe(t, "gone", Webhook, Address{URL: "https://example.org/"}, nil)
	h.subscribe(t, "stays", Webhook, Address{URL: "https://example.org/"}, nil)
	if err := h.commit(t.Context(), func(tx *state.Tx) (trail.Change, error) { return h.store.Remove(tx, "gone") }); err != nil {
		t.Fatal(err)
	}
	for after, want := range map[time.Duration]int{orphanAge / 2: 4, 2 * orphanAge: 2} {
		files := func() int {
			found, err := filepath.Glob(filepath.Join(h.vault, "*"))
			if err != nil {
				t.Fatal(err)
			}
			return len(found)
		}
		before := files()
		NewCourier(h.config(t, func(c *CourierConfig) { c.Now = func() time.Time { return time.Now().Add(after) } }, nil)).sweep(t.Context())
		if got := files(); got != min(before, want) {
			t.Errorf("%d files %s later, want %d", got, after, min(before, want))
		}
	}
	if _, err := h.store.config.Vault.address(h.subscription(t, "stays").address); err != nil {
		t.Error(err)
	}
}
