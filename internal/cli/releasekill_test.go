package cli_test

import (
	"context"
	"crypto/rand"
	weak "math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/client"
)

// TestReleaseKill kills a server while versions are registered, asked for and promoted, over and over. There is no promotion
// without its decision, which is the event before it, no request is carried out twice, what serves is what was acknowledged
// last or was under way, and the tables are those that follow from the trail.
func TestReleaseKill(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the program many times")
	}
	t.Parallel()
	rounds := crashRounds(t)
	h := newHome(t)
	s := h.serve(nil)
	admin := s.firstAdmin(h)
	scientist, operator := s.addPerson(s.client(admin), "ada", "scientist"), s.addPerson(s.client(admin), "olga", "operator")
	if _, err := s.client(operator).Put(t.Context(), "/environments/lab", map[string]any{"strictness": "free", "position": 1}, nil); err != nil {
		t.Fatal(err)
	}
	s.stop()

	all := make([]*releaser, 4)
	for i := range all {
		all[i] = &releaser{t: t, model: "model-" + strconv.Itoa(i)}
	}
	run := func(s *serving, settle bool) {
		var wg sync.WaitGroup
		for _, r := range all {
			c := func(token string) *client.Client {
				c, err := client.New(client.Config{Server: s.address, Token: token, Purpose: "try what a kill does", Transport: &keyed{RoundTripper: &http.Transport{}}})
				if err != nil {
					t.Fatal(err)
				}
				return c
			}
			asks, promotes := c(scientist), c(operator)
			wg.Go(func() { r.run(t.Context(), asks, promotes, settle) })
		}
		wg.Wait()
	}
	for round := range rounds {
		s := h.serve(nil)
		time.AfterFunc(200*time.Millisecond+weak.N(2*time.Second), func() { _ = s.cmd.Process.Kill() }) // it may be dead already
		run(s, false)
		<-s.gone
		if t.Failed() {
			t.Fatalf("in round %d", round)
		}
	}

	s = h.serve(nil)
	run(s, true)
	type told struct {
		event
		Data struct {
			Request string
			Verdict string
			Input   string `json:"input_digest"`
		}
	}
	events, err := client.List[told](t.Context(), s.client(admin), "/events", url.Values{"limit": {"1000"}}, 0)
	if err != nil {
		t.Fatal(err)
	}
	promoted := map[string]int{}
	for i, e := range events {
		if e.Type != "release.promoted" {
			continue
		}
		promoted[e.Data.Request]++
		if d := events[i-1]; d.Type != "gate.decided" || d.Data.Request != e.Data.Request || d.Data.Verdict != "pass" || d.Data.Input != e.Data.Input {
			t.Errorf("promotion %d of request %s follows %+v, which is not its decision", e.Sequence, e.Data.Request, d)
		}
	}
	acknowledged := 0
	for _, r := range all {
		acknowledged += len(r.promoted)
		for _, id := range r.promoted {
			if promoted[id] != 1 {
				t.Errorf("request %s was acknowledged as promoted and is %d times on the trail", id, promoted[id])
			}
		}
		var is struct{ Champion struct{ Version string } }
		if err := s.client(admin).Get(t.Context(), "/environments/lab/models/"+r.model, &is); err != nil || is.Champion.Version != strconv.Itoa(r.version) {
			t.Errorf("%s: version %q serves, %v; want %d", r.model, is.Champion.Version, err, r.version)
		}
	}
	for id, n := range promoted {
		if n != 1 {
			t.Errorf("request %s was promoted %d times", id, n)
		}
	}
	s.stop()
	h.run(0, "fsck")
	if acknowledged == 0 {
		t.Error("nothing was promoted: the test tries nothing")
	}
	t.Logf("%d rounds, %d promotions acknowledged, %d on the trail", rounds, acknowledged, len(promoted))
}

// releaser registers a version, asks for it and promotes it, and does so again with the next. Each act has its idempotency key, with
// which it is asked for again after a kill.
type releaser struct {
	t        *testing.T
	model    string
	version  int
	step     int
	key      string
	request  string
	known    bool
	promoted []string // requests
}

func (r *releaser) run(ctx context.Context, asks, promotes *client.Client, settle bool) {
	for {
		if settle && r.step == 0 && r.version > 0 {
			return
		}
		err := r.act(ctx, asks, promotes)
		switch {
		case err == nil:
		case tallystick.CodeOf(err) == tallystick.Unavailable && !settle:
			return
		default:
			r.t.Errorf("%s@%d, step %d: %v", r.model, r.version, r.step, err)
			return
		}
	}
}

func (r *releaser) act(ctx context.Context, asks, promotes *client.Client) (err error) {
	if r.key == "" {
		r.key = rand.Text()
	}
	ctx = context.WithValue(ctx, keyOf{}, r.key)
	name := strconv.Itoa(r.version + 1)
	switch r.step {
	case 0:
		if !r.known {
			_, err = asks.Post(ctx, "/models", map[string]any{"name": r.model, "state": "experimental"}, nil)
			if r.known = err == nil; err == nil {
				r.key = ""
			}
			return err
		}
		_, err = asks.Post(ctx, "/models/"+r.model+"/versions", map[string]any{
			"version": name, "manifest": []map[string]any{{"name": "weights.bin", "digest": tallystick.DigestOf([]byte(r.model + name)), "size": 1}},
		}, nil)
	case 1:
		var is struct{ ID string }
		_, err = asks.Post(ctx, "/releases", map[string]any{"model": r.model, "version": name, "environment": "lab", "reason": "next"}, &is)
		r.request = is.ID
	case 2:
		var is struct{ Promoted bool }
		if _, err = promotes.Post(ctx, "/releases/"+r.request+"/promotion", struct{}{}, &is); err == nil {
			if !is.Promoted {
				r.t.Errorf("%s@%s was not promoted", r.model, name)
			}
			r.promoted = append(r.promoted, r.request)
			r.version++
		}
	}
	if err == nil {
		r.step, r.key = (r.step+1)%3, ""
	}
	return err
}
