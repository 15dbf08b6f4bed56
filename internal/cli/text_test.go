package cli

import (
	"errors"
	"strings"
	"testing"
)

func TestOneLine(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 70_000)
	for message, want := range map[string]string{
		"a; b":                              "a; b",
		"a\nb\r\nc":                         "a; b; c",
		"no file \x1b[31m\u202e":            "no file \ufffd[31m\ufffd",
		"no file " + long + " there; look":  "no file " + long[:128] + "…" + long[:64] + " there; look",
		"größe " + strings.Repeat("ß", 256): "größe " + strings.Repeat("ß", 256),
	} {
		if got := oneLine(errors.New(message)); got != want {
			t.Errorf("%.80q becomes %.300q", message, got)
		}
	}
}
