package api_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/release"
)

// TestTwoPromoteAtOnce carries out one request, and then two that replace each other, from two sides at once: one of them wins, and
// the other gets a 409 that says why.
func TestTwoPromoteAtOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ada, olga, otto := h.as("ada", access.Scientist), h.as("olga", access.Operator), h.as("otto", access.Operator)
	ask(t, olga, "PUT", "/environments/lab", map[string]any{"strictness": "free", "position": 1}).want(t, 200)
	ask(t, ada, "POST", "/models", map[string]any{"name": "credit", "state": "experimental"}).want(t, 200)
	request := func(version string) string {
		t.Helper()
		ask(t, ada, "POST", "/models/credit/versions", map[string]any{
			"version": version, "manifest": []any{map[string]any{"name": "weights.bin", "digest": tallystick.DigestOf([]byte(version)), "size": 1}},
		}).want(t, 200)
		return read[release.Request](t, ask(t, ada, "POST", "/releases", map[string]any{"model": "credit", "version": version, "environment": "lab", "reason": "next"}).want(t, 200)).ID
	}
	promote := func(ids [2]string) (won int) {
		t.Helper()
		var answers [2]answer
		var both sync.WaitGroup
		for i, who := range []http.Handler{olga, otto} {
			both.Go(func() { answers[i] = ask(t, who, "POST", "/releases/"+ids[i]+"/promotion", nil) })
		}
		both.Wait()
		for _, a := range answers {
			if a.StatusCode == 200 {
				won++
				continue
			}
			if p := a.problem(t); a.StatusCode != 409 || !strings.Contains(p.Detail, "was promoted on") && !strings.Contains(p.Detail, "changed while the gate decided") || p.Hint == "" {
				t.Errorf("the one who lost was answered %s", a)
			}
		}
		return won
	}
	one := request("1")
	if won := promote([2]string{one, one}); won != 1 {
		t.Errorf("one request was promoted %d times", won)
	}
	// Two that replace each other may still come one after the other; then both rest on what was there.
	if won := promote([2]string{request("2"), request("3")}); won == 0 {
		t.Error("of two requests neither was promoted")
	}
}
