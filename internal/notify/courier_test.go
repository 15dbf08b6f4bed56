package notify

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

func (g got) message(t testing.TB) (m Message) {
	t.Helper()
	if err := json.Unmarshal(g.body, &m); err != nil {
		t.Fatalf("%s: %v", g.body, err)
	}
	return m
}

// TestWebhook: what was chosen is told, in order, signed, numbered, and with nothing that is sealed.
func TestWebhook(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	in := newReceiver(t, nil)
	h.raise(t, "before", "production")
	secret := h.subscribe(t, "tickets", Webhook, Address{URL: in.URL + "/hook?token=token-in-url"}, func(n *New) { n.Models = []string{"credit", "loans"} })
	var want []string
	for i := range 20 {
		if i%3 == 0 {
			h.raise(t, "spam", "production") // not of its models
		}
		want = append(want, h.raise(t, []string{"credit", "loans"}[i%2], "production"))
	}
	_, stop := h.courier(t, nil, in.entry())
	for i, id := range want {
		if i == 10 { // a courier that comes later goes on where this one has ended
			until(t, "ten told", func() bool { return h.subscription(t, "tickets").Delivery.Number >= 10 })
			stop()
			for len(in.got) > 0 {
				<-in.got
			}
			break
		}
		g := in.next(t)
		g.verify(t, secret)
		m := g.message(t)
		if m.ID != id || m.Data.Number != uint64(i+1) || m.Data.Model != []string{"credit", "loans"}[i%2] || m.Source != origin || m.SpecVersion != "1.0" {
			t.Fatalf("message %d: %+v, want event %s", i, m, id)
		}
		if g.Get("Webhook-Id") != "msg_"+strings.TrimPrefix(h.subscription(t, "tickets").ID, "sub_")+"_"+id || strings.Contains(g.Get("Webhook-Id"), ".") {
			t.Errorf("webhook-id %q", g.Get("Webhook-Id"))
		}
		for _, sealed := range []string{"alice", "sealed", "sha256:"} {
			if strings.Contains(string(g.body), sealed) {
				t.Errorf("the body has %q: %s", sealed, g.body)
			}
		}
		if m.Data.Links["proof"] != "https://tallystick.example.org/trail/"+id+"/proof" || m.Data.Fields["severity"] != "high" {
			t.Errorf("data %+v", m.Data)
		}
	}
	told := h.subscription(t, "tickets").Delivery.Number
	_, stop = h.courier(t, nil, in.entry())
	defer stop()
	last := ""
	for _, id := range want[told:] {
		m := in.next(t).message(t)
		if m.ID == last { // under way when the first courier ended, and told again
			m = in.next(t).message(t)
		}
		if last = m.ID; m.ID != id {
			t.Fatalf("event %s, want %s", m.ID, id)
		}
	}
	until(t, "all told", func() bool { return h.subscription(t, "tickets").Delivery.Number == 20 })
	all, err := h.store.Notifications(t.Context(), "tickets", 0, 0)
	if err != nil || len(all) != 20 || all[0].Number != 20 || all[0].Event != want[19] || all[0].State != delivered || all[0].Status != 204 {
		t.Errorf("%d notifications, %v: %+v", len(all), err, all[0])
	}
	// Neither the address nor the secret is anywhere but in the vault.
	key, _ := strings.CutPrefix(secret, whsec)
	dir, err := os.ReadDir(filepath.Dir(h.vault))
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range dir {
		if entry.IsDir() {
			continue
		}
		raw, err := os.ReadFile(filepath.Join(filepath.Dir(h.vault), entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		for _, hidden := range []string{key, "token-in-url"} {
			if strings.Contains(string(raw), hidden) || strings.Contains(h.logs.String(), hidden) {
				t.Errorf("%s, or the log, has %s", entry.Name(), hidden)
			}
		}
	}
	files, err := os.ReadDir(h.vault)
	if err != nil || len(files) != 2 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, f := range files {
		if info, err := f.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", f.Name(), info.Mode(), err)
		}
	}
}

// TestFaultyReceivers: whatever a receiver does, its notification is tried again under the same id with
// the same body, the failure shows, and another subscription is told meanwhile.
func TestFaultyReceivers(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fail  func(w http.ResponseWriter, r *http.Request)
		fault string
	}{
		"error": {func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "SECRET of the receiver", http.StatusInternalServerError)
		}, "the receiver answered 500 Internal Server Error"},
		"redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		}, "redirects are not followed"},
		"cut off": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "EOF"},
		"slow": {func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-r.Context().Done():
			case <-time.After(5 * time.Second):
			}
		}, "timeout"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			var repaired atomicBool
			bad := newReceiver(t, func(w http.ResponseWriter, r *http.Request, _ int) {
				if !repaired.get() {
					test.fail(w, r)
				}
			})
			good := newReceiver(t, nil)
			secret := h.subscribe(t, "bad", Webhook, Address{URL: bad.URL + "/x"}, nil)
			h.subscribe(t, "good", Webhook, Address{URL: good.URL}, nil)
			h.courier(t, func(c *CourierConfig) {
				if name == "slow" {
					c.delay = func(int) time.Duration { return 100 * time.Millisecond }
				}
			}, bad.entry(), good.entry())
			first, second := h.raise(t, "credit", "production"), h.raise(t, "loans", "production")
			if a, b := good.next(t).message(t).ID, good.next(t).message(t).ID; a != first || b != second {
				t.Errorf("the other was told %s, %s", a, b)
			}
			one, two := bad.next(t), bad.next(t)
			if one.Get("Webhook-Id") != two.Get("Webhook-Id") || string(one.body) != string(two.body) || one.message(t).ID != first {
				t.Errorf("the second attempt differs:\n%s\n%s", one.body, two.body)
			}
			until(t, "the fault shows", func() bool { return h.subscription(t, "bad").Delivery.Fault != "" })
			s := h.subscription(t, "bad")
			if !strings.Contains(s.Delivery.Fault, test.fault) || strings.Contains(s.Delivery.Fault, "SECRET") || strings.Contains(s.Delivery.Fault, "/x") || s.Delivery.Number != 0 {
				t.Errorf("delivery %+v", s.Delivery)
			}
			if name != "slow" {
				until(t, "it is failing", func() bool { return h.subscription(t, "bad").Delivery.Status == Failing })
			}
			repaired.set()
			until(t, "all is told", func() bool {
				d := h.subscription(t, "bad").Delivery
				return d.Number == 2 && d.Status == Delivering && d.Fault == ""
			})
			for g := bad.next(t); ; g = bad.next(t) {
				g.verify(t, secret)
				if m := g.message(t); m.ID == second {
					if m.Data.Number != 2 {
						t.Errorf("number %d", m.Data.Number)
					}
					break
				}
			}
			if len(bad.got) > 0 || bad.URL == "" {
				t.Errorf("%d more", len(bad.got))
			}
		})
	}
}

// TestHostileAnswer: an answer without end is not read to its end.
func TestHostileAnswer(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	sent := make(chan int64, 1)
	in := newReceiver(t, func(w http.ResponseWriter, _ *http.Request, n int) {
		if n > 1 {
			return
		}
		written, _ := io.Copy(w, io.LimitReader(zeros{}, 1<<30)) // until the other side closes
		sent <- written
	})
	h.subscribe(t, "hostile", Webhook, Address{URL: in.URL}, nil)
	h.courier(t, nil, in.entry())
	h.raise(t, "credit", "production")
	h.raise(t, "credit", "production")
	if a, b := in.next(t), in.next(t); a.Get("Webhook-Id") == b.Get("Webhook-Id") {
		t.Error("the answer was taken for a failure; its status was 200")
	}
	if n := <-sent; n > 64<<20 {
		t.Errorf("%d bytes were taken", n)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// TestGoneAndRetry: a receiver that is gone is failing at once; an operator's retry is immediate, and a
// skip gives up one notification and leaves a gap in the numbers that the receiver sees.
func TestGoneAndRetry(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	var repaired atomicBool
	in := newReceiver(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
		if !repaired.get() {
			w.Header().Set("Retry-After", "3600")
			w.WriteHeader(http.StatusGone)
		}
	})
	h.subscribe(t, "ops", Webhook, Address{URL: in.URL}, nil)
	h.courier(t, nil, in.entry())
	h.raise(t, "credit", "production")
	second := h.raise(t, "credit", "production")
	in.next(t)
	until(t, "it is failing", func() bool { return h.subscription(t, "ops").Delivery.Status == Failing })
	if next := h.subscription(t, "ops").Delivery.Next; next == nil || time.Until(*next) < 50*time.Minute {
		t.Errorf("next attempt %v; the receiver asked for an hour", next)
	}
	skip := func(number uint64) error {
		return h.commit(t.Context(), func(tx *state.Tx) (trail.Change, error) { return h.store.Skip(tx, "ops", number) })
	}
	if err := h.commit(t.Context(), func(tx *state.Tx) (trail.Change, error) { return h.store.Retry(tx, "ops") }); err != nil {
		t.Fatal(err)
	}
	in.next(t)
	until(t, "it is failing again", func() bool { return h.subscription(t, "ops").Delivery.Status == Failing })
	if err := skip(7); tallystick.CodeOf(err) != tallystick.Conflict {
		t.Errorf("skip of what is not in front: %v", err)
	}
	repaired.set()
	if err := skip(1); err != nil {
		t.Fatal(err)
	}
	if m := in.next(t).message(t); m.ID != second || m.Data.Number != 2 {
		t.Errorf("told %s as number %d", m.ID, m.Data.Number)
	}
	until(t, "told", func() bool { return h.subscription(t, "ops").Delivery.Number == 2 })
	all, err := h.store.Notifications(t.Context(), "ops", 0, 0)
	if err != nil || len(all) != 2 || all[1].State != skipped || all[1].Attempts != 2 || all[1].Status != http.StatusGone {
		t.Errorf("%+v, %v", all, err)
	}
	if err := skip(3); tallystick.CodeOf(err) != tallystick.Conflict {
		t.Errorf("skip of nothing: %v", err)
	}
}

// TestForbiddenAddresses: what the operator does not allow is not spoken to, at no time.
func TestForbiddenAddresses(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	in := newReceiver(t, nil)
	h.subscribe(t, "inside", Webhook, Address{URL: in.URL}, nil)
	h.subscribe(t, "metadata", Slack, Address{URL: "http://169.254.169.254/latest/meta-data/secret-path"}, nil)
	c, _ := h.courier(t, nil, "http://169.254.169.254") // the host, and not its network
	for _, a := range []string{in.URL, "https://example.org/x"} {
		if err := c.Check(Webhook, Address{URL: a}); tallystick.CodeOf(err) != tallystick.Invalid {
			t.Errorf("%s: %v", a, err)
		}
	}
	h.raise(t, "credit", "production")
	for _, name := range []string{"inside", "metadata"} {
		until(t, name+" is failing", func() bool { return h.subscription(t, name).Delivery.Status == Failing })
		if f := h.subscription(t, name).Delivery.Fault; !strings.Contains(f, "not allowed") && !strings.Contains(f, "no public address") || strings.Contains(f, "secret-path") {
			t.Errorf("%s: %s", name, f)
		}
	}
	if len(in.got) > 0 {
		t.Error("it was spoken to")
	}
}

// TestPauseRotateUpdate: what happens during a pause is told after it; for a while two secrets sign;
// and a new address is where the rest goes.
func TestPauseRotateUpdate(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	one, other := newReceiver(t, nil), newReceiver(t, nil)
	secret := h.subscribe(t, "ops", Webhook, Address{URL: one.URL}, nil)
	h.courier(t, nil, one.entry(), other.entry())
	h.raise(t, "a", "production")
	one.next(t).verify(t, secret)
	until(t, "told", func() bool { return h.subscription(t, "ops").Delivery.Number == 1 })

	mark := func(to State) {
		t.Helper()
		if err := h.commit(t.Context(), func(tx *state.Tx) (trail.Change, error) { return h.store.Mark(tx, "ops", to) }); err != nil {
			t.Fatal(err)
		}
	}
	mark(Paused)
	if d := h.subscription(t, "ops").Delivery; d.Status != Resting {
		t.Errorf("delivery %+v", d)
	}
	h.raise(t, "b", "production")
	later, err := h.store.KeepSecret()
	if err != nil {
		t.Fatal(err)
	}
	if err := h.commit(t.Context(), func(tx *state.Tx) (trail.Change, error) { return h.store.Rotate(tx, "ops", later, 0) }); err != nil {
		t.Fatal(err)
	}
	if len(one.got) != 0 {
		t.Error("told while paused")
	}
	mark(Active)
	g := one.next(t)
	g.verify(t, secret)
	g.verify(t, later.Secret.Reveal())
	if n := len(strings.Fields(g.Get("Webhook-Signature"))); n != 2 {
		t.Errorf("%d signatures", n)
	}
	until(t, "told", func() bool { return h.subscription(t, "ops").Delivery.Number == 2 })

	third, err := h.store.KeepSecret()
	if err != nil {
		t.Fatal(err)
	}
	moved, err := h.store.KeepAddress(Webhook, Address{URL: other.URL, Authorization: "Bearer abc"})
	if err != nil {
		t.Fatal(err)
	}
	for _, propose := range []func(tx *state.Tx) (trail.Change, error){
		func(tx *state.Tx) (trail.Change, error) { return h.store.Rotate(tx, "ops", third, time.Hour) },
		func(tx *state.Tx) (trail.Change, error) { return h.store.Update(tx, "ops", Update{Address: &moved}) },
	} {
		if err := h.commit(t.Context(), propose); err != nil {
			t.Fatal(err)
		}
	}
	h.raise(t, "c", "production")
	g = other.next(t)
	g.verify(t, later.Secret.Reveal())
	g.verify(t, third.Secret.Reveal())
	if n := len(strings.Fields(g.Get("Webhook-Signature"))); n != 2 || g.Get("Authorization") != "Bearer abc" {
		t.Errorf("%d signatures: never more than two sign; authorization %q", n, g.Get("Authorization"))
	}
	if m := g.message(t); m.Data.Number != 3 {
		t.Errorf("number %d", m.Data.Number)
	}
	if err := h.commit(t.Context(), func(tx *state.Tx) (trail.Change, error) { return h.store.Remove(tx, "ops") }); err != nil {
		t.Fatal(err)
	}
	h.raise(t, "d", "production")
	var rows int
	if err := h.db.Read(t.Context(), func(tx *state.Tx) error {
		return tx.QueryRow("SELECT (SELECT count(*) FROM notifications) + (SELECT count(*) FROM notification_cursors)").Scan(&rows)
	}); err != nil || rows > 0 {
		t.Errorf("%d rows are left, %v", rows, err)
	}
}

// TestChangeBeforeTheEvent: what was changed before an event holds for it, though the courier has looked at
// the subscription before the change and at the trail after the event.
func TestChangeBeforeTheEvent(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.subscribe(t, "ops", Webhook, Address{URL: "https://one.example/"}, nil)
	c := NewCourier(CourierConfig{Store: h.store, Trail: h.reader})
	id := h.subscription(t, "ops").ID
	moved, err := h.store.KeepAddress(Webhook, Address{URL: "https://other.example/"})
	if err != nil {
		t.Fatal(err)
	}

	c.feed.mu.Lock()
	type found struct {
		to   Address
		next *item
		err  error
	}
	done := make(chan found, 1)
	go func() {
		s, next, err := c.due(t.Context(), id)
		if err == nil {
			var to Address
			to, err = h.store.config.Vault.address(s.address)
			done <- found{to, next, err}
			return
		}
		done <- found{err: err}
	}()
	until(t, "the courier waits for the feed", func() bool {
		stacks := make([]byte, 1<<20)
		for stack := range strings.SplitSeq(string(stacks[:runtime.Stack(stacks, true)]), "\n\n") {
			if strings.Contains(stack, "(*feed).after") && strings.Contains(stack, t.Name()) {
				return true
			}
		}
		return false
	})
	if err := h.commit(t.Context(), func(tx *state.Tx) (trail.Change, error) { return h.store.Update(tx, "ops", Update{Address: &moved}) }); err != nil {
		t.Fatal(err)
	}
	h.raise(t, "a", "production")
	c.feed.mu.Unlock()
	if f := <-done; f.err != nil || f.next == nil || f.to.URL != "https://other.example/" {
		t.Errorf("told to %q: %+v, %v", f.to.URL, f.next, f.err)
	}
}

// TestSubscriptionTest: a test reaches the subscription that is tested, whatever its topics, and no
// other that has not asked for such events.
func TestSubscriptionTest(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	in := map[string]*receiver{}
	var allow []string
	for name, topic := range map[string]string{"tested": "key", "curious": "subscription.*", "other": "finding"} {
		in[name] = newReceiver(t, nil)
		allow = append(allow, in[name].entry())
		h.subscribe(t, name, Webhook, Address{URL: in[name].URL}, func(n *New) { n.Topics, n.Models = []string{topic}, []string{"credit"} })
	}
	if err := h.commit(t.Context(), func(tx *state.Tx) (trail.Change, error) { return h.store.Test(tx, "tested") }); err != nil {
		t.Fatal(err)
	}
	last := h.raise(t, "credit", "production")
	h.courier(t, nil, allow...)
	for _, name := range []string{"tested", "curious"} {
		if m := in[name].next(t).message(t); m.Data.Kind != "subscription.tested" {
			t.Errorf("%s was told %+v", name, m)
		}
	}
	if m := in["other"].next(t).message(t); m.ID != last {
		t.Errorf("other was told %+v", m)
	}
}

// TestManyPass: a subscription that few events are for moves its cursor over the others.
func TestManyPass(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	in := newReceiver(t, nil)
	h.subscribe(t, "rare", Webhook, Address{URL: in.URL}, func(n *New) { n.Environments = []string{"production"} })
	for i := range 3 {
		err := h.db.Write(t.Context(), func(tx *state.Tx) error {
			for j := range 900 {
				if _, err := h.recorder.RecordIn(tx, trail.Entry{
					Type: trail.FindingSeen, Actor: alice.Actor, Resource: trail.Resource{Type: "finding", ID: fmt.Sprint(i, j)}, Outcome: tallystick.Success,
					Data: map[string]any{"finding": "f", "model": "credit"},
				}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	h.raise(t, "credit", "staging")
	_, stop := h.courier(t, nil, in.entry())
	until(t, "the cursor moves", func() bool { return h.subscription(t, "rare").Delivery.Position > 2000 })
	want := h.raise(t, "credit", "production")
	if m := in.next(t).message(t); m.ID != want || m.Data.Number != 1 {
		t.Errorf("told %+v", m)
	}
	stop()
}
