package tallystick_test

import (
	"strings"
	"testing"

	"github.com/tallystick/tallystick"
)

func TestNearest(t *testing.T) {
	t.Parallel()
	names := []string{"production", "staging", "credit", "kredit-2"}
	for want, expected := range map[string]string{
		"prodution":              "production",
		"Staging":                "staging",
		"credti":                 "credit",
		"weather":                "",
		"":                       "",
		strings.Repeat("x", 300): "",
	} {
		if got := tallystick.Nearest(want, names); got != expected {
			t.Errorf("Nearest(%q) = %q, want %q", want, got, expected)
		}
	}
}
