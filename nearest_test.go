package tallystick_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/tallystick/tallystick"
)

func TestNearest(t *testing.T) {
	t.Parallel()
	names := []string{"production", "staging", "credit", "kredit-2", "two_year_recid", "age_cat"}
	for want, expected := range map[string]string{
		"prodution":              "production",
		"Staging":                "staging",
		"credti":                 "credit",
		"weather":                "",
		"two_year_recidivism":    "two_year_recid",
		"agecat":                 "age_cat",
		"":                       "",
		strings.Repeat("x", 300): "",
	} {
		if got := tallystick.Nearest(want, names); got != expected {
			t.Errorf("Nearest(%q) = %q, want %q", want, got, expected)
		}
	}
}

func TestNearby(t *testing.T) {
	t.Parallel()
	names := []string{"credit-b", "credit-a", "credti", "weather", "creditworthiness"}
	for want, expected := range map[string][]string{
		"credit":  {"credit-a", "credit-b", "creditworthiness"},
		"credit-": {"credit-a", "credit-b", "credti"},
		"WEATHER": {"weather"},
		"zzz":     nil,
	} {
		if got := tallystick.Nearby(want, names, 3); !slices.Equal(got, expected) {
			t.Errorf("Nearby(%q) = %q, want %q", want, got, expected)
		}
	}
}
