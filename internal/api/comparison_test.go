package api_test

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/api"
	"github.com/tallystick/tallystick/internal/comparison"
	"github.com/tallystick/tallystick/internal/trail"
)

// compared is a house with predictions of the last two hours: 4 as good as 3, 5 failing one time in four.
func compared(t *testing.T) house {
	t.Helper()
	h := newHouse(t)
	ada, pipe := h.as("ada", access.Scientist), h.as("pipe", access.Service)
	ask(t, ada, "POST", "/models", map[string]any{"name": "credit", "state": "experimental"}).want(t, 200)
	now := time.Now()
	for v := 3; v <= 5; v++ {
		ask(t, ada, "POST", "/models/credit/versions", map[string]any{"version": fmt.Sprint(v)}).want(t, 200)
		every := map[int]int{3: 50, 4: 50, 5: 4}[v]
		var all []map[string]any
		for i := range 1000 {
			status := "ok"
			if (i*7)%every == 0 {
				status = "error"
			}
			all = append(all, map[string]any{"model": "credit", "version": fmt.Sprint(v), "status": status, "time": now.Add(-2*time.Hour + time.Duration(i)*7*time.Second).UTC().Format(time.RFC3339)})
		}
		ask(t, pipe, "POST", "/predictions", all).want(t, 200)
	}
	document := "apiVersion: tallystick/v1\nkind: Comparison\nname: canary\nmodel: credit\nmetrics: [{metric: errors, margin: 5%}]\n"
	ask(t, ada, "PUT", "/comparisons/canary", map[string]any{"document": document}).want(t, 200)
	return h
}

// TestRolloutAnswers: Argo Rollouts and Flagger are told explicitly, every answer is on record before it is given, and what
// cannot be judged or recorded never lets anything through.
func TestRolloutAnswers(t *testing.T) {
	t.Parallel()
	h := compared(t)
	pipe := h.as("pipe", access.Service)
	answered := func(a answer) api.RolloutData {
		t.Helper()
		got := read[api.RolloutAnswer](t, a.want(t, 200)).Data
		if got.OK != (got.Verdict == comparison.Promote) || got.Reason == "" || !strings.Contains(string(a.body), `"ok":`) {
			t.Errorf("%s", a)
		}
		return got
	}
	for _, test := range []struct {
		path     string
		verdict  comparison.Verdict
		evidence bool
	}{
		{"canary/answer?new=4&old=3", comparison.Promote, true},
		{"canary/answer?new=5&old=3", comparison.Rollback, true},
		{"canary/answer?new=9&old=3", comparison.Inconclusive, true},
		{"canary/answer?new=4&old=3&split=0.1", comparison.Inconclusive, true},
		{"canary/answer?new=4&old=3&from=" + time.Now().Add(-time.Minute).UTC().Format(time.RFC3339), comparison.Inconclusive, true},
		{"canary/answer?new=4", comparison.Inconclusive, true}, // there is no champion
		{"cannery/answer?new=4&old=3", comparison.Inconclusive, false},
	} {
		before := h.count(t, trail.ComparisonJudged)
		got := answered(ask(t, pipe, "GET", "/comparisons/"+test.path, nil))
		if got.Verdict != test.verdict || (got.Evidence != "") != test.evidence || (h.count(t, trail.ComparisonJudged) > before) != test.evidence {
			t.Errorf("%s: %+v", test.path, got)
		}
		if test.evidence {
			ask(t, h.as("aud", access.Auditor), "GET", "/comparison-judgements/"+got.Evidence, nil).want(t, 200)
		}
	}
	if got := answered(ask(t, pipe, "POST", "/comparisons/canary/answer", map[string]any{"new": "5", "old": "3"})); got.Verdict != comparison.Rollback {
		t.Errorf("posted: %+v", got)
	}
	call := func(hook, version string, status int) {
		t.Helper()
		a := ask(t, pipe, "POST", "/comparisons/canary/flagger/"+hook, map[string]any{
			"name": "credit", "namespace": "prod", "phase": "Progressing", "checksum": "85d557f47b", "another": 1, "metadata": map[string]any{"new": version, "old": "3"},
		})
		if a.StatusCode != status || len(a.body) == 0 {
			t.Errorf("%s of %s: %s, want %d", hook, version, a, status)
		}
	}
	for version, goes := range map[string][3]int{"4": {200, 200, 403}, "5": {403, 403, 200}, "9": {403, 403, 403}} {
		call("rollout", version, goes[0])
		call("confirm-promotion", version, goes[1])
		call("confirm-traffic-increase", version, goes[1])
		call("rollback", version, goes[2])
	}
	ask(t, h.as("nobody"), "GET", "/comparisons/canary/answer?new=4&old=3", nil).want(t, 401)
	if err := h.Workspace.DB.Close(); err != nil {
		t.Fatal(err)
	}
	if a := ask(t, pipe, "GET", "/comparisons/canary/answer?new=4&old=3", nil); a.StatusCode == 200 && answered(a).OK {
		t.Errorf("with the store down: %s", a)
	}
}

// TestBasicToken: who can say nothing but an address sends the token as its password.
func TestBasicToken(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	root := h.as("root", access.Admin)
	invited := read[api.Invitation](t, ask(t, root, "POST", "/users", map[string]any{"name": "ada", "roles": []string{"scientist"}}).want(t, 200))
	door := h.as("")
	ask(t, door, "POST", "/enrolments/redemption", map[string]any{"link": invited.Link, "passphrase": "seven green kettles on a wall"}).want(t, 200)
	session := read[api.Opened](t, ask(t, door, "POST", "/sessions", map[string]any{"name": "ada", "passphrase": "seven green kettles on a wall"}).want(t, 200)).Secret
	token := read[api.Minted](t, ask(t, door, "POST", "/tokens", map[string]any{}, "Authorization", "Bearer "+session).want(t, 200)).Secret
	basic := func(password string) string {
		r, _ := http.NewRequest("GET", "http://x/", nil)
		r.SetBasicAuth("token", password)
		return r.Header.Get("Authorization")
	}
	ask(t, door, "GET", "/self", nil, "Authorization", basic(token)).want(t, 200)
	ask(t, door, "GET", "/self", nil, "Authorization", basic("tly_wrong")).want(t, 401)
	ask(t, door, "GET", "/self", nil, "Authorization", "Basic !!").want(t, 401)
}

// TestRolloutManifests: what the examples ask for is there, and neither lets anything but a promotion pass.
func TestRolloutManifests(t *testing.T) {
	t.Parallel()
	decode := func(name string, into any) {
		t.Helper()
		data, err := os.ReadFile("../../examples/" + name)
		if err == nil {
			err = yaml.Unmarshal(data, into)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	h := compared(t)
	pipe := h.as("pipe", access.Service)
	var template struct {
		Spec struct {
			Metrics []struct {
				SuccessCondition string `yaml:"successCondition"`
				FailureCondition string `yaml:"failureCondition"`
				Provider         struct {
					Web struct {
						URL, Method string
						JSONPath    string `yaml:"jsonPath"`
					}
				}
			}
		}
	}
	decode("argo-rollouts/analysis-template.yaml", &template)
	if len(template.Spec.Metrics) != 1 {
		t.Fatalf("%+v", template)
	}
	m := template.Spec.Metrics[0]
	if m.SuccessCondition != `result.ok == true && result.verdict == "promote"` || m.FailureCondition != `result.verdict == "rollback"` || m.Provider.Web.JSONPath != "{$.data}" {
		t.Errorf("%+v", m)
	}
	path := strings.NewReplacer("{{args.comparison}}", "canary", "{{args.new}}", "4", "{{args.old}}", "3").Replace(m.Provider.Web.URL)
	_, path, _ = strings.Cut(path, api.Prefix)
	if got := read[api.RolloutAnswer](t, ask(t, pipe, m.Provider.Web.Method, path, nil).want(t, 200)); !got.Data.OK {
		t.Errorf("%+v", got)
	}
	var canary struct {
		Spec struct {
			Analysis struct {
				Webhooks []struct {
					Type, URL string
					Metadata  map[string]string
				}
			}
		}
	}
	decode("flagger/canary.yaml", &canary)
	for _, w := range canary.Spec.Analysis.Webhooks {
		_, path, _ := strings.Cut(w.URL, api.Prefix)
		if !strings.HasSuffix(path, "/flagger/"+w.Type) {
			t.Errorf("webhook %s calls %s", w.Type, w.URL)
		}
		w.Metadata["old"] = "3"
		want := map[string]int{"rollback": 403}[w.Type]
		a := ask(t, pipe, "POST", strings.Replace(path, "credit-canary", "canary", 1), map[string]any{"name": "credit", "namespace": "test", "phase": "Progressing", "checksum": "1", "metadata": w.Metadata})
		if a.StatusCode != max(want, 200) {
			t.Errorf("%s: %s", w.Type, a)
		}
	}
	data, err := os.ReadFile("../../examples/comparison/credit-canary.yaml")
	if err == nil {
		_, err = comparison.Parse(data, "credit-canary.yaml")
	}
	if err != nil {
		t.Error(err)
	}
}
