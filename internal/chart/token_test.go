package chart_test

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/chart"
)

// luminance is the relative luminance of WCAG 2.2.
func luminance(t *testing.T, colour string) float64 {
	t.Helper()
	rgb, err := strconv.ParseUint(strings.TrimPrefix(colour, "#"), 16, 24)
	if err != nil || len(colour) != 7 {
		t.Fatalf("%q is no colour", colour)
	}
	linear := func(shift uint) float64 {
		c := float64(rgb>>shift&0xff) / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(16) + 0.7152*linear(8) + 0.0722*linear(0)
}

func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	x, y := luminance(t, a), luminance(t, b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func TestTokensHaveContrast(t *testing.T) {
	t.Parallel()
	if got := contrast(t, "#ffffff", "#767676"); math.Abs(got-4.54) > 0.005 { // the well-known least grey on white
		t.Fatalf("contrast of #767676 on white is %.2f", got)
	}
	tokens := chart.Tokens()
	find := func(name string) chart.Token {
		i := slices.IndexFunc(tokens, func(t chart.Token) bool { return t.Name == name })
		if i < 0 {
			t.Fatalf("there is no token %q", name)
		}
		return tokens[i]
	}
	for _, back := range []string{"surface", "raised"} {
		b := find(back)
		for name, least := range map[string]float64{"ink": 7, "muted": 4.5, "pass": 4.5, "warn": 4.5, "fail": 4.5, "unclear": 4.5, "current": 4.5, "caution": 3} {
			if f := find(name); contrast(t, f.Light, b.Light) < least || contrast(t, f.Dark, b.Dark) < least {
				t.Errorf("%s on %s: %.2f light and %.2f dark, want %.1f", name, back, contrast(t, f.Light, b.Light), contrast(t, f.Dark, b.Dark), least)
			}
		}
	}
	css := string(chart.Stylesheet())
	for _, token := range tokens {
		if strings.Count(css, "--"+token.Name+": "+token.Light+";") != 1 || !strings.Contains(css, "--"+token.Name+": "+token.Dark+";") {
			t.Errorf("the style sheet does not say what %s is", token.Name)
		}
	}
}
