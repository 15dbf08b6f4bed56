package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/archive"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/registry"
)

// TestErasedOnPages: the page, the letter and the case of an erased prediction say that it was erased and show nothing of it;
// what a person asked and answered stays, and so does the prediction beside it.
func TestErasedOnPages(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.furnish(t)
	ids := h.predict(t, refusal, `{"model":"credit","version":"3","score":0.75}`)
	address, b := "/predictions/"+ids[0].String(), h.as(t, access.Validator)
	status, at, page := b.submit(address, address+"/case", url.Values{"reason": {"the customer complains"}})
	if status != http.StatusSeeOther || !strings.HasPrefix(at, "/cases/") {
		t.Fatalf("opened: %d to %q\n%s", status, at, page)
	}
	b.says(at, "30500", "the customer complains")
	eraser := archive.New(archive.Config{Workspace: h.workspace, Now: time.Now, Fresh: h.captured.Cut})
	defer eraser.Close()
	if _, err := eraser.Erase(t.Context(), registry.New(h.workspace.DB, h.workspace.Recorder), access.Local("ada"), archive.Erasure{IDs: []prediction.ID{ids[0]}, Reason: "asked for"}); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]int{address: http.StatusNotFound, address + "/letter": http.StatusNotFound, at: http.StatusOK, "/cases": http.StatusOK} {
		got := b.get(path)
		said := got.Body.String()
		if got.Code != want || path != "/cases" && !strings.Contains(said, "was erased") {
			t.Errorf("%s: %d\n%s", path, got.Code, said)
		}
		for _, word := range []string{"30500", "p-1", "alert(1)", "approve&lt;/u", "income&lt;/em"} {
			if strings.Contains(said, word) {
				t.Errorf("%s says %q", path, word)
			}
		}
	}
	b.says(at, "the customer complains", "waits for an opinion")
	b.says("/predictions/"+ids[1].String(), "0.75")
}
