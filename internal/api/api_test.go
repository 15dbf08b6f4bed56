package api_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/trail"
)

func TestRepetition(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ada, ben := h.as("ada", access.Scientist), h.as("ben", access.Scientist)
	credit := map[string]any{"name": "credit", "summary": "scores"}
	first := ask(t, ada, "POST", "/models", credit, "Idempotency-Key", "k").want(t, 200)
	again := ask(t, ada, "POST", "/models", credit, "Idempotency-Key", "k").want(t, 200)
	if again.Header.Get("Tallystick-Repeated") != "true" || first.Header.Get("Tallystick-Repeated") != "" ||
		first.Header.Get("Tallystick-Event") == "" || again.Header.Get("Tallystick-Event") != first.Header.Get("Tallystick-Event") || !bytes.Equal(again.body, first.body) {
		t.Errorf("first %v %s, again %v %s", first.Header, first, again.Header, again)
	}
	ask(t, ada, "POST", "/models", map[string]any{"name": "loans"}, "Idempotency-Key", "k").want(t, 400)
	ask(t, ada, "POST", "/models/credit/retirement", map[string]any{"reason": "old"}, "Idempotency-Key", "k").want(t, 400)
	other := ask(t, ben, "POST", "/models", map[string]any{"name": "loans"}, "Idempotency-Key", "k").want(t, 200)
	if other.Header.Get("Tallystick-Repeated") != "" {
		t.Error("the key of another was taken for one's own")
	}
	ask(t, ada, "POST", "/models", credit, "Idempotency-Key", strings.Repeat("k", 200)).want(t, 422)
	if n := h.count(t, trail.ModelRegistered); n != 2 {
		t.Errorf("%d models were registered, want 2", n)
	}
}

// TestSecretOnce: a secret that is shown once is not made twice, nor shown again.
func TestSecretOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	root := h.as("root", access.Admin)
	for _, act := range []struct {
		path string
		body any
	}{{"/users", map[string]any{"name": "eve", "roles": []string{"viewer"}}}, {"/users/eve/enrolment", nil}} {
		ask(t, root, "POST", act.path, act.body, "Idempotency-Key", act.path).want(t, 200)
		again := ask(t, root, "POST", act.path, act.body, "Idempotency-Key", act.path).want(t, 409)
		if p := again.problem(t); !strings.Contains(p.Hint, "tallystick user enrol eve") {
			t.Errorf("%s: %s", act.path, again)
		}
	}
	if n := h.count(t, trail.EnrolmentCreated); n > 1 {
		t.Errorf("%d links were made by the second act, want 1", n)
	}
}

func TestConditions(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ada := h.as("ada", access.Scientist)
	ask(t, ada, "POST", "/models", map[string]any{"name": "credit"}).want(t, 200)
	tag := ask(t, ada, "GET", "/models/credit", nil).want(t, 200).Header.Get("ETag")
	if tag == "" {
		t.Fatal("a model has no ETag")
	}
	ask(t, ada, "PATCH", "/models/credit", map[string]any{"summary": "a"}, "If-Match", tag).want(t, 200)
	stale := ask(t, ada, "PATCH", "/models/credit", map[string]any{"summary": "b"}, "If-Match", tag).want(t, 409)
	if p := stale.problem(t); p.Code != "conflict" || p.Hint == "" {
		t.Errorf("%s", stale)
	}
	ask(t, ada, "PATCH", "/models/credit", map[string]any{"summary": "b"}, "If-Match", "*").want(t, 200)
	ask(t, ada, "PATCH", "/models/credit", map[string]any{"summary": "c"}, "If-Match", `"x"`).want(t, 400)
	ask(t, ada, "PATCH", "/models/none", map[string]any{"summary": "c"}).want(t, 404)
	ask(t, ada, "POST", "/models", map[string]any{"name": "credit", "summary": "another"}).want(t, 409)
	missing := ask(t, ada, "GET", "/models/credti", nil).want(t, 404).problem(t)
	if missing.Code != "not_found" || !strings.Contains(missing.Hint+missing.Detail, "credit") {
		t.Errorf("%+v", missing)
	}
}

func TestPages(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ada := h.as("ada", access.Scientist)
	var want []string
	for i := range 7 {
		name := fmt.Sprintf("m%d", i)
		want = append(want, name)
		ask(t, ada, "POST", "/models", map[string]any{"name": name}).want(t, 200)
	}
	c, err := client.New(client.Config{Server: "http://localhost", Transport: client.Handler{Handler: ada}})
	if err != nil {
		t.Fatal(err)
	}
	for _, limit := range []string{"1", "3", "7", "100"} {
		found, err := client.List[struct{ Name string }](t.Context(), c, "/models", url.Values{"limit": {limit}}, 0)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, m := range found {
			names = append(names, m.Name)
		}
		if diff := cmp.Diff(want, names); diff != "" {
			t.Errorf("limit %s: %s", limit, diff)
		}
		var walks [2][]uint64
		for i, newest := range []string{"false", "true"} {
			events, err := client.List[struct{ Sequence uint64 }](t.Context(), c, "/events", url.Values{"limit": {limit}, "newest": {newest}, "type": {"model.registered"}}, 0)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range events {
				walks[i] = append(walks[i], e.Sequence)
			}
		}
		slices.Reverse(walks[1])
		if len(walks[0]) != 7 || !slices.Equal(walks[0], walks[1]) {
			t.Errorf("limit %s: events %v, newest first %v", limit, walks[0], walks[1])
		}
	}
	for _, query := range []string{"limit=0", "limit=-1", "limit=1000000", "limit=x"} {
		ask(t, ada, "GET", "/models?"+query, nil).want(t, 422)
	}
}

func TestBodies(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ada := h.as("ada", access.Scientist)
	huge := `{"name":"credit","summary":"` + strings.Repeat("x", 5<<20) + `"}`
	if a := ask(t, ada, "POST", "/models", huge); a.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("5 MiB are answered %d", a.StatusCode)
	}
	for _, body := range []string{"", "{", `{"name":"credit"`, "null", "[]", `"credit"`, `{"name":1}`, `{"name":"credit","unknown":1}`, "\xff", strings.Repeat("[", 100_000)} {
		if a := ask(t, ada, "POST", "/models", body); a.StatusCode < 400 || a.StatusCode >= 500 {
			t.Errorf("body %.40q: %s", body, a)
		} else {
			a.problem(t)
		}
	}
	if n := h.count(t, trail.ModelRegistered); n != 0 {
		t.Errorf("%d models were registered by bodies that are none", n)
	}
}

// TestPaths: names of files and models lead nowhere but to them.
func TestPaths(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.version(t, "credit", "dir/weights.bin", "weights")
	ada := h.as("ada", access.Scientist)
	if a := ask(t, ada, "GET", "/models/credit/versions/1/files/dir%2Fweights.bin", nil).want(t, 200); string(a.body) != "weights" || a.Header.Get("Repr-Digest") == "" {
		t.Errorf("%v %s", a.Header, a)
	}
	for _, path := range []string{
		"/models/credit/versions/1/files/..%2F..%2Fstate.db", "/models/credit/versions/1/files/%2Fetc%2Fpasswd", "/models/credit/versions/1/files/weights.bin%00",
		"/models/credit/versions/..%2F1/files/dir%2Fweights.bin", "/models/..%2Fcredit", "/models/%00", "/models/%FF", "/models/credit/artifacts/sha256:..",
		"/models/credit/artifacts/sha256:" + strings.Repeat("0", 64), "/events/..", "/events/18446744073709551616", "/nothing",
	} {
		if a := ask(t, ada, "GET", path, nil); a.StatusCode < 300 || a.StatusCode >= 500 {
			t.Errorf("%s: %s", path, a)
		}
	}
}

// TestPurpose: what a model of tier high gives out is given out for a purpose.
func TestPurpose(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.version(t, "credit", "weights.bin", "weights")
	ada := h.as("ada", access.Scientist)
	ask(t, ada, "PATCH", "/models/credit", map[string]any{"tier_stated": "high"}).want(t, 200)
	const path = "/models/credit/versions/1/files/weights.bin"
	before := h.count(t, trail.CommandRefused)
	refused := ask(t, ada, "GET", path, nil)
	if p := refused.problem(t); refused.StatusCode/100 != 4 || p.Hint == "" || h.count(t, trail.CommandRefused) != before+1 {
		t.Errorf("without a purpose: %s", refused)
	}
	ask(t, ada, "GET", path, nil, "Tallystick-Purpose", "compare with the next").want(t, 200)
	if n := h.count(t, trail.VersionRead); n != 1 {
		t.Errorf("%d downloads are on the trail, want 1", n)
	}
}

func TestUploads(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	d := h.version(t, "credit", "weights.bin", "weights")
	ada := h.as("ada", access.Scientist)
	ask(t, ada, "PUT", "/models/credit/artifacts/"+string(d), "weights", "Content-Type", "application/octet-stream").want(t, 200)
	if n := h.count(t, trail.ArtifactUploaded); n != 1 {
		t.Errorf("the same bytes twice are %d events, want 1", n)
	}
	other := tallystick.DigestOf([]byte("others"))
	ask(t, ada, "PUT", "/models/credit/artifacts/"+string(other), "weights", "Content-Type", "application/octet-stream").want(t, 400)
	ask(t, ada, "GET", "/models/credit/artifacts/"+string(other), nil).want(t, 404)
	// Bytes that were stored just before the server died are not on the trail; the next try tells it.
	if _, err := h.Workspace.Artifacts.PutAs(t.Context(), strings.NewReader("others"), other); err != nil {
		t.Fatal(err)
	}
	ask(t, ada, "PUT", "/models/credit/artifacts/"+string(other), "others", "Content-Type", "application/octet-stream").want(t, 200)
	if n := h.count(t, trail.ArtifactUploaded); n != 2 {
		t.Errorf("%d uploads are on the trail, want 2", n)
	}
}

// TestDamage: a file that is not what it was when it was uploaded is never given out whole.
func TestDamage(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func([]byte) []byte{
		"flipped": func(b []byte) []byte { b[len(b)/2] ^= 1; return b },
		"cut":     func(b []byte) []byte { return b[:len(b)/2] },
		"emptied": func([]byte) []byte { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			d := h.version(t, "credit", "weights.bin", strings.Repeat("weights ", 100_000))
			server := httptest.NewServer(h.as("ada", access.Scientist))
			defer server.Close()
			c, err := client.New(client.Config{Server: server.URL})
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(h.dir, "artifacts", "sha256", d.Hex()[:2], d.Hex())
			content, err := os.ReadFile(path)
			if err == nil {
				err = errors.Join(os.Chmod(path, 0o600), os.WriteFile(path, damage(content), 0o600))
			}
			if err != nil {
				t.Fatal(err)
			}
			r, err := c.Download(t.Context(), "/models/credit/versions/1/files/weights.bin")
			if err != nil {
				return // noticed before the first byte
			}
			defer r.Close()
			if got, err := io.ReadAll(r); err == nil {
				t.Errorf("%d bytes came as if they were the file", len(got))
			}
		})
	}
}
