package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/access"
)

func TestSmoke(t *testing.T) {
	t.Parallel()
	h := open(t)
	b := h.as(t, access.Auditor)
	if _, err := h.workspace.Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{"/trail", "/trail/1", "/lineage", "/sign-in", "/enrol"} {
		got := b.get(address)
		if got.Code != http.StatusOK {
			t.Errorf("%s: %d\n%s", address, got.Code, got.Body)
		}
	}
	if got := b.post("/theme", url.Values{"theme": {"dark"}, "back": {"/trail"}}); got.Code != 303 {
		t.Errorf("theme: %d %s", got.Code, got.Body)
	}
	if !strings.Contains(b.get("/trail").Body.String(), `data-theme="dark"`) {
		t.Error("the theme is not kept")
	}
	if h.log.Len() > 0 {
		t.Error(h.log)
	}
}
