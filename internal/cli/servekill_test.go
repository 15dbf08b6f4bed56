package cli_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	weak "math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/client"
)

// crashRounds is how often a test kills a server: as often as SERVE_CRASH_ROUNDS says, or twice.
func crashRounds(t *testing.T) int {
	t.Helper()
	s := os.Getenv("SERVE_CRASH_ROUNDS")
	if s == "" {
		return 2
	}
	rounds, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return rounds
}

// TestServeKill kills a server under 32 mixed clients at random moments, over and over on one
// workspace. Whatever was acknowledged is there afterwards, whole and once. What was under way is
// asked for again with its idempotency key: it happens once too, whether or not it had happened.
func TestServeKill(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the program many times")
	}
	t.Parallel()
	rounds := crashRounds(t)
	h := newHome(t)
	s := h.serve(nil)
	admin := s.firstAdmin(h)
	scientist := s.addPerson(s.client(admin), "ada", "scientist")
	s.stop()

	workers := make([]*worker, 32)
	for i := range workers {
		workers[i] = &worker{t: t, name: fmt.Sprint("w", i), token: []string{admin, scientist}[i%2]}
	}
	for round := range rounds {
		kill := func(p *os.Process, after time.Duration) {
			time.AfterFunc(after, func() { _ = p.Kill() }) // it may be dead already
		}
		s := h.serve(func(p *os.Process) {
			if round%5 == 4 { // also while it opens the workspace
				kill(p, weak.N(500*time.Millisecond))
			}
		})
		if s.address != "" {
			kill(s.cmd.Process, 100*time.Millisecond+weak.N(2*time.Second))
			work(t, s, workers, false)
		}
		<-s.gone
		for _, fault := range s.faults {
			t.Errorf("round %d: %s", round, fault)
		}
		if t.Failed() {
			t.Fatalf("in round %d", round)
		}
	}

	s = h.serve(nil)
	work(t, s, workers, true)
	events := trailOf(t, s.client(admin))
	acts := 0
	for _, w := range workers {
		acts += len(w.receipts)
		w.check(s.client(w.token), s, events)
	}
	s.stop()
	if sound := h.run(0, "fsck"); strings.Contains(sound, "not sealed") {
		t.Errorf("events stay unsealed:\n%s", sound)
	}
	again := 0
	for _, w := range workers {
		again += w.again
	}
	if acts == 0 || again == 0 {
		t.Errorf("%d acts were acknowledged and %d were under way at a kill: the moments do not try what they should", acts, again)
	}
	t.Logf("%d rounds, %d acts acknowledged, %d asked for again, %d events", rounds, acts, again, len(events.bySequence))
}

// work lets the workers act until the server is gone; or, to settle, only until none has an act of
// which the outcome is open.
func work(t *testing.T, s *serving, workers []*worker, settle bool) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		select {
		case <-s.gone:
			cancel()
		case <-ctx.Done():
		}
	}()
	var wg sync.WaitGroup
	for _, w := range workers {
		c, err := client.New(client.Config{Server: s.address, Token: w.token, Purpose: "try what a kill does", Transport: &keyed{RoundTripper: &http.Transport{}}})
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() { w.run(ctx, c, settle) })
	}
	wg.Wait()
}

// keyed sends the idempotency key of the context, so that a test can ask again what a client before
// has asked.
type keyed struct{ http.RoundTripper }

type keyOf struct{}

func (k *keyed) RoundTrip(r *http.Request) (*http.Response, error) {
	if key, ok := r.Context().Value(keyOf{}).(string); ok && r.Header.Get("Idempotency-Key") != "" {
		r = r.Clone(r.Context())
		r.Header.Set("Idempotency-Key", key)
	}
	return k.RoundTripper.RoundTrip(r)
}

// worker is one client with what it knows. It does one act after the other.
type worker struct {
	t           *testing.T
	name, token string
	models      []*ownModel
	tokens      []*ownToken
	receipts    []client.Receipt
	runs        []string // ids
	pending     *deed
	again       int
}

type ownModel struct {
	name     string
	summary  string
	updates  int
	versions []ownVersion
	reads    int
}

type ownVersion struct {
	name    string
	content []byte
}

type ownToken struct {
	id, secret string // the secret is empty if it went down with the server
	revoked    bool
}

// deed is one act. do may be called again after a kill, and then asks for the same; it returns after
// it was acknowledged what the worker knows by it.
type deed struct {
	what string
	key  string
	keyless,
	tried bool
	do func(ctx context.Context, c *client.Client) (client.Receipt, func(), error)
}

func (w *worker) run(ctx context.Context, c *client.Client, settle bool) {
	for ctx.Err() == nil {
		if w.pending == nil {
			if settle {
				return
			}
			w.pending = w.next()
			w.pending.key = rand.Text()
		}
		d := w.pending
		if d.tried {
			w.again++
		}
		d.tried = true
		keyed := context.WithValue(ctx, keyOf{}, d.key)
		receipt, know, err := d.do(keyed, c)
		if tallystick.CodeOf(err) == tallystick.Unavailable {
			if settle {
				w.t.Errorf("%s: %s: %v", w.name, d.what, err)
				return
			}
			continue // gone, or going
		}
		if err != nil {
			if ctx.Err() == nil {
				w.t.Errorf("%s: %s: %v", w.name, d.what, err)
			}
			return
		}
		w.pending = nil
		know()
		if d.keyless {
			continue
		}
		if receipt.Event == "" {
			w.t.Errorf("%s: %s: acknowledged without an event", w.name, d.what)
		}
		w.receipts = append(w.receipts, receipt)
		if weak.N(4) == 0 {
			repeated, _, err := d.do(keyed, c)
			if tallystick.CodeOf(err) == tallystick.Unavailable || ctx.Err() != nil {
				continue
			}
			if err != nil || !repeated.Repeated || repeated.Event != receipt.Event || repeated.Sequence != receipt.Sequence {
				w.t.Errorf("%s: %s again: %+v, %v; the first time it was %+v", w.name, d.what, repeated, err, receipt)
			}
		}
	}
}

// maxTokens is of each worker: a user may have 100.
const maxTokens = 4

// madeBefore finds the token that an earlier request has made.
var madeBefore = regexp.MustCompile(`token (tok_\w+) was made before`)

// next chooses an act.
func (w *worker) next() *deed {
	if len(w.models) == 0 {
		return w.registerModel()
	}
	m := w.models[weak.N(len(w.models))]
	switch n := weak.N(100); {
	case n < 15:
		return w.registerModel()
	case n < 35:
		return w.update(m)
	case n < 55:
		return w.upload(m)
	case n < 65:
		return w.record(m)
	case n < 75:
		live := slices.DeleteFunc(slices.Clone(w.tokens), func(own *ownToken) bool { return own.revoked })
		if len(live) < maxTokens {
			return w.makeToken()
		}
		return w.revoke(live[weak.N(len(live))])
	case n < 90 && len(m.versions) > 0:
		return w.download(m, m.versions[weak.N(len(m.versions))])
	}
	return w.history(m)
}

func (w *worker) registerModel() *deed {
	m := &ownModel{name: w.name + "-" + strings.ToLower(rand.Text()[:8]), summary: "as registered"}
	return &deed{what: "register " + m.name, do: func(ctx context.Context, c *client.Client) (client.Receipt, func(), error) {
		receipt, err := c.Post(ctx, "/models", map[string]any{"name": m.name, "summary": m.summary, "state": "experimental"}, nil)
		return receipt, func() { w.models = append(w.models, m) }, err
	}}
}

func (w *worker) update(m *ownModel) *deed {
	summary := rand.Text()
	return &deed{what: "update " + m.name, do: func(ctx context.Context, c *client.Client) (client.Receipt, func(), error) {
		receipt, err := c.Patch(ctx, "/models/"+m.name, map[string]any{"summary": summary}, nil)
		return receipt, func() { m.summary, m.updates = summary, m.updates+1 }, err
	}}
}

// upload uploads a file and registers the version that consists of it.
func (w *worker) upload(m *ownModel) *deed {
	v := ownVersion{name: strconv.Itoa(len(m.versions) + 1), content: make([]byte, 1+weak.N(64<<10))}
	_, _ = rand.Read(v.content) // never fails
	digest := tallystick.DigestOf(v.content)
	return &deed{what: "upload " + m.name + "@" + v.name, do: func(ctx context.Context, c *client.Client) (client.Receipt, func(), error) {
		open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(v.content)), nil }
		if err := c.Upload(ctx, "/models/"+m.name+"/artifacts/"+string(digest), int64(len(v.content)), open, nil); err != nil {
			return client.Receipt{}, nil, err
		}
		receipt, err := c.Post(ctx, "/models/"+m.name+"/versions", map[string]any{
			"version": v.name, "manifest": []map[string]any{{"name": "weights.bin", "digest": digest, "size": len(v.content)}},
		}, nil)
		return receipt, func() { m.versions = append(m.versions, v) }, err
	}}
}

// record tells of a run that read something and made something.
func (w *worker) record(m *ownModel) *deed {
	id := rand.Text()
	batch := map[string]any{
		"origin": "api", "nodes": []map[string]any{{"node": "source:" + id}, {"node": "run:" + id, "model": m.name}},
		"edges": []map[string]any{{"from": "source:" + id, "to": "run:" + id, "relation": "read"}},
	}
	return &deed{what: "record run " + id, do: func(ctx context.Context, c *client.Client) (client.Receipt, func(), error) {
		receipt, err := c.Post(ctx, "/lineage/records", batch, nil)
		return receipt, func() { w.runs = append(w.runs, id) }, err
	}}
}

// makeToken makes a token. The secret is told once: asked again, the server says that it was made.
func (w *worker) makeToken() *deed {
	label := w.name + " " + rand.Text()
	return &deed{what: "make a token", keyless: true, do: func(ctx context.Context, c *client.Client) (client.Receipt, func(), error) {
		var minted struct {
			Secret string
			Token  struct{ ID string }
		}
		receipt, err := c.Post(ctx, "/tokens", map[string]any{"label": label, "days": 1}, &minted)
		if tallystick.CodeOf(err) == tallystick.Conflict {
			if found := madeBefore.FindStringSubmatch(err.Error()); found != nil {
				minted.Token.ID, err = found[1], nil
			}
		}
		return receipt, func() { w.tokens = append(w.tokens, &ownToken{id: minted.Token.ID, secret: minted.Secret}) }, err
	}}
}

func (w *worker) revoke(own *ownToken) *deed {
	return &deed{what: "revoke " + own.id, do: func(ctx context.Context, c *client.Client) (client.Receipt, func(), error) {
		receipt, err := c.Delete(ctx, "/tokens/"+own.id, nil)
		return receipt, func() { own.revoked = true }, err
	}}
}

func (w *worker) download(m *ownModel, v ownVersion) *deed {
	return &deed{what: "download " + m.name + "@" + v.name, keyless: true, do: func(ctx context.Context, c *client.Client) (client.Receipt, func(), error) {
		content, err := reading(ctx, c, "/models/"+m.name+"/versions/"+v.name+"/files/weights.bin")
		if err == nil && !bytes.Equal(content, v.content) {
			err = fmt.Errorf("%d bytes came that are not the %d uploaded", len(content), len(v.content))
		}
		return client.Receipt{}, func() { m.reads++ }, err
	}}
}

// history reads who did what to the model: what the worker did before is there.
func (w *worker) history(m *ownModel) *deed {
	return &deed{what: "history of " + m.name, keyless: true, do: func(ctx context.Context, c *client.Client) (client.Receipt, func(), error) {
		var page struct{ Lines []json.RawMessage }
		err := c.Get(ctx, "/models/"+m.name+"/history?limit=1000", &page)
		if least := 1 + m.updates + 2*len(m.versions) + m.reads; err == nil && len(page.Lines) < min(least, 1000) {
			err = fmt.Errorf("the history has %d lines, at least %d acts were acknowledged", len(page.Lines), least)
		}
		return client.Receipt{}, func() {}, err
	}}
}

// check holds what the worker was told against what is there.
func (w *worker) check(c *client.Client, s *serving, events *events) {
	w.t.Helper()
	ctx := w.t.Context()
	fault := func(format string, args ...any) {
		w.t.Helper()
		w.t.Errorf(w.name+": "+format, args...)
	}
	for _, r := range w.receipts {
		if e := events.bySequence[r.Sequence]; e.ID != r.Event {
			fault("event %s was acknowledged as number %s, which is %q", r.Event, r.Sequence, e.ID)
		}
	}
	for _, m := range w.models {
		var got struct {
			Summary  string
			Revision int
		}
		if err := c.Get(ctx, "/models/"+m.name, &got); err != nil {
			fault("%v", err)
		}
		if got.Summary != m.summary || got.Revision != 1+m.updates {
			fault("model %s: %+v, want the summary %q after %d updates", m.name, got, m.summary, m.updates)
		}
		want := map[string]int{"model.registered": 1, "model.updated": m.updates, "version.registered": len(m.versions), "artifact.uploaded": len(m.versions)}
		for kind, n := range want {
			if found := events.byModel[m.name][kind]; found != n {
				fault("model %s: %d events %s, want %d", m.name, found, kind, n)
			}
		}
		if found := events.byModel[m.name]["version.read"]; found < m.reads {
			fault("model %s: %d downloads on the trail of %d", m.name, found, m.reads)
		}
		for _, v := range m.versions {
			content, err := reading(ctx, c, "/models/"+m.name+"/versions/"+v.name+"/files/weights.bin")
			if err != nil || !bytes.Equal(content, v.content) {
				fault("version %s@%s: %d bytes of %d, %v", m.name, v.name, len(content), len(v.content), err)
			}
		}
	}
	for _, id := range w.runs {
		if n := events.sources[id]; n != 1 {
			fault("run %s is on the trail %d times", id, n)
		}
	}
	if made := events.tokens[w.name]; made != len(w.tokens) {
		fault("%d tokens were made, %d were asked for", made, len(w.tokens))
	}
	for _, own := range w.tokens {
		if own.secret == "" {
			continue
		}
		err := s.client(own.secret).Get(ctx, "/self", nil)
		if revoked := tallystick.CodeOf(err) == tallystick.Unauthorized; revoked != own.revoked || err != nil && !revoked {
			fault("token %s (revoked: %t): %v", own.id, own.revoked, err)
		}
	}
}

// events is the whole trail as the API tells it.
type events struct {
	bySequence map[string]event
	byModel    map[string]map[string]int // how many of a type
	tokens     map[string]int            // how many were made, by the first word of the label
	sources    map[string]int            // how many records of lineage name one
}

func trailOf(t *testing.T, c *client.Client) *events {
	t.Helper()
	type told struct {
		event
		Model string
		Data  struct {
			Label string
			Nodes []string
		}
	}
	list, err := client.List[told](t.Context(), c, "/events", url.Values{"limit": {"1000"}}, 0)
	if err != nil {
		t.Fatal(err)
	}
	all := &events{bySequence: map[string]event{}, byModel: map[string]map[string]int{}, tokens: map[string]int{}, sources: map[string]int{}}
	ids := map[string]bool{}
	for i, e := range list {
		if e.Sequence != uint64(i+1) || ids[e.ID] {
			t.Fatalf("event %d of the trail is %+v", i+1, e)
		}
		ids[e.ID] = true
		all.bySequence[strconv.FormatUint(e.Sequence, 10)] = e.event
		if all.byModel[e.Model] == nil {
			all.byModel[e.Model] = map[string]int{}
		}
		all.byModel[e.Model][e.Type]++
		for _, node := range e.Data.Nodes {
			if id, ok := strings.CutPrefix(node, "source:"); ok {
				all.sources[id]++
			}
		}
		if e.Type == "token.created" {
			name, _, _ := strings.Cut(e.Data.Label, " ")
			all.tokens[name]++
		}
	}
	return all
}
