package cli_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
)

// Two people add answers and labels to one model at the same time. Whoever is slower does not take back what
// the other said, and is told if it cannot be helped.
func TestUpdateMeetsAnother(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts a server")
	}
	h := newHome(t)
	s := h.serve(nil)
	defer s.stop()
	token := s.firstAdmin(h)
	admin := s.client(token)
	s.must(admin.Post(t.Context(), "/models", map[string]any{"name": "credit"}, nil))
	upstream, err := url.Parse(s.address)
	if err != nil {
		t.Fatal(err)
	}
	var labels map[string]string
	read := func() (m struct {
		Answers, Labels map[string]string
	}) {
		if err := admin.Get(t.Context(), "/models/credit", &m); err != nil {
			t.Error(err)
		}
		return m
	}
	quicker := 0 // times that the other is
	proxy := httputil.NewSingleHostReverseProxy(upstream)
	between := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPatch && quicker > 0 {
			quicker--
			labels = read().Labels
			if labels == nil {
				labels = map[string]string{}
			}
			labels[fmt.Sprintf("other-%d", quicker)] = "yes"
			if _, err := admin.Patch(r.Context(), "/models/credit", map[string]any{"labels": labels}, nil); err != nil {
				t.Error(err)
			}
		}
		proxy.ServeHTTP(w, r)
	}))
	defer between.Close()
	update := func(args ...string) (int, string) {
		cmd := h.command(append([]string{"model", "update", "credit", "--server", between.URL}, args...)...)
		cmd.Env = append(cmd.Env, "TALLYSTICK_TOKEN="+token)
		out, _ := cmd.CombinedOutput() // the exit code says it
		return cmd.ProcessState.ExitCode(), string(out)
	}
	quicker = 1
	if code, out := update("--label", "mine=yes", "--answer", "reach=team"); code != 0 {
		t.Fatalf("code %d: %s", code, out)
	}
	if m := read(); m.Labels["mine"] != "yes" || m.Labels["other-0"] != "yes" || m.Answers["reach"] != "team" {
		t.Errorf("after both: %+v", m)
	}
	quicker = 5
	code, out := update("--label", "mine=no")
	if code != 2 || !strings.Contains(out, "somebody has changed it since") || strings.Count(strings.TrimSpace(out), "\n") != 0 || quicker != 3 {
		t.Errorf("code %d, %d changes left: %s", code, quicker, out)
	}
	quicker = 0
	if code, out := update("--answer", "safety=direct"); code != 0 {
		t.Fatalf("code %d: %s", code, out)
	}
	// A conflict about something else is told as it is, at once.
	s.must(admin.Post(t.Context(), "/models/credit/retirement", map[string]string{"reason": "over"}, nil))
	if code, out := update("--label", "mine=no"); code != 2 || !strings.Contains(out, "is retired") {
		t.Errorf("code %d: %s", code, out)
	}
	if _, err := admin.PatchIf(t.Context(), "/models/credit", `"1"`, map[string]any{}, nil); err == nil {
		t.Error("a change from an old revision is taken")
	}
}
