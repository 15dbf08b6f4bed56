package notify

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
)

func TestTemplate(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"title": {{json .sentence}}, "labels": [{{json .kind}}{{with .environment}}, {{json .}}{{end}}]}`:          `{"title": "A service raised a finding about credit@4 in production: out of band, high.", "labels": ["finding.raised", "production"]}`,
		`{{if eq .fields.severity "high"}}P1{{else}}P3{{end}} {{upper .model}} {{.number}} {{index .fields "kind"}}`: "P1 CREDIT 1 out_of_band",
		`{{default "none" .fields.absent}}`: "none",
		``:                                  "",
	} {
		parsed, err := parseTemplate(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		got, err := render(parsed, samples()[0])
		if err != nil || string(got) != want {
			t.Errorf("%s: %q, %v, want %q", text, got, err, want)
		}
		if strings.HasPrefix(want, "{") && (!json.Valid(got) || contentType(got) != "application/json") {
			t.Errorf("%s is no JSON", got)
		}
	}
	for _, text := range []string{
		`{{range 1000000000}}{{end}}`, `{{range .fields}}x{{end}}`, `{{define "x"}}{{template "x"}}{{end}}{{template "x"}}`, `{{block "x" .}}{{end}}`,
		`{{printf "%1000000d" 1}}`, `{{.sentence | js | js}}`, `{{with $x := (print 1)}}{{$x}}{{end}}`, `{{call .x}}`, `{{.sentence`, `{{nothing}}`,
		`{{if (html "x")}}{{end}}`, `{{(len "x")}}`, strings.Repeat("x", maxTemplate+1), `{{index .fields 1}}`, `{{.sentence.x}}`,
		strings.Repeat("{{json .}}", 1200), "{{json .sentence" + strings.Repeat(" | json", 30) + "}}",
	} {
		if err := checkTemplate(text); tallystick.CodeOf(err) != tallystick.Invalid {
			t.Errorf("%.60s: %v", text, err)
		}
	}
}

// FuzzTemplate: whatever a template says, it ends soon, and what it makes has a bound.
func FuzzTemplate(f *testing.F) {
	for _, text := range []string{`{{json .}}`, `{{if .model}}{{.model}}{{else}}-{{end}}`, `{{with $x := .fields}}{{index $x "kind" | upper}}{{end}}`, `{{range 9}}{{end}}`, `{{and .a (or .b "c")}}`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		parsed, err := parseTemplate(text)
		if err != nil {
			if tallystick.CodeOf(err) != tallystick.Invalid {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		started := time.Now()
		for _, sample := range samples() {
			if out, err := render(parsed, sample); err == nil && len(out) > maxRendered {
				t.Errorf("%q makes %d bytes", text, len(out))
			}
		}
		if took := time.Since(started); took > time.Minute {
			t.Errorf("%q takes %v", text, took)
		}
	})
}
