package witness

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	cosignature "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"

	"github.com/tallystick/tallystick"
)

// TestProtocol goes through the answers that https://c2sp.org/tlog-witness asks for.
func TestProtocol(t *testing.T) {
	t.Parallel()
	const held = 5
	honest := newHistory(t, testOrigin)
	honest.grow(40, "entry")
	forged := honest.fork(3)
	forged.grow(40, "other")
	stranger, impostor := newHistory(t, "unknown.example.org"), newHistory(t, testOrigin)
	stranger.grow(9, "entry")
	impostor.grow(9, "entry")
	change := func(r Request, f func(*Request)) []byte { f(&r); return r.Marshal() }
	empty := bytes.Replace(honest.checkpoint(9), []byte("\n9\n"), []byte("\n0\n"), 1)

	for name, test := range map[string]struct {
		body   []byte
		status int
		says   string
		alarm  AlarmKind
	}{
		"continues":         {honest.request(held, 9).Marshal(), 200, "— " + testWitness + " ", ""},
		"the same again":    {honest.request(held, held).Marshal(), 200, "— " + testWitness + " ", ""},
		"larger at once":    {honest.request(held, 40).Marshal(), 200, "— " + testWitness + " ", ""},
		"size unknown":      {honest.request(0, 9).Marshal(), 409, "5\n", ""},
		"older size":        {honest.request(3, 9).Marshal(), 409, "5\n", ""},
		"overtaken":         {honest.request(3, 4).Marshal(), 409, "5\n", ""},
		"old too large":     {honest.request(9, 7).Marshal(), 400, "old size 9", ""},
		"rolled back":       {honest.request(held, 3).Marshal(), 400, "3 entries, though 5", Rollback},
		"fork of that size": {forged.request(held, held).Marshal(), 422, "another checkpoint", Fork},
		"fork, size asked":  {forged.request(0, held).Marshal(), 409, "5\n", Fork},
		"fork that grew":    {forged.request(held, 9).Marshal(), 422, "not shown to continue", Unproved},
		"no proof":          {change(honest.request(held, 9), func(r *Request) { r.Proof = nil }), 422, "not shown to continue", Unproved},
		"proof of nothing":  {change(honest.request(held, held), func(r *Request) { r.Proof = honest.request(held, 9).Proof }), 422, "one size", ""},
		"unknown log":       {stranger.request(0, 9).Marshal(), 404, "not known", ""},
		"unknown key":       {impostor.request(held, 9).Marshal(), 403, "no trusted key", ""},
		"wrong signature":   {change(honest.request(held, 9), func(r *Request) { r.Checkpoint = bytes.Replace(r.Checkpoint, []byte("\n9\n"), []byte("\n8\n"), 1) }), 403, "no trusted key", ""},
		"empty with a root": {change(honest.request(0, 9), func(r *Request) { r.Checkpoint = empty }), 403, "no trusted key", ""},
		"no body":           {nil, 400, "", ""},
		"too long":          {append(honest.request(held, 9).Marshal(), make([]byte, MaxRequest)...), 400, "cannot be read", ""},
		"no checkpoint":     {[]byte("old 5\n\n"), 400, "", ""},
		"64 hashes":         {change(honest.request(held, 9), func(r *Request) { r.Proof = make([][32]byte, 64) }), 400, "64 hashes", ""},
		"leading zero":      {bytes.Replace(honest.request(held, 9).Marshal(), []byte("old 5"), []byte("old 05"), 1), 400, "old size", ""},
		"negative":          {bytes.Replace(honest.request(held, 9).Marshal(), []byte("old 5"), []byte("old -5"), 1), 400, "old size", ""},
		"more on the line":  {bytes.Replace(honest.request(held, 9).Marshal(), []byte("old 5"), []byte("old 5 6"), 1), 400, "old size", ""},
		"carriage return":   {bytes.Replace(honest.request(held, 9).Marshal(), []byte("old 5\n"), []byte("old 5\r\n"), 1), 400, "old size", ""},
		"zeroes before size": {change(honest.request(held, 9), func(r *Request) {
			r.Checkpoint = resign(t, honest, strings.Replace(textOf(r.Checkpoint), "\n9\n", "\n09\n", 1))
		}), 400, "three lines", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, honest)
			b.mustCosign(honest.request(0, held))
			before, _ := b.Checkpoint(originHash(testOrigin))

			status, kind, body := b.post(test.body)
			if status != test.status || !strings.Contains(string(body), test.says) {
				t.Errorf("answer %d %q, want %d with %q", status, body, test.status, test.says)
			}
			if (kind == sizeType) != (test.status == http.StatusConflict) {
				t.Errorf("answer %d has the type %q", status, kind)
			}
			after, _ := b.Checkpoint(originHash(testOrigin))
			if test.status != 200 && !bytes.Equal(before, after) {
				t.Errorf("a refused checkpoint changed what is held:\n%s", after)
			}
			if test.status == 200 {
				r, err := ParseRequest(test.body)
				if err != nil {
					t.Fatal(err)
				}
				b.verify(r.Checkpoint, body)
			}
			alarms, err := Alarms(b.dir)
			if err != nil {
				t.Fatal(err)
			}
			switch {
			case test.alarm == "" && len(alarms) > 0:
				t.Errorf("alarm %+v", alarms)
			case test.alarm != "" && (len(alarms) != 1 || alarms[0].Kind != test.alarm || alarms[0].HeldSize != held || alarms[0].Held != string(before)):
				t.Errorf("alarms %+v, want one %s", alarms, test.alarm)
			case test.alarm != "" && strings.Count(b.log.String(), "level=ERROR") != 1:
				t.Errorf("the log does not tell of the alarm once:\n%s", b.log)
			}
		})
	}
}

func textOf(signed []byte) string {
	text, _, _ := strings.Cut(string(signed), "\n\n")
	return text + "\n"
}

// resign signs a text that no honest log writes.
func resign(t *testing.T, h *history, text string) []byte {
	t.Helper()
	signed, err := note.Sign(&note.Note{Text: text}, h.signer)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// TestFirst tells what a witness takes of a log that it knows nothing of.
func TestFirst(t *testing.T) {
	t.Parallel()
	h := newHistory(t, testOrigin)
	h.grow(9, "entry")
	for name, test := range map[string]struct {
		request Request
		fault   Fault
	}{
		"any":               {h.request(0, 9), ""},
		"empty":             {h.request(0, 0), ""},
		"old size":          {h.request(5, 9), Stale},
		"a proof":           {Request{Checkpoint: h.checkpoint(9), Proof: make([][32]byte, 1)}, Inconsistent},
		"empty with a root": {Request{Checkpoint: resign(t, h, strings.Replace(textOf(h.checkpoint(9)), "\n9\n", "\n0\n", 1))}, Inconsistent},
		"extension lines":   {Request{Checkpoint: resign(t, h, textOf(h.checkpoint(9))+"extension\n")}, ""},
		"empty line inside": {Request{Checkpoint: resign(t, h, textOf(h.checkpoint(9))+"\nextension\n")}, Malformed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, h)
			if test.fault == "" {
				b.mustCosign(test.request)
				return
			}
			_, err := b.Add(t.Context(), test.request)
			var refusal *Refusal
			if !errors.As(err, &refusal) || refusal.Fault != test.fault || refusal.Held != 0 {
				t.Errorf("got %v, want %s", err, test.fault)
			}
			if _, ok := b.Checkpoint(originHash(testOrigin)); ok {
				t.Error("something is held")
			}
		})
	}
}

// TestEmptyThenGrown continues a log whose empty tree was cosigned.
func TestEmptyThenGrown(t *testing.T) {
	t.Parallel()
	h := newHistory(t, testOrigin)
	h.grow(9, "entry")
	b := newBench(t, h)
	b.mustCosign(h.request(0, 0))
	b.mustCosign(h.request(0, 7))
	b.mustCosign(h.request(7, 9))
}

// TestRestart forgets nothing, alarms included, and repeats none.
func TestRestart(t *testing.T) {
	t.Parallel()
	h, other := newHistory(t, testOrigin), newHistory(t, "other.example.org")
	h.grow(9, "entry")
	other.grow(2, "entry")
	forged := h.fork(3)
	forged.grow(9, "other")
	b := newBench(t, h, other)
	b.mustCosign(h.request(0, 5))
	b.mustCosign(other.request(0, 2))
	if _, err := b.Add(t.Context(), forged.request(5, 5)); err == nil {
		t.Fatal("a fork was cosigned")
	}
	for range 3 {
		b.reopen(h, other)
		if _, err := b.Add(t.Context(), forged.request(5, 5)); err == nil {
			t.Fatal("a fork was cosigned after a restart")
		}
	}
	if alarms, err := Alarms(b.dir); err != nil || len(alarms) != 1 {
		t.Errorf("alarms %+v, %v; want one", alarms, err)
	}
	b.mustCosign(h.request(5, 9))
	signed, ok := b.Checkpoint(originHash(testOrigin))
	if !ok {
		t.Fatal("no checkpoint for monitors")
	}
	v, err := cosignature.NewVerifierForCosignatureV1(b.vkey)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := note.Open(signed, note.VerifierList(v, h.verifier())); err != nil || len(n.Sigs) != 2 {
		t.Errorf("the monitor's checkpoint has not the signatures of log and witness: %v\n%s", err, signed)
	}
}

// TestRepeat gives the same signature for a while and then a newer one, and a rollback that may only
// be late is an alarm once it cannot be.
func TestRepeat(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHistory(t, testOrigin)
		h.grow(9, "entry")
		b := newBench(t, h)
		first := b.mustCosign(h.request(0, 9))
		time.Sleep(freshness - time.Second)
		if again := b.mustCosign(h.request(9, 9)); again != first {
			t.Error("a cosignature that is seconds old was made again")
		}
		time.Sleep(time.Second)
		again := b.mustCosign(h.request(9, 9))
		was, _ := cosignature.CoSigV1Timestamp(first)
		is, _ := cosignature.CoSigV1Timestamp(again)
		if is.Sub(was) != freshness {
			t.Errorf("cosigned at %v and again at %v", was, is)
		}
		late := h.request(2, 5)
		for _, want := range []int{0, 1} {
			if _, err := b.Add(t.Context(), late); err == nil {
				t.Fatal("a smaller checkpoint was cosigned")
			}
			if alarms, err := Alarms(b.dir); err != nil || len(alarms) != want {
				t.Errorf("%d alarms, %v, want %d", len(alarms), err, want)
			}
			time.Sleep(overtaken + time.Second)
		}
	})
}

// TestRace sends what only one can win.
func TestRace(t *testing.T) {
	t.Parallel()
	h := newHistory(t, testOrigin)
	h.grow(64, "entry")
	b := newBench(t, h)
	b.mustCosign(h.request(0, 1))
	var wg sync.WaitGroup
	won := make(chan uint64, 64)
	for size := uint64(2); size <= 33; size++ {
		r := h.request(1, size)
		wg.Go(func() {
			if _, err := b.Add(t.Context(), r); err == nil {
				won <- size
			}
		})
	}
	wg.Wait()
	close(won)
	size, again := <-won, <-won
	if size == 0 || again != 0 {
		t.Fatalf("the old size 1 was good for %d and %d", size, again)
	}
	b.mustCosign(h.request(size, 64))
}

// TestDamage refuses a directory that cannot be believed.
func TestDamage(t *testing.T) {
	t.Parallel()
	h := newHistory(t, testOrigin)
	h.grow(9, "entry")
	for name, test := range map[string]struct {
		damage func(t *testing.T, b *bench)
		code   tallystick.Code
	}{
		"record flipped": {func(t *testing.T, b *bench) {
			alter(t, b.byHash[originHash(testOrigin)].path, func(d []byte) []byte { d[len(testOrigin)+1] ^= 1; return d })
		}, tallystick.Invalid},
		"record of another log": {func(t *testing.T, b *bench) {
			alter(t, b.byHash[originHash(testOrigin)].path, func([]byte) []byte {
				other := newHistory(t, "other.example.org")
				key, err := OpenKey(b.dir)
				if err != nil {
					t.Fatal(err)
				}
				return other.checkpoint(0, other.signer, key.Signer)
			})
		}, tallystick.Invalid},
		"record empty": {func(t *testing.T, b *bench) {
			alter(t, b.byHash[originHash(testOrigin)].path, func([]byte) []byte { return nil })
		}, tallystick.Invalid},
		"key open to others": {func(t *testing.T, b *bench) {
			if err := os.Chmod(filepath.Join(b.dir, keyFile), 0o640); err != nil {
				t.Fatal(err)
			}
		}, tallystick.Invalid},
		"key gone": {func(t *testing.T, b *bench) { os.Remove(filepath.Join(b.dir, keyFile)) }, tallystick.NotFound},
		"key cut": {func(t *testing.T, b *bench) {
			alter(t, filepath.Join(b.dir, keyFile), func(d []byte) []byte { return d[:40] })
		}, tallystick.Invalid},
		"alarm damaged": {func(t *testing.T, b *bench) {
			alter(t, filepath.Join(b.dir, alarmFile), func(d []byte) []byte { return []byte("{\n") })
		}, tallystick.Invalid},
		"served already": {func(t *testing.T, b *bench) { b.open(h) }, tallystick.Unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, h)
			b.mustCosign(h.request(0, 9))
			if err := b.Close(); err != nil {
				t.Fatal(err)
			}
			test.damage(t, b)
			w, err := Open(Config{Dir: b.dir, Logs: []Log{{testOrigin, []note.Verifier{h.verifier()}}}})
			if err == nil {
				w.Close()
			}
			if message, hint := tallystick.Words(err); tallystick.CodeOf(err) != test.code || strings.Contains(message, "\n") || hint == "" {
				t.Errorf("%v (hint %q), want %s", err, hint, test.code)
			}
		})
	}
}

func alter(t *testing.T, path string, change func([]byte) []byte) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, change(data), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestHalfAlarm cuts off what a crash left half written, and goes on.
func TestHalfAlarm(t *testing.T) {
	t.Parallel()
	h := newHistory(t, testOrigin)
	h.grow(9, "entry")
	forged := h.fork(3)
	forged.grow(9, "other")
	b := newBench(t, h)
	b.mustCosign(h.request(0, 5))
	for size := uint64(4); size <= 5; size++ {
		if _, err := b.Add(t.Context(), forged.request(5, size)); err == nil {
			t.Fatal("cosigned")
		}
		if size == 4 {
			alter(t, filepath.Join(b.dir, alarmFile), func(d []byte) []byte { return append(d, `{"time":"20`...) })
			b.reopen(h)
		}
	}
	alarms, err := Alarms(b.dir)
	if err != nil || len(alarms) != 2 || alarms[0].Kind != Rollback || alarms[1].Kind != Fork {
		t.Errorf("alarms %+v, %v", alarms, err)
	}
}

// TestUnknownOutcome stops a witness whose disk fails: it must not sign what it may not remember.
func TestUnknownOutcome(t *testing.T) {
	t.Parallel()
	h := newHistory(t, testOrigin)
	h.grow(9, "entry")
	b := newBench(t, h)
	b.mustCosign(h.request(0, 5))
	if err := os.RemoveAll(filepath.Join(b.dir, logsDir)); err != nil {
		t.Fatal(err)
	}
	if status, _, _ := b.post(h.request(5, 9).Marshal()); status != http.StatusInternalServerError {
		t.Errorf("answer %d", status)
	}
	select {
	case <-b.Broken():
	default:
		t.Error("the witness goes on")
	}
	if err := os.Mkdir(filepath.Join(b.dir, logsDir), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Add(t.Context(), h.request(5, 9)); err == nil || !strings.Contains(err.Error(), "witness stopped") {
		t.Errorf("after the failure: %v", err)
	}
}

func TestMonitor(t *testing.T) {
	t.Parallel()
	h := newHistory(t, testOrigin)
	h.grow(9, "entry")
	b := newBench(t, h)
	get := func(path string) (int, string) {
		w := httptest.NewRecorder()
		b.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		return w.Code, w.Body.String()
	}
	path := "/" + originHash(testOrigin) + "/checkpoint"
	if status, _ := get(path); status != http.StatusNotFound {
		t.Errorf("before the first: %d", status)
	}
	b.mustCosign(h.request(0, 9))
	if status, body := get(path); status != http.StatusOK || !strings.HasPrefix(body, testOrigin+"\n9\n") {
		t.Errorf("%d %s", status, body)
	}
	if status, _ := get("/" + originHash("unknown") + "/checkpoint"); status != http.StatusNotFound {
		t.Errorf("unknown log: %d", status)
	}
	if status, _ := get("/add-checkpoint"); status != http.StatusMethodNotAllowed && status != http.StatusNotFound {
		t.Errorf("GET add-checkpoint: %d", status)
	}
}

func TestCreateKey(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := CreateKey(dir, "has space"); tallystick.CodeOf(err) != tallystick.Invalid {
		t.Errorf("bad name: %v", err)
	}
	key, err := CreateKey(dir, testWitness)
	if err != nil {
		t.Fatal(err)
	}
	again, err := OpenKey(dir)
	if err != nil || again.VKey != key.VKey || again.Signer.KeyHash() != key.Signer.KeyHash() {
		t.Errorf("read again: %+v, %v", again, err)
	}
	v, err := cosignature.NewVerifierForCosignatureV1(key.VKey)
	if err != nil || v.Name() != testWitness || v.KeyHash() != key.Signer.KeyHash() {
		t.Errorf("verifier key %s: %v", key.VKey, err)
	}
	if _, err := CreateKey(dir, testWitness); tallystick.CodeOf(err) != tallystick.Conflict {
		t.Errorf("a second key: %v", err)
	}
}
