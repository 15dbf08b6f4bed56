package notify

import (
	"context"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/dial"
	"github.com/tallystick/tallystick/internal/state"
)

type atomicBool struct{ v atomic.Bool }

func (b *atomicBool) set()      { b.v.Store(true) }
func (b *atomicBool) get() bool { return b.v.Load() }

// courierUntilKilled is the child of TestKill.
func courierUntilKilled(dir, receiver string) error {
	ctx := context.Background()
	h, err := openHouse(ctx, state.Config{Path: filepath.Join(dir, "state.db")}, filepath.Join(dir, "vault"))
	if err != nil {
		return err
	}
	allow, err := dial.ParseAllowList([]string{receiver, "127.0.0.0/8"})
	if err != nil {
		return err
	}
	return NewCourier(CourierConfig{
		Store: h.store, Trail: h.reader, Source: origin, Client: dial.New(dial.Config{Allow: allow}), Logger: slog.New(slog.DiscardHandler),
		delay: func(int) time.Duration { return time.Millisecond },
	}).Run(ctx)
}

// TestKill kills the courier with signal 9 after the receiver has got a notification and before the
// cursor is moved. The next courier delivers it again, under the same id, with the same body; nothing
// is lost, and the order stays.
func TestKill(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts processes")
	}
	const events, kills = 12, 4
	dir := t.TempDir()
	h, err := openHouse(t.Context(), state.Config{Path: filepath.Join(dir, "state.db")}, filepath.Join(dir, "vault"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := h.db.Close(); err != nil {
			t.Error(err)
		}
	}()
	var mu sync.Mutex
	var child *exec.Cmd
	dead := make(chan struct{}, events)
	in := newReceiver(t, func(w http.ResponseWriter, _ *http.Request, n int) {
		if n%3 != 0 || n/3 > kills {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		if err := child.Process.Kill(); err != nil {
			t.Error(err)
		}
		_ = child.Wait() // killed: the answer below reaches nobody
		dead <- struct{}{}
	})
	secret := h.subscribe(t, "ops", Webhook, Address{URL: in.URL}, nil)
	var want []string
	for range events {
		want = append(want, h.raise(t, "credit", "production"))
	}
	start := func() {
		mu.Lock()
		defer mu.Unlock()
		child = exec.Command(os.Args[0])
		child.Env = append(os.Environ(), roleVariable+"="+dir, addressVariable+"="+in.URL)
		child.Stderr = os.Stderr
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
	}
	start()
	for range kills {
		select {
		case <-dead:
			start()
		case <-time.After(2 * time.Minute):
			t.Fatal("the child was not killed")
		}
	}
	until(t, "all told", func() bool { return h.subscription(t, "ops").Delivery.Number == events })
	mu.Lock()
	defer mu.Unlock()
	_ = child.Process.Kill()
	_ = child.Wait() // killed
	bodies := map[string]string{}
	var order []string
	for len(in.got) > 0 {
		g := <-in.got
		g.verify(t, secret)
		id := g.Get("Webhook-Id")
		if before, again := bodies[id]; again {
			if before != string(g.body) {
				t.Errorf("%s came with another body", id)
			}
			continue
		}
		bodies[id] = string(g.body)
		order = append(order, g.message(t).ID)
	}
	if len(order) != events {
		t.Fatalf("%d of %d events came", len(order), events)
	}
	for i, id := range want {
		if order[i] != id {
			t.Errorf("event %d is %s, want %s", i, order[i], id)
		}
	}
}
