package witness

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	cosignature "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"

	"github.com/tallystick/tallystick"
)

// handlers answers requests from handlers by host, without a network.
type handlers map[string]http.Handler

func (h handlers) Do(r *http.Request) (*http.Response, error) {
	handler := h[r.URL.Host]
	if handler == nil {
		return nil, fmt.Errorf("dial %s: connection refused", r.URL.Host)
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequestWithContext(r.Context(), r.Method, r.URL.String(), r.Body))
	return w.Result(), r.Context().Err()
}

// newGroup makes a group of the benches at the hosts w0, w1 and so on.
func newGroup(t *testing.T, quorum int, at handlers, benches ...*bench) *Group {
	t.Helper()
	policy := Policy{Quorum: quorum}
	for i, b := range benches {
		host := fmt.Sprintf("w%d", i)
		policy.Peers = append(policy.Peers, Peer{"http://" + host, b.vkey})
		if _, set := at[host]; !set {
			at[host] = b.Handler()
		}
	}
	g, err := NewGroup(policy, at)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// named makes a witness of another name.
func named(t *testing.T, name string, logs ...*history) *bench {
	t.Helper()
	b := &bench{t: t, dir: t.TempDir(), log: &strings.Builder{}}
	key, err := CreateKey(b.dir, name)
	if err != nil {
		t.Fatal(err)
	}
	b.vkey = key.VKey
	b.open(logs...)
	t.Cleanup(func() { b.Close() })
	return b
}

func (b *bench) verifier() note.Verifier {
	b.t.Helper()
	v, err := cosignature.NewVerifierForCosignatureV1(b.vkey)
	if err != nil {
		b.t.Fatal(err)
	}
	return v
}

func round(t *testing.T, g *Group, source Source) Round {
	t.Helper()
	r, err := g.Cosign(t.Context(), source)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestGroup(t *testing.T) {
	t.Parallel()
	h := newHistory(t, testOrigin)
	h.grow(300, "entry")
	w := []*bench{named(t, "w.example.net/0", h), named(t, "w.example.net/1", h), named(t, "w.example.net/2", h)}
	w[1].mustCosign(h.request(0, 3)) // it knows the log already
	g := newGroup(t, 2, handlers{}, w...)
	for _, size := range []uint64{5, 5, 256, 300} {
		r := round(t, g, h.at(size))
		if r.Size != size || r.Cosigned != 3 || !r.Quorum || len(r.Refusals) > 0 || !r.Next.IsZero() {
			t.Fatalf("at size %d: %+v", size, r)
		}
		n, err := note.Open(r.Checkpoint, note.VerifierList(h.verifier(), w[0].verifier(), w[1].verifier(), w[2].verifier()))
		if err != nil || len(n.Sigs) != 4 {
			t.Fatalf("cosigned checkpoint: %v\n%s", err, r.Checkpoint)
		}
	}
	if s := g.Status(); s.Size != 300 || s.Peers[2].Size != 300 || s.Peers[2].Err != nil {
		t.Errorf("status %+v", s)
	}
}

// TestGroupSilent goes on without a witness that cannot be reached, lets it rest, and takes it in again.
func TestGroupSilent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHistory(t, testOrigin)
		h.grow(9, "entry")
		w := []*bench{named(t, "w.example.net/0", h), named(t, "w.example.net/1", h)}
		at := handlers{"w1": http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { <-r.Context().Done() })}
		g := newGroup(t, 1, at, w...)
		start := time.Now()
		r := round(t, g, h.at(5))
		if r.Cosigned != 1 || !r.Quorum || len(r.Refusals) > 0 || r.Next.IsZero() {
			t.Errorf("with one that hangs: %+v", r)
		}
		if took := time.Since(start); took != lastWait {
			t.Errorf("one that hangs takes %v, with a quorum without it", took)
		}
		at["w1"] = w[1].Handler()
		if r := round(t, g, h.at(6)); r.Cosigned != 1 {
			t.Errorf("before its rest is over: %+v", r)
		}
		time.Sleep(firstRest)
		if r := round(t, g, h.at(7)); r.Cosigned != 2 || !r.Next.IsZero() {
			t.Errorf("after its rest: %+v", r)
		}
		delete(at, "w0")
		delete(at, "w1")
		for range 20 {
			r = round(t, g, h.at(8))
			if r.Quorum || r.Cosigned > 0 || time.Until(r.Next) > longRest {
				t.Fatalf("with none: %+v", r)
			}
			time.Sleep(time.Until(r.Next))
		}
		if s := g.Status(); s.Size != 7 || s.Peers[0].Failures != 20 || s.Peers[0].Err == nil {
			t.Errorf("status %+v", s)
		}
	})
}

// TestGroupRefused tells of each refusal once, and says to the witness that the ledger was put back.
func TestGroupRefused(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(h *history) (*history, uint64)
		fault  Fault
		alarm  AlarmKind
		says   string
	}{
		"put back":      {func(h *history) (*history, uint64) { return h, 3 }, Stale, Rollback, "has cosigned 5 entries of this ledger, which now has 3"},
		"rewritten":     {func(h *history) (*history, uint64) { f := h.fork(3); f.grow(5, "other"); return f, 5 }, Inconsistent, Fork, "422"},
		"and continued": {func(h *history) (*history, uint64) { f := h.fork(3); f.grow(9, "other"); return f, 9 }, Inconsistent, Unproved, "422"},
		"another key": {func(h *history) (*history, uint64) {
			o := newHistory(h.t, testOrigin)
			o.grow(9, "entry")
			return o, 9
		}, Unsigned, "", "403"},
		"another log": {func(h *history) (*history, uint64) {
			o := newHistory(h.t, "unknown.example.org")
			o.grow(9, "entry")
			return o, 9
		}, UnknownLog, "", "404"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := newHistory(t, testOrigin)
				h.grow(9, "entry")
				b := newBench(t, h)
				g := newGroup(t, 1, handlers{}, b)
				round(t, g, h.at(5))
				bad, size := test.change(h)
				r := round(t, g, bad.at(size))
				if r.Quorum || len(r.Refusals) != 1 || r.Refusals[0].Fault != test.fault || !strings.Contains(r.Refusals[0].Error(), test.says) || r.Refusals[0].Witness != testWitness {
					t.Fatalf("%+v", r)
				}
				alarms, err := Alarms(b.dir)
				if err != nil || (test.alarm == "") != (len(alarms) == 0) || len(alarms) > 0 && alarms[0].Kind != test.alarm {
					t.Errorf("alarms %+v, %v", alarms, err)
				}
				time.Sleep(longRest)
				if r := round(t, g, bad.at(size)); len(r.Refusals) > 0 || r.Cosigned > 0 {
					t.Errorf("again: %+v", r)
				}
				if s := g.Status(); s.Peers[0].Err == nil || s.Size != 5 {
					t.Errorf("status %+v", s)
				}
				time.Sleep(longRest)
				if r := round(t, g, h.at(9)); !r.Quorum {
					t.Errorf("the true ledger is not cosigned any more: %+v", r)
				}
			})
		})
	}
}

// TestGroupOvertaken is not told of a refusal when another process was faster.
func TestGroupOvertaken(t *testing.T) {
	t.Parallel()
	h := newHistory(t, testOrigin)
	h.grow(9, "entry")
	b := newBench(t, h)
	g := newGroup(t, 1, handlers{}, b)
	asked := 0
	r := round(t, g, func() (Ledger, error) {
		asked++
		if asked == 1 {
			b.mustCosign(h.request(0, 9))
			return snapshot{h, 5}, nil
		}
		return snapshot{h, 9}, nil
	})
	if len(r.Refusals) > 0 || r.Cosigned > 0 || !r.Next.IsZero() {
		t.Errorf("%+v", r)
	}
	if alarms, err := Alarms(b.dir); err != nil || len(alarms) > 0 {
		t.Errorf("alarms %+v, %v", alarms, err)
	}
}

// TestGroupHostile survives what a witness should not answer, and takes none of it for a cosignature.
func TestGroupHostile(t *testing.T) {
	t.Parallel()
	h := newHistory(t, testOrigin)
	h.grow(9, "entry")
	b, other := newBench(t, h), newBench(t, h)
	line, err := b.Add(t.Context(), h.request(0, 9))
	if err != nil {
		t.Fatal(err)
	}
	otherLine, err := other.Add(t.Context(), h.request(0, 9))
	if err != nil {
		t.Fatal(err)
	}
	say := func(status int, kind, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	for name, handler := range map[string]http.HandlerFunc{
		"nothing":        say(200, "text/plain", ""),
		"another's key":  say(200, "text/plain", string(otherLine)),
		"another tree":   say(200, "text/plain", strings.Replace(string(line), "A", "B", 3)),
		"endless":        say(200, "text/plain", strings.Repeat(string(line), 1000)),
		"no size":        say(409, sizeType, "many\n"),
		"size in a page": say(409, "text/html", "5\n"),
		"sizes for ever": func(w http.ResponseWriter, r *http.Request) {
			say(409, sizeType, fmt.Sprint(time.Now().UnixNano()%9)+"\n")(w, r)
		},
		"redirect":        say(302, "text/plain", ""),
		"internal":        say(500, "text/plain", "x"),
		"signed and more": say(200, "text/plain", string(line)+"\x00"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGroup(t, 1, handlers{"w0": handler}, b)
			r := round(t, g, h.at(9))
			if r.Quorum || r.Cosigned > 0 || len(r.Refusals) > 0 || r.Next.IsZero() {
				t.Errorf("%+v", r)
			}
		})
	}
	g := newGroup(t, 1, handlers{"w0": say(200, "text/plain", string(otherLine)+string(line))}, b)
	if r := round(t, g, h.at(9)); !r.Quorum {
		t.Errorf("a signature of an unknown key beside it spoils the good one: %+v", r)
	}
}

func TestGroupEnds(t *testing.T) {
	t.Parallel()
	h := newHistory(t, testOrigin)
	h.grow(9, "entry")
	g := newGroup(t, 1, handlers{}, newBench(t, h))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := g.Cosign(ctx, h.at(9)); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	fault := errors.New("the ledger is gone")
	if _, err := g.Cosign(t.Context(), func() (Ledger, error) { return nil, fault }); !errors.Is(err, fault) {
		t.Errorf("%v", err)
	}
}

func TestParsePeer(t *testing.T) {
	t.Parallel()
	b := newBench(t, newHistory(t, testOrigin))
	good := "https://witness.example.net/prefix=" + b.vkey
	if p, err := ParsePeer(good); err != nil || p.VKey != b.vkey || p.URL != "https://witness.example.net/prefix" {
		t.Errorf("%+v, %v", p, err)
	}
	plain := newHistory(t, testWitness).vkey // of a log, not of a witness
	for _, bad := range []string{
		"", "https://witness.example.net", "https://witness.example.net=", "witness.example.net=" + b.vkey, "ftp://w.example.net=" + b.vkey,
		"https://w.example.net?x=" + b.vkey, "https://user:secret@w.example.net=" + b.vkey, "https://w.example.net=" + plain, "https://w.example.net=" + b.vkey + "x",
	} {
		if p, err := ParsePeer(bad); tallystick.CodeOf(err) != tallystick.Invalid {
			t.Errorf("%q is read as %+v, %v", bad, p, err)
		}
	}
	peer := Peer{"https://w.example.net", b.vkey}
	for _, p := range []Policy{{Quorum: 2, Peers: []Peer{peer}}, {Quorum: 0, Peers: []Peer{peer}}, {Quorum: 1}, {Quorum: 1, Peers: []Peer{peer, peer}}, {Quorum: -1}} {
		if err := p.Validate(); tallystick.CodeOf(err) != tallystick.Invalid {
			t.Errorf("%+v: %v", p, err)
		}
	}
}
