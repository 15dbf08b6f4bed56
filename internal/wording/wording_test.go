package wording_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tallystick/tallystick/internal/wording"
)

func TestSpans(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]wording.Span{
		"":                       nil,
		"plain":                  {{Text: "plain"}},
		"run `tallystick log`":   {{Text: "run "}, {Text: "tallystick log", Code: true}},
		"`a` or `b`.":            {{Text: "a", Code: true}, {Text: " or "}, {Text: "b", Code: true}, {Text: "."}},
		"a ` that has no fellow": {{Text: "a ` that has no fellow"}},
	} {
		if diff := cmp.Diff(want, wording.Spans(text)); diff != "" {
			t.Errorf("Spans(%q) (-want +got):\n%s", text, diff)
		}
	}
}

func TestSentence(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"": "", " so it is ": "so it is.", "done.": "done.", "why?": "why?", "no!": "no!"} {
		if got := wording.Sentence(text); got != want {
			t.Errorf("Sentence(%q) = %q, want %q", text, got, want)
		}
	}
	for text, want := range map[string]string{"": "", "été": "Été", "1 of 2": "1 of 2"} {
		if got := wording.Capital(text); got != want {
			t.Errorf("Capital(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestVisible(t *testing.T) {
	t.Parallel()
	if got, want := strings.Map(wording.Visible, "a\u202eb\x1b[0m\n\tc\u2066d"), "a\ufffdb\ufffd[0m\n\tc\ufffdd"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
