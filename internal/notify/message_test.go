package notify

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/trail"
)

// TestSign: the example of the specification, standard-webhooks.md, "Signature scheme" and the test
// vector of its libraries.
func TestSign(t *testing.T) {
	t.Parallel()
	const text = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	key := Secret{key: decoded(t, text)}
	got := key.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`))
	if want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; got != want {
		t.Errorf("signature %s, want %s", got, want)
	}
	s := NewSecret()
	again, err := ParseSecret(s.Reveal())
	if err != nil || string(again.key) != string(s.key) {
		t.Errorf("%v", err)
	}
	for _, printed := range []string{fmt.Sprint(s), fmt.Sprintf("%#v", s), fmt.Sprintf("%+v", struct{ S Secret }{s})} {
		if strings.Contains(printed, s.Reveal()[6:20]) {
			t.Errorf("printed as %s", printed)
		}
	}
}

func decoded(t *testing.T, text string) []byte {
	t.Helper()
	var key []byte
	if err := json.Unmarshal([]byte(`"`+strings.TrimPrefix(text, whsec)+`"`), &key); err != nil {
		t.Fatal(err)
	}
	return key
}

// TestTopics: every topic is of types that there are, has a name that no type has, and is told under it.
func TestTopics(t *testing.T) {
	t.Parallel()
	known := map[trail.Type]bool{}
	for _, d := range trail.Definitions() {
		known[d.Type] = true
	}
	seen := map[string]bool{}
	for _, topic := range Topics() {
		if strings.ContainsAny(topic.Name, ".* ") || seen[topic.Name] || topic.Doc == "" || len(topic.Types) == 0 {
			t.Errorf("topic %+v", topic)
		}
		seen[topic.Name] = true
		if name, err := parseTopic(topic.Name); err != nil || name != topic.Name {
			t.Errorf("%s: %v", topic.Name, err)
		}
		for _, kind := range topic.Types {
			if !known[kind] {
				t.Errorf("topic %s: there is no type %s", topic.Name, kind)
			}
		}
	}
	for _, test := range []struct {
		topic  string
		kind   trail.Type
		fields map[string]any
		want   bool
	}{
		{"*", trail.KeyCreated, nil, true},
		{"model.*", trail.ModelRetired, nil, true},
		{"model.*", trail.VersionMarked, nil, false},
		{"model.retired", trail.ModelRetired, nil, true},
		{"model", trail.VersionMarked, nil, true},
		{"retired", trail.VersionMarked, map[string]any{"state": "withdrawn"}, true},
		{"retired", trail.VersionMarked, map[string]any{"state": "registered"}, false},
		{"out-of-band", trail.AssignmentRecorded, map[string]any{"observed": true}, true},
		{"out-of-band", trail.AssignmentRecorded, map[string]any{}, false},
		{"out-of-band", trail.FindingRaised, map[string]any{"kind": "out_of_band"}, true},
		{"out-of-band", trail.FindingRaised, map[string]any{"kind": "not_running"}, false},
		{"audit-not-passed", trail.AuditCompleted, map[string]any{"verdict": "pass"}, false},
		{"release-approved", trail.ReleaseReviewed, map[string]any{"verdict": "approve"}, true},
		{"release-approved", trail.ReleaseReviewed, map[string]any{"verdict": "reject"}, false},
		{"release-denied", trail.ReleaseReviewed, map[string]any{"verdict": "reject"}, true},
		{"release-denied", trail.GateDecided, map[string]any{"verdict": "fail", "request": "r"}, true},
		{"release-denied", trail.GateDecided, map[string]any{"verdict": "pass", "request": "r"}, false},
		{"release-denied", trail.GateDecided, map[string]any{"verdict": "fail"}, false}, // somebody asked what the gate would say
		{"audit-not-passed", trail.AuditFailed, map[string]any{}, true},
	} {
		if got := chooses(test.topic, Topics(), test.kind, test.fields); got != test.want {
			t.Errorf("%s chooses %s %v: %v", test.topic, test.kind.Short(), test.fields, got)
		}
	}
}

// TestChat: what strangers have put into an event is text to Slack and to Teams, and nothing else.
func TestChat(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	in := newReceiver(t, func(w http.ResponseWriter, _ *http.Request, _ int) { _, _ = w.Write([]byte("ok")) })
	h.subscribe(t, "slack", Slack, Address{URL: in.URL + "/slack"}, nil)
	h.subscribe(t, "teams", Teams, Address{URL: in.URL + "/teams"}, nil)
	h.courier(t, nil, in.entry())
	h.raise(t, "credit", "<!channel>_[x](http://evil.example)\n*b*")
	for range 2 {
		g := in.next(t)
		var m struct {
			Text        string
			Type        string
			Attachments []struct {
				ContentType string
				Content     struct {
					Type string
					Body []struct {
						Type    string
						Inlines []struct{ Type, Text string }
					}
					Actions []struct{ Type, URL string }
				}
			}
		}
		if err := json.Unmarshal(g.body, &m); err != nil {
			t.Fatal(err)
		}
		if g.Get("Webhook-Signature") != "" || g.Get("Content-Type") != "application/json" {
			t.Errorf("header %v", g.Header)
		}
		if g.path == "/slack" {
			if !strings.HasPrefix(m.Text, "A person raised a finding about credit@4 in &lt;!channel&gt;_") || strings.Count(m.Text, "<") != 1 || !strings.Contains(m.Text, "<https://tallystick.example.org/trail/") {
				t.Errorf("slack: %q", m.Text)
			}
			continue
		}
		if m.Type != "message" || len(m.Attachments) != 1 || m.Attachments[0].ContentType != "application/vnd.microsoft.card.adaptive" {
			t.Fatalf("teams: %s", g.body)
		}
		card := m.Attachments[0].Content
		if card.Type != "AdaptiveCard" || card.Body[0].Type != "RichTextBlock" || card.Body[0].Inlines[0].Type != "TextRun" ||
			!strings.Contains(card.Body[0].Inlines[0].Text, "<!channel>_[x](http://evil.example) *b*") || card.Actions[0].Type != "Action.OpenUrl" {
			t.Errorf("teams: %+v", card)
		}
	}
}
