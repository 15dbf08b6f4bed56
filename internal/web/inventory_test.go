package web_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// Every order shows each model once over its pages, says so to who cannot see it, and turns around.
func TestInventoryOrders(t *testing.T) {
	t.Parallel()
	h := open(t)
	for i := range 120 {
		h.change(t, func(tx *state.Tx) ([]trail.Change, error) {
			return one(h.catalog.RegisterModel(tx, catalog.ModelRegistration{Name: fmt.Sprintf("m-%03d", i*37%120), ModelDetails: catalog.ModelDetails{
				Owner: fmt.Sprintf("owner-%d", i%7), TierStated: []tallystick.Tier{tallystick.TierLow, tallystick.TierHigh, tallystick.TierLimited}[i%3],
			}}, "usr_test"))
		})
	}
	b := h.as(t, access.Viewer)
	for sort, column := range map[string]int{"name": 0, "-name": 0, "tier": 1, "-tier": 1, "owner": 2, "-owner": 2} {
		var keys []string
		names := map[string]bool{}
		for address := "/?sort=" + sort; address != ""; {
			page := parse(t, b.get(address).Body.String())
			address = ""
			for _, a := range all(page, "a") {
				if attribute(a, "rel") == "next" {
					address = attribute(a, "href")
				}
			}
			for _, row := range all(page, "tr")[1:] {
				cells := append(all(row, "th"), all(row, "td")...)
				names[text(all(cells[0], "a")[0])] = true
				keys = append(keys, text(cells[column]))
			}
			heads := all(all(page, "tr")[0], "th")
			for i, head := range heads {
				want := ""
				if i == column {
					want = map[bool]string{true: "descending", false: "ascending"}[sort[0] == '-']
				}
				if got := attribute(head, "aria-sort"); got != want {
					t.Errorf("%s: column %d says %q", sort, i, got)
				}
			}
			other := attribute(all(heads[column], "a")[0], "href")
			if want := map[bool]string{true: "/?sort=" + sort[1:], false: "/?sort=-" + sort}[sort[0] == '-']; other != want {
				t.Errorf("%s turns to %s, want %s", sort, other, want)
			}
		}
		if len(names) != 120 || len(keys) != 120 {
			t.Errorf("%s: %d models in %d rows", sort, len(names), len(keys))
		}
		if sort[0] == '-' {
			slices.Reverse(keys)
		}
		if !slices.IsSorted(keys) {
			t.Errorf("%s is not in order: %v", sort, keys)
		}
	}
	page := b.get("/?tier=high&sort=-owner").Body.String()
	if strings.Contains(page, "tier-low") || !strings.Contains(page, `aria-sort="descending"`) || !strings.Contains(page, `name="sort" value="-owner"`) {
		t.Error("a choice loses the order, or the order the choice")
	}
}

// The bytes of evidence are given to who may read, and at tier high the trail keeps who it was.
func TestEvidenceIsHandedOut(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.furnish(t)
	version := "/models/credit/versions/3"
	body := []byte(`{"signed":"by nobody"}`)
	digest, err := h.workspace.Evidence.Put(t.Context(), body)
	if err != nil {
		t.Fatal(err)
	}
	h.change(t, func(tx *state.Tx) ([]trail.Change, error) {
		return one(h.catalog.AttachEvidence(tx, catalog.EvidenceAttachment{Model: "credit", Version: "3", Details: catalog.EvidenceDetails{Kind: catalog.NoteEvidence, Note: "see", Digest: digest}}))
	})
	b := h.as(t, access.Viewer)
	address := version + "/evidence/" + string(digest)
	if page := b.get(version).Body.String(); !strings.Contains(page, address) {
		t.Fatal("the page of the version does not lead to its evidence")
	}
	got := b.get(address)
	if got.Code != http.StatusOK || got.Body.String() != string(body) || !strings.HasPrefix(got.Header().Get("Content-Disposition"), "attachment") || got.Header().Get("Content-Type") != "application/json" {
		t.Errorf("%d %v %s", got.Code, got.Header(), got.Body)
	}
	events, err := h.workspace.Trail.Events(t.Context(), trail.Filter{Type: trail.VersionRead, Model: "credit", Newest: true, Limit: 1})
	if err != nil || len(events) != 1 || events[0].Sealed()["file_digest"] != string(digest) {
		t.Errorf("the touch is not on the trail: %v %v", events, err)
	}
	for address, want := range map[string]int{
		version + "/evidence/" + string(tallystick.DigestOf([]byte("nobody's"))): http.StatusNotFound,
		version + "/evidence/sha256:12":                                          http.StatusBadRequest,
		"/models/credit/versions/1/evidence/" + string(digest):                   http.StatusNotFound,
		"/models/nobody/versions/1/evidence/" + string(digest):                   http.StatusNotFound,
	} {
		if got := b.get(address); got.Code != want {
			t.Errorf("%s: %d, want %d", address, got.Code, want)
		}
	}
	if got := h.browser(t).get(address); got.Code != http.StatusSeeOther {
		t.Errorf("a stranger: %d", got.Code)
	}
	other := version + "/evidence/" + string(tallystick.DigestOf([]byte("report")))
	if strings.Contains(b.get(version).Body.String(), other) {
		t.Error("a link leads to bytes that are not here")
	}
	if got := b.get(other); got.Code != http.StatusNotFound || !strings.Contains(got.Body.String(), "only its digest is on record") {
		t.Errorf("%s: %d", other, got.Code)
	}
}

// TestInventoryTellsHealth orders models by how they stand, with what that is made of, from what was looked at before.
func TestInventoryTellsHealth(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.furnish(t)
	b := h.as(t, access.Viewer)
	b.says("/", "Health", "not looked at yet")
	if err := h.board.Round(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	for _, at := range []string{"/", "/?sort=health", "/?sort=health&q=credit&after=credit", "/?sort=health&after=nobody"} {
		page := b.get(at)
		if faults := check(parse(t, page.Body.String())); page.Code != http.StatusOK || len(faults) > 0 {
			t.Errorf("%s: %d, %q", at, page.Code, faults)
		}
	}
	ranked := h.board.Ranked()
	last := 0
	for _, name := range ranked {
		is, known := h.board.Of(name)
		if !known {
			t.Fatalf("%s is ranked and not known", name)
		}
		score := 101
		if is.Score != nil {
			score = *is.Score
		}
		if score < last {
			t.Errorf("%s with %d stands behind one with %d", name, score, last)
		}
		last = score
	}
	page := b.get("/?sort=health").Body.String()
	at := 0
	for _, name := range ranked {
		found := strings.Index(page, `<a href="/models/`+name+`"><bdi>`)
		if found < at {
			t.Errorf("%s is not where it belongs: %d after %d", name, found, at)
		}
		at = found
	}
	b.says("/?sort=health", "What stands worst comes first", "of 100", "findings are open")
	h.change(t, func(tx *state.Tx) ([]trail.Change, error) {
		return one(h.catalog.RetireModel(tx, "churn", "no longer needed", ""))
	})
	if err := h.board.Round(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if _, known := h.board.Of("churn"); known {
		t.Error("a retired model is on the board")
	}
}
