package registry_test

import (
	"context"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

const origin = "registry.test/1"

type house struct {
	registry *registry.Registry
	catalog  *catalog.Catalog
	events   *trail.Reader
	now      *atomic.Int64 // seconds that the clock is ahead
}

func open(t *testing.T) house {
	t.Helper()
	h := house{now: new(atomic.Int64)}
	clock := func() time.Time { return time.Now().Add(time.Duration(h.now.Load()) * time.Second) }
	db, err := state.Open(t.Context(), state.Config{Path: filepath.Join(t.TempDir(), "state.db"), Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	recorder, err := trail.NewRecorder(trail.RecorderConfig{DB: db, Source: origin, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	h.events = trail.NewReader(db, origin)
	h.registry, h.catalog = registry.New(db, recorder), catalog.New(db, h.events)
	return h
}

var ada = access.Principal{ID: "usr_ada", Kind: access.KindPerson, Roles: []access.Role{access.Scientist}}

// register is the command that registers a model.
func (h house) register(who access.Principal, model, owner string, retry registry.Retry) registry.Command {
	return registry.Command{
		Principal: who, Action: access.ModelRegister, Resource: trail.Resource{Type: "model", ID: model}, Model: model, Purpose: "test", Retry: retry,
		Propose: func(tx *state.Tx) ([]trail.Change, error) {
			change, err := h.catalog.RegisterAudited(tx, catalog.AuditedModel{Model: model, Owner: owner, Actor: who.ID})
			if change == nil || err != nil {
				return nil, err
			}
			return []trail.Change{change}, nil
		},
		Answer: func(*state.Tx) (any, error) { return map[string]string{"model": model}, nil },
	}
}

func (h house) count(t *testing.T, f trail.Filter) uint64 {
	t.Helper()
	n, err := h.events.Count(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestDo(t *testing.T) {
	t.Parallel()
	h := open(t)
	done, err := h.registry.Do(t.Context(), h.register(ada, "credit", "ada", registry.Retry{}))
	if err != nil || done.Changes != 1 || done.Receipt.Sequence != 1 || string(done.Answer) != "{\"model\":\"credit\"}\n" {
		t.Fatalf("Do = %+v, %v", done, err)
	}
	if done, err = h.registry.Do(t.Context(), h.register(ada, "credit", "ada", registry.Retry{})); err != nil || done.Changes != 0 || done.Receipt.ID != "" {
		t.Errorf("what is so already: %+v, %v", done, err)
	}
	if n := h.count(t, trail.Filter{}); n != 1 {
		t.Errorf("%d events, want 1", n)
	}
	if m, err := h.catalog.Model(t.Context(), "credit"); err != nil || m.Owner != "ada" {
		t.Errorf("model %+v, %v", m, err)
	}
}

// Who may not, and what the state forbids: nothing changes, and the trail tells of it. What was asked
// wrongly is nobody's business but the asker's.
func TestRefusalsAreRecorded(t *testing.T) {
	t.Parallel()
	h := open(t)
	if _, err := h.registry.Do(t.Context(), h.register(ada, "credit", "ada", registry.Retry{})); err != nil {
		t.Fatal(err)
	}
	viewer := access.Principal{ID: "usr_eve", Kind: access.KindPerson, Roles: []access.Role{access.Viewer}}
	for name, test := range map[string]struct {
		command registry.Command
		code    tallystick.Code
		outcome tallystick.Outcome
	}{
		"may not":  {h.register(viewer, "spam", "eve", registry.Retry{}), tallystick.Forbidden, tallystick.Denied},
		"conflict": {h.register(ada, "credit", "mallory", registry.Retry{}), tallystick.Conflict, tallystick.Failed},
		"invalid":  {h.register(ada, "no such name", "ada", registry.Retry{}), tallystick.Invalid, ""},
	} {
		if _, err := h.registry.Do(t.Context(), test.command); tallystick.CodeOf(err) != test.code {
			t.Errorf("%s: %v, want %s", name, err, test.code)
		}
		f := trail.Filter{Type: trail.CommandRefused, Resource: test.command.Resource}
		want := uint64(1)
		if test.outcome == "" {
			want = 0
		}
		if n := h.count(t, f); n != want {
			t.Errorf("%s: %d refusals on the trail, want %d", name, n, want)
		}
		if events, err := h.events.Events(t.Context(), f); err != nil || len(events) > 0 && events[0].Outcome != test.outcome {
			t.Errorf("%s: %+v, %v", name, events, err)
		}
	}
	if n := h.count(t, trail.Filter{Model: "spam"}); n != 1 {
		t.Errorf("%d events of the model that was refused, want 1", n)
	}
}

func TestRetry(t *testing.T) {
	t.Parallel()
	h := open(t)
	retry := registry.Retry{Key: "k1", Request: tallystick.DigestOf([]byte("credit"))}
	var first, repeated atomic.Int64
	var group sync.WaitGroup
	for range 16 {
		group.Go(func() {
			done, err := h.registry.Do(context.Background(), h.register(ada, "credit", "ada", retry))
			if err != nil || done.Receipt.Sequence != 1 || string(done.Answer) != "{\"model\":\"credit\"}\n" {
				t.Errorf("Do = %+v, %v", done, err)
			}
			if done.Repeated {
				repeated.Add(1)
			} else {
				first.Add(1)
			}
		})
	}
	group.Wait()
	if first.Load() != 1 || repeated.Load() != 15 {
		t.Errorf("%d first and %d repeated", first.Load(), repeated.Load())
	}
	other := registry.Retry{Key: "k1", Request: tallystick.DigestOf([]byte("loans"))}
	if _, err := h.registry.Do(t.Context(), h.register(ada, "loans", "ada", other)); tallystick.CodeOf(err) != tallystick.Invalid {
		t.Errorf("another request under the same key: %v", err)
	}
	somebody := ada
	somebody.ID = "usr_grace"
	if done, err := h.registry.Do(t.Context(), h.register(somebody, "loans", "grace", other)); err != nil || done.Repeated {
		t.Errorf("the key of somebody else: %+v, %v", done, err)
	}
	h.now.Store(8 * 24 * 3600)
	if done, err := h.registry.Do(t.Context(), h.register(ada, "loans", "grace", other)); err != nil || done.Repeated || done.Changes != 0 {
		t.Errorf("the key after a week: %+v, %v", done, err)
	}
}

// likely is register with what it comes to as a rule told beforehand.
func (h house) likely(t *testing.T, who access.Principal, model, owner string, retry registry.Retry) registry.Command {
	t.Helper()
	c := h.register(who, model, owner, retry)
	fresh, err := catalog.NewModel(catalog.ModelRegistration{Name: model, ModelDetails: catalog.ModelDetails{Owner: owner}}, who.ID)
	if err != nil {
		t.Fatal(err)
	}
	c.Likely = fresh
	c.Propose = func(tx *state.Tx) ([]trail.Change, error) {
		change, err := h.catalog.RegisterNew(tx, fresh, "")
		if change == nil || err != nil {
			return nil, err
		}
		return []trail.Change{change}, nil
	}
	return c
}

// A key counts as much where the command comes to what is likely, for which it is not looked for first.
func TestRetryOfTheLikely(t *testing.T) {
	t.Parallel()
	h := open(t)
	do := func(who access.Principal, model, key, request string) (registry.Done, error) {
		return h.registry.Do(t.Context(), h.likely(t, who, model, "ada", registry.Retry{Key: key, Request: tallystick.DigestOf([]byte(request))}))
	}
	first, err := do(ada, "credit", "k1", "credit")
	if m, ok := first.Told.(catalog.Model); err != nil || first.Repeated || first.Changes != 1 || !ok || m.Name != "credit" || m.Event != first.Receipt.Sequence {
		t.Fatalf("Do = %+v, %v", first, err)
	}
	again, err := do(ada, "credit", "k1", "credit")
	if err != nil || !again.Repeated || again.Changes != 1 || again.Receipt.ID != first.Receipt.ID || again.Receipt.Sequence != first.Receipt.Sequence {
		t.Errorf("repeated: %+v, %v", again, err)
	}
	if diff := cmp.Diff(first.Told, again.Told, cmpopts.IgnoreUnexported(catalog.Model{}), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("answers differ (-first +repeated):\n%s", diff)
	}
	if _, err := do(ada, "loans", "k1", "loans"); tallystick.CodeOf(err) != tallystick.Invalid {
		t.Errorf("another request under the same key: %v", err)
	}
	if n := h.count(t, trail.Filter{}); n != 1 {
		t.Errorf("%d events, want 1", n)
	}
	somebody := ada
	somebody.ID = "usr_grace"
	if done, err := do(somebody, "loans", "k1", "loans"); err != nil || done.Repeated || done.Changes != 1 {
		t.Errorf("the key of somebody else: %+v, %v", done, err)
	}
	if done, err := do(ada, "loans", "k2", "loans"); err != nil || done.Repeated || done.Changes != 0 {
		t.Errorf("what is so already: %+v, %v", done, err)
	}
	h.now.Store(8 * 24 * 3600)
	late, err := do(ada, "fraud", "k1", "fraud")
	if err != nil || late.Repeated || late.Changes != 1 {
		t.Fatalf("the key after a week: %+v, %v", late, err)
	}
	if done, err := do(ada, "fraud", "k1", "fraud"); err != nil || !done.Repeated || done.Receipt.ID != late.Receipt.ID {
		t.Errorf("the key after a week, repeated: %+v, %v", done, err)
	}
}

// A command that fails leaves no key behind: the next try is carried out.
func TestFailedCommandForgetsItsKey(t *testing.T) {
	t.Parallel()
	h := open(t)
	if _, err := h.registry.Do(t.Context(), h.register(ada, "credit", "ada", registry.Retry{})); err != nil {
		t.Fatal(err)
	}
	retry := registry.Retry{Key: "k", Request: tallystick.DigestOf([]byte("x"))}
	if _, err := h.registry.Do(t.Context(), h.register(ada, "credit", "grace", retry)); tallystick.CodeOf(err) != tallystick.Conflict {
		t.Fatal(err)
	}
	if done, err := h.registry.Do(t.Context(), h.register(ada, "credit", "ada", retry)); err != nil || done.Repeated {
		t.Errorf("after a failure: %+v, %v", done, err)
	}
}
