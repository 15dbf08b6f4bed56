package cli_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
)

// scorer is a server that takes what MLflow's does: a table of rows with a predicted class for each, and the body of a
// prediction as it was sent at first.
func scorer(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Frame *struct {
			Columns []string `json:"columns"`
			Data    [][]any  `json:"data"`
		} `json:"dataframe_split"`
		Income float64 `json:"income"`
	}
	d := json.NewDecoder(r.Body)
	if r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" || d.Decode(&in) != nil {
		http.Error(w, "no", http.StatusBadRequest)
		return
	}
	grant := func(income float64) string { return map[bool]string{true: "grant", false: "refuse"}[income > 25] }
	w.Header().Set("Content-Type", "application/json")
	switch {
	case r.URL.Path == "/predict":
		_ = json.NewEncoder(w).Encode(map[string]any{"decision": grant(in.Income)})
	case r.URL.Path == "/invocations" && in.Frame != nil:
		predictions := []string{}
		for _, row := range in.Frame.Data {
			for i, name := range in.Frame.Columns {
				if name == "income" {
					predictions = append(predictions, grant(row[i].(float64)))
				}
			}
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"predictions": predictions})
	default:
		http.NotFound(w, r)
	}
}

// TestReplay asks another version what was asked before: of forty predictions that granted from an income of 20, the other
// version refuses five; four had no input. What came of it is evidence of the incident, with no value of a record, and
// nothing was recorded as a prediction.
func TestReplay(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	server := httptest.NewServer(http.HandlerFunc(scorer))
	defer server.Close()
	h.run(0, "model", "register", "credit", "--tier", "high", "--owner", "ana", "--purpose", "score loans")
	h.run(0, "register", "credit@1", "--draft")
	h.run(0, "register", "credit@2", "--draft")
	h.run(0, "body", "rule", "define", "credit", "whole", "--share", "1", "--most", "100000")
	var lines, ids []string
	for i := range 44 {
		id := fmt.Sprintf("019cb300-0000-7000-8000-0000000000%02d", i)
		output, features, body := "refuse", fmt.Sprintf(`"features":{"income":%d},`, i), fmt.Sprintf(`"request_body":{"type":"application/json","text":"{\"income\":%d}"},`, i)
		if i > 20 {
			output = "grant"
		}
		if i >= 40 {
			features, body = "", ""
		}
		lines = append(lines, fmt.Sprintf(`{"id":%q,"model":"credit","version":"1",%s%s"latency_us":2500,"output":%q}`, id, features, body, output))
		ids = append(ids, id)
	}
	for name, all := range map[string][]string{"sent.ndjson": lines, "ids": ids} {
		if err := os.WriteFile(h.path(name), []byte(strings.Join(all, "\n")), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	h.run(0, "predictions", "record", "sent.ndjson")
	incident := regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}`).FindString(h.run(0, "incident", "open", "credit@1", "--title", "too much is granted"))

	for _, how := range [][]string{
		{"--as", "mlflow", "--against", server.URL},
		{"--as", "body", "--against", server.URL + "/predict", "--output", "decision"},
	} {
		told := h.run(0, append([]string{"replay", incident, "--ids", "ids", "--version", "2"}, how...)...)
		for _, want := range []string{
			`(?m)^chosen +44$`, `(?m)^input not kept +4$`, `(?m)^answered +40$`, `(?m)^decisions changed +5 of 40, 12\.5 % \[4\.2, 26\.8\] at 95 % \(exact\), told by the outputs$`,
			`(?m)^latency recorded +p50 2\.500 ms`, `(?m)^019cb300-0000-7000-8000-000000000025 +1 +grant +refuse`, `recorded as event`,
		} {
			if !regexp.MustCompile(want).MatchString(told) {
				t.Errorf("%v: nothing matches %s in\n%s", how, want, told)
			}
		}
	}
	shown := h.run(0, "incident", "show", incident)
	digest := regexp.MustCompile(`evidence by .*, replay, (sha256:[0-9a-f]{64}): Decisions changed: 5 of 40`).FindStringSubmatch(shown)
	if digest == nil {
		t.Fatalf("the incident does not tell of it:\n%s", shown)
	}
	document := h.run(0, "incident", "evidence", incident, digest[1])
	if !strings.Contains(document, `"schema":"tallystick.replay/1"`) || strings.Contains(document, "grant") || strings.Contains(document, "refuse") {
		t.Errorf("the document: %s", document)
	}
	if told := h.run(0, "incident", "timeline", incident); !strings.Contains(told, "added evidence to the incident "+incident+" of credit: replay") {
		t.Errorf("the timeline: %s", told)
	}
	code, told, complaint := h.exit("replay", incident, "--ids", "ids", "--as", "mlflow", "--against", server.URL, "--at-most", "0.04")
	if code != 1 || !strings.Contains(told, "At most 4.0 % of the decisions may change: fail.") {
		t.Errorf("exit code %d: %s%s", code, told, complaint)
	}
	// Without an incident nothing is kept.
	if told := h.run(0, "replay", "--model", "credit", "--as", "mlflow", "--against", server.URL, "--where", "f_income < 20", "--format", "json"); !strings.Contains(told, `"k": 0`) || strings.Contains(told, `"sequence"`) {
		t.Errorf("of the model: %s", told)
	}
	if told := h.run(0, "predictions", "stats", "credit"); !strings.Contains(told, "44") {
		t.Errorf("predictions after the replays: %s", told)
	}
	h.run(0, "fsck")
}
