package report_test

import (
	"bytes"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/quality"
	"github.com/tallystick/tallystick/internal/report"
	"github.com/tallystick/tallystick/internal/stat"
)

// sameNumber takes two numbers without a value for equal.
var sameNumber = cmp.Comparer(func(a, b stat.Number) bool { return a == b || !a.Valid() && !b.Valid() })

func encoded(t testing.TB, d *report.Document) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := report.WriteJSON(&b, d); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestJSONRoundTrip(t *testing.T) {
	t.Parallel()
	for name, d := range map[string]*report.Document{"compas": compas(), "stream": stream(34, 5, 3), "hostile text": hostile()} {
		d.Schema = report.Schema // hostile replaces it
		d.Performance.ROCAUC.Value = math.Nextafter(0.1, 1)
		data := encoded(t, d)
		got, err := report.ReadJSON(bytes.NewReader(data))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !bytes.Equal(encoded(t, got), data) {
			t.Errorf("%s: written again, it differs", name)
		}
		if name == "hostile text" {
			continue // JSON keeps its characters, but not invalid UTF-8
		}
		if diff := cmp.Diff(d, got, sameNumber, cmpopts.EquateNaNs(), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-written +read):\n%s", name, diff)
		}
	}
}

func TestJSONHasNoNullLists(t *testing.T) {
	t.Parallel()
	data := string(encoded(t, quiet()))
	for _, field := range []string{`"guesses": []`, `"evidence": []`} {
		if !strings.Contains(data, field) {
			t.Errorf("no %s", field)
		}
	}
}

func TestReadJSONRefuses(t *testing.T) {
	t.Parallel()
	good := string(encoded(t, quiet()))
	for name, test := range map[string]struct{ text, says string }{
		"nothing":           {"", "is not JSON"},
		"no JSON":           {"\n\n{]", "line 3"},
		"a list":            {"[]", "is not JSON"},
		"another schema":    {`{"schema": "https://example.org/v2"}`, `has the schema "https://example.org/v2"`},
		"an unknown field":  {strings.Replace(good, `"id":`, `"idea": 1, "id":`, 1), `unknown field "idea"`},
		"a wrong type":      {strings.Replace(good, `"rows": 7214`, `"rows": "many"`, 1), "form of its schema: line"},
		"something after":   {good + "{}", "is not JSON"},
		"a short interval":  {strings.Replace(good, `"ci": [`, `"ci": [0.5,`, 1), "bounds"},
		"a truncated file":  {good[:len(good)/2], "is not JSON"},
		"two documents":     {good + good, "is not JSON"},
		"schema not string": {`{"schema": 1}`, "is not JSON"},
	} {
		_, err := report.ReadJSON(strings.NewReader(test.text))
		if tallystick.CodeOf(err) != tallystick.Invalid || !strings.Contains(err.Error(), test.says) || !strings.Contains(err.Error(), "report.json") {
			t.Errorf("%s: error %v, want an invalid one that says %q and what to do", name, err, test.says)
		}
	}
	if testing.Short() {
		return
	}
	endless := io.MultiReader(strings.NewReader(`{"schema":"`), endlessReader{})
	if _, err := report.ReadJSON(endless); err == nil || !strings.Contains(err.Error(), "larger than 256 MiB") {
		t.Errorf("an endless report: %v", err)
	}
}

type endlessReader struct{}

func (endlessReader) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'a'
	}
	return len(p), nil
}

func FuzzReadJSON(f *testing.F) {
	// Short seeds, one for each part: the fuzzer spends its time on shrinking long ones.
	for _, part := range []string{
		`"rows":9,"performance":{"task":"binary","n":9,"confusion":{"tp":1,"fp":2,"tn":3,"fn":3},"roc_auc":{"value":0.7,"ci":[0.6,null],"n":9,"method":"delong"},"roc_curve":[{"x":0,"y":1e3,"threshold":null}]}`,
		`"performance":{"matrix":{"classes":["a","b"],"counts":[[1,2],[3]],"by_class":[{}]}},"baseline":{"metrics":[{"metric":"mae","verdict":"fail"}]}`,
		`"calibration":{"ece":{"value":1e300,"ci":[-1e300,1e300]},"table":[{"n":-1,"mean_score":7,"observed":{"value":null,"ci":[null,null]}}]}`,
		`"fairness":{"groups":[{"attribute":"a","value":"b","fpr":0.5,"fpr_ci":[0.1,0.9]},{"attribute":"a"}],"comparisons":[{"attribute":"a","metric":"four_fifths","verdict":"fail"}],"summaries":[{"attribute":"a","reference":"b"}]}`,
		`"drift":{"features":[{"name":"x","kind":"number","psi":1e308,"bins":[{"label":"up to 3","reference":2,"current":-1}],"top_change":{"label":"(missing)"},"verdict":"fail"}]}`,
		`"windows":[{"label":"rows 1-5000","performance_verdict":"warn","comparisons":[{"metric":"roc_auc","verdict":"warn"}],"verdict":"fail"},{}],"windowing":{"by":"time"}`,
		`"quality":{"columns":[{"name":"x","min":-1e-300,"max":1e300,"issues":[{"verdict":"warn"}]}],"verdict":"warn"},"contract":{"checks":[{"verdict":"fail"}]},"slices":[{"terms":[{}]}],"leakage":[{}]`,
		`"gate":{"rules":[{"id":"a.b","blocking":true,"status":"skip","details":["x"],"controls":["y"]}]},"criteria":{"committed":true,"at":"2026-01-01T00:00:00Z"},"data":{"files":[{}]},"labels":{"files":[{}]}`,
	} {
		f.Add([]byte(`{"schema":"` + report.Schema + `",` + part + `}`))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := report.ReadJSON(bytes.NewReader(data))
		if err != nil {
			return
		}
		first := encoded(t, d)
		again, err := report.ReadJSON(bytes.NewReader(first))
		if err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		if !bytes.Equal(first, encoded(t, again)) {
			t.Fatal("a second round changes the report")
		}
		// Whatever a foreign report holds, it can be shown.
		d.Summary = report.Summarise(d)
		if err := report.WriteHTML(io.Discard, d); err != nil {
			t.Fatal(err)
		}
		if err := report.WriteMarkdown(io.Discard, d); err != nil {
			t.Fatal(err)
		}
		if err := report.WriteSummary(io.Discard, d, 80, true); err != nil {
			t.Fatal(err)
		}
	})
}

// Nothing found and nobody looked are different things, in the file and when it is read again.
func TestJSONTellsNoLeaksFromNotLooked(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		leaks []quality.Leak
		there bool
	}{"not looked": {nil, false}, "nothing to look at": {[]quality.Leak{}, true}} {
		d := quiet()
		d.Leakage = test.leaks
		data := encoded(t, d)
		if got := bytes.Contains(data, []byte(`"leakage": []`)); got != test.there {
			t.Errorf("%s: an empty list is there: %t", name, got)
		}
		again, err := report.ReadJSON(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		if (again.Leakage != nil) != test.there {
			t.Errorf("%s: read again, leakage is %v", name, again.Leakage)
		}
	}
}
