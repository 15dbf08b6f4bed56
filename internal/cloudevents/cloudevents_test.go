package cloudevents_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tallystick/tallystick/internal/capture/capturetest"
	"github.com/tallystick/tallystick/internal/journal"
)

// headers returns those that KServe's logger sends (pkg/logger/worker.go), for a request or response that was
// some milliseconds after noon.
func headers(kind, id string, ms int) []string {
	return []string{
		"Content-Type", "application/json", "Ce-Specversion", "1.0", "Ce-Type", "org.kubeflow.serving.inference." + kind, "Ce-Id", id, "Ce-Source", "http://localhost:9081/",
		"Ce-Time", fmt.Sprintf("2026-03-03T12:00:00.%03d123Z", ms), "Ce-Recordedtime", "2026-03-03T12:00:01Z", "Ce-Inferenceservicename", "credit", "Ce-Namespace", "lab",
		"Ce-Component", "predictor", "Ce-Endpoint", "default", "Ce-Metadata", "{}",
	}
}

var drawn = regexp.MustCompile(`"id":"[^"]*",|,"salt":"[^"]*"|"input_digest":"[^"]*",`)

// texts returns the records without what is drawn or digested.
func (h *house) texts(t *testing.T) (all []string) {
	t.Helper()
	for _, r := range h.records(t) {
		all = append(all, drawn.ReplaceAllString(string(r.AppendJSON(nil)), ""))
	}
	return all
}

func row(extra, features, flags, rest string) string {
	dropped := ""
	if strings.Contains(extra, `"row":0,`) { // which has the bodies of all rows, and no rule keeps them
		dropped = `"body_rule":"none",`
	}
	return `{` + dropped + `"environment":"lab","extra":{` + extra + `},` + features + flags + `"latency_us":7000,"model":"credit",` + rest + `"route":"predictor/default","status":"ok","time":"2026-03-03T12:00:00.007123Z","version":"1","version_source":"assignment"}`
}

func TestPairs(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		request, response string
		want              []string
	}{
		"v1, rows": {`{"instances":[[1,2.5],[3,null]]}`, `{"predictions":[0.25,"no"]}`, []string{
			row(`"cloudevent":"c1","row":0,"rows":2`, `"features":{"x0":1,"x1":2.5},`, "", `"output":0.25,`),
			row(`"cloudevent":"c1","row":1,"rows":2`, `"features":{"x0":3,"x1":null},`, "", `"output":"no",`),
		}},
		"v1, names": {`{"instances":[{"age":41,"job":"cook"}]}`, `{"predictions":[[0.25,0.75]]}`, []string{
			row(`"cloudevent":"c1","outputs":{"x0":0.25,"x1":0.75},"row":0,"rows":1`, `"features":{"age":41,"job":"cook"},`, "", ""),
		}},
		"v2, one tensor": {`{"inputs":[{"name":"input-0","shape":[2,2],"datatype":"FP32","data":[[1,2],[3,4]]}]}`, `{"model_name":"credit","outputs":[{"name":"o","shape":[2],"datatype":"INT64","data":[1,0]}]}`, []string{
			row(`"cloudevent":"c1","row":0,"rows":2`, `"features":{"x0":1,"x1":2},`, "", `"output":1,`),
			row(`"cloudevent":"c1","row":1,"rows":2`, `"features":{"x0":3,"x1":4},`, "", `"output":0,`),
		}},
		"v2, columns": {`{"inputs":[{"name":"age","shape":[1,1],"datatype":"INT64","data":[41]},{"name":"job","shape":[1],"datatype":"BYTES","data":["cook"]}]}`, `{"outputs":[{"name":"label","shape":[1],"data":[1]},{"name":"p","shape":[1,2],"data":[0.1,0.9]}]}`, []string{
			row(`"cloudevent":"c1","outputs":{"label":1,"p.0":0.1,"p.1":0.9},"row":0,"rows":1`, `"features":{"age":41,"job":"cook"},`, "", ""),
		}},
		"rows that differ": {`{"instances":[[1],[2]]}`, `{"predictions":[1]}`, []string{
			row(`"cloudevent":"c1","row":0,"rows":2`, `"features":{"x0":1},`, `"flags":["rows_differ"],`, ""),
			row(`"cloudevent":"c1","row":1,"rows":2`, `"features":{"x0":2},`, `"flags":["rows_differ"],`, ""),
		}},
		"not to be read": {"\x00\x01", `{"predictions":[1],"predictions":[2]}`, []string{
			row(`"cloudevent":"c1","row":0,"rows":1`, "", `"flags":["body_not_read"],`, ""),
		}},
		"pictures": {`{"instances":[[[1,2],[3,4]]]}`, `{"predictions":[1]}`, []string{
			row(`"cloudevent":"c1","row":0,"rows":1`, "", `"flags":["features_not_kept"],`, `"output":1,`),
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := open(t, journal.Options{})
			request, response := headers("request", "c1", 0), headers("response", "c1", 7)
			if w := h.post(t, test.request, request...); w.Code != 202 || len(h.records(t)) > 0 {
				t.Fatal(w.Code, w.Body)
			}
			for range 2 { // a broker may send it again
				if w := h.post(t, test.response, response...); w.Code != 200 {
					t.Fatal(w.Code, w.Body)
				}
			}
			if w := h.post(t, test.request, request...); w.Code != 200 {
				t.Error(w.Code, w.Body)
			}
			if diff := cmp.Diff(test.want, h.texts(t)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestBodiesAreKept(t *testing.T) {
	t.Parallel()
	config := capturetest.Config(t, func() time.Time { return noon }, "credit@1")
	capturetest.KeepBodies(t, config, "credit")
	h := openOver(t, journal.Options{}, config)
	request, response := `{"instances": [[1, 2.5], [3, 4]]}`, "{\"predictions\": [0.25, 0.5]}\n"
	h.post(t, request, headers("request", "c1", 0)...)
	h.post(t, response, headers("response", "c1", 7)...)
	records := h.records(t)
	if len(records) != 2 {
		t.Fatalf("%d records, want 2", len(records))
	}
	for i, want := range []struct{ request, response, rule string }{{request, response, "all"}, {}} { // the first row has the bodies of all
		got := records[i].Bodies()
		if string(got.Request) != want.request || string(got.Response) != want.response || records[i].BodyRule != want.rule {
			t.Errorf("row %d: %q and %q by rule %q, want %+v", i, got.Request, got.Response, records[i].BodyRule, want)
		}
	}
}

func TestStructured(t *testing.T) {
	t.Parallel()
	h := open(t, journal.Options{})
	event := func(kind, id, data string) string {
		return fmt.Sprintf(`{"specversion":"1.0","id":%q,"source":"/x","type":"org.kubeflow.serving.inference.%s","time":"2026-03-03T12:00:00Z","inferenceservicename":"credit","namespace":"lab",%s}`, id, kind, data)
	}
	// The response comes first, as it may.
	for _, body := range []string{event("response", "a", `"data":{"predictions":[1]}`), event("request", "a", `"data_base64":"eyJpbnN0YW5jZXMiOltbNV1dfQ=="`)} {
		if w := h.post(t, body, "Content-Type", "application/cloudevents+json; charset=UTF-8"); w.Code/100 != 2 {
			t.Fatal(w.Code, w.Body)
		}
	}
	if found := h.texts(t); len(found) != 1 || !strings.Contains(found[0], `"features":{"x0":5}`) || !strings.Contains(found[0], `"output":1`) {
		t.Error(found)
	}
}

// What stays alone is on record after its time, or when the room is needed, or when its id comes anew.
func TestAlone(t *testing.T) {
	t.Parallel()
	h := open(t, journal.Options{})
	h.post(t, `{"instances":[[1]]}`, headers("request", "a", 1)...)
	h.post(t, `{"instances":[[2]]}`, headers("request", "a", 2)...)
	h.post(t, `{"predictions":[3]}`, headers("response", "b", 3)...)
	if found := h.texts(t); len(found) != 1 || !strings.Contains(found[0], `"features":{"x0":1},"flags":["response_missing"]`) || strings.Contains(found[0], "status") {
		t.Fatal(found)
	}
	h.Expire(t.Context(), noon)
	if found := h.texts(t); len(found) != 1 {
		t.Fatal(found)
	}
	h.Expire(t.Context(), noon.Add(time.Second))
	if found := h.texts(t); len(found) != 3 || !strings.Contains(found[1], `"x0":2`) || !strings.Contains(found[2], `"flags":["request_missing"]`) {
		t.Fatal(found)
	}
	large := `{"instances":["` + strings.Repeat("x", 7<<20) + `"]}`
	for i := range 6 {
		if w := h.post(t, large, headers("request", fmt.Sprint("large", i), i)...); w.Code != 202 {
			t.Fatal(w.Code, w.Body)
		}
	}
	if found := h.texts(t); len(found) != 3 { // a text of this length is no feature, so that these are rejected
		t.Error(len(found))
	}
}

// Without room in the journal nothing that waits is lost.
func TestNoRoom(t *testing.T) {
	t.Parallel()
	h := open(t, journal.Options{MaxStored: 1})
	h.post(t, `{"instances":[[1]]}`, headers("request", "a", 1)...)
	for range 2 {
		if w := h.post(t, `{"predictions":[1]}`, headers("response", "a", 2)...); w.Code != 503 || w.Header().Get("Retry-After") == "" {
			t.Error(w.Code, w.Body)
		}
	}
	h.Expire(t.Context(), noon.Add(time.Hour))
	if w := h.post(t, `{"instances":[[1]]}`, headers("request", "a", 1)...); w.Code != 202 { // it still waits
		t.Error(w.Code, w.Body)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	h := open(t, journal.Options{})
	for name, test := range map[string]struct {
		body    string
		headers []string
		want    int
	}{
		"no token":       {"{}", append(headers("request", "a", 0), "Authorization", ""), 401},
		"too poor":       {"{}", append(headers("request", "a", 0), "Authorization", "Bearer poor"), 403},
		"no event":       {"{}", nil, 400},
		"no id":          {"{}", headers("request", "", 0), 400},
		"not structured": {"[", []string{"Content-Type", "application/cloudevents+json"}, 400},
		"too large":      {strings.Repeat("x", 9<<20), headers("request", "a", 0), 400},
		"another type":   {"{}", headers("other", "a", 0), 200},
	} {
		if w := h.post(t, test.body, test.headers...); w.Code != test.want {
			t.Errorf("%s: %d %s, want %d", name, w.Code, w.Body, test.want)
		}
	}
	strange := append(headers("request", "s", 0), "Ce-Inferenceservicename", "nothing-like-it")
	h.post(t, `{"instances":[1]}`, strange...)
	if w := h.post(t, `{"predictions":[1]}`, append(headers("response", "s", 1), "Ce-Inferenceservicename", "nothing-like-it")...); w.Code != 422 || !strings.Contains(w.Body.String(), "is not registered") {
		t.Error(w.Code, w.Body)
	}
}

// Whatever is sent, the answer is none of our faults, and what is paired is on record or was rejected.
func FuzzEvent(f *testing.F) {
	f.Add(`{"instances":[[1,2]]}`, `{"predictions":[1]}`, "credit", false)
	f.Add(`{"inputs":[{"name":"a","shape":[2,1],"data":[1,2]}]}`, `{"outputs":[{"name":"o","shape":[2],"data":["x",null]}],"model_version":"1"}`, "credit", false)
	f.Add(`{"specversion":"1.0","id":"a","source":"b","type":"org.kubeflow.serving.inference.request","data":{}}`, `{}`, "", true)
	h := open(f, journal.Options{MaxStored: 1 << 40})
	n := 0
	f.Fuzz(func(t *testing.T, request, response, model string, structured bool) {
		n++
		for i, body := range []string{request, response} {
			sent := headers([]string{"request", "response"}[i], fmt.Sprint(n), i)
			if structured {
				sent = []string{"Content-Type", "application/cloudevents+json"}
			} else {
				sent = append(sent, "Ce-Inferenceservicename", model)
			}
			if w := h.post(t, body, sent...); w.Code >= 500 {
				t.Errorf("%d: %s", w.Code, w.Body)
			}
		}
	})
}
