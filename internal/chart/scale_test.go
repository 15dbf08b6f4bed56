package chart

import (
	"math"
	"strings"
	"testing"
)

func TestScaleTicks(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		lo, hi float64
		count  int
		format Format
		want   string
	}{
		{0, 1, 5, Number, "0.0 0.2 0.4 0.6 0.8 1.0"},
		{0.7804, 0.9712, 5, Number, "0.75 0.80 0.85 0.90 0.95 1.00"},
		{0, 0.7, 3, Percent, "0 % 50 % 100 %"},
		{0, 0.012, 3, Percent, "0.0 % 0.5 % 1.0 % 1.5 %"},
		{-3, 1500, 4, Number, "−500 0 500 1,000 1,500"},
		{5, 5, 3, Number, "4.5 5.0 5.5"},
		{1e15, 1e15 + 1, 3, Number, "1e+15 1e+15 1e+15"},
		{0, math.MaxFloat64, 3, Number, "0 1.8e+308"},
		{-math.MaxFloat64, math.MaxFloat64, 3, Number, "-1.8e+308 1.8e+308"},
	} {
		s := newScale(test.lo, test.hi, test.count, test.format)
		var labels []string
		for _, v := range s.ticks {
			labels = append(labels, s.tick(v))
		}
		if got := strings.Join(labels, " "); got != test.want {
			t.Errorf("ticks of [%g, %g] = %q, want %q", test.lo, test.hi, got, test.want)
		}
		s = s.between(10, 110)
		for _, v := range []float64{test.lo, test.hi, -math.MaxFloat64, math.MaxFloat64} {
			if x := s.at(v); !(x >= 10 && x <= 110) {
				t.Errorf("[%g, %g].at(%g) = %g, outside its pixels", test.lo, test.hi, v, x)
			}
		}
	}
}

func TestCutKeepsWithinWidth(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "age", strings.Repeat("W", 80), strings.Repeat("名", 40), "two words and more of them"} {
		for width := 20.0; width < 400; width += 7 {
			got := cut(s, width, fontSize)
			if textWidth(got, fontSize) > width+fontSize*runeWidth('名') {
				t.Errorf("cut(%q, %g) = %q is %g wide", s, width, got, textWidth(got, fontSize))
			}
			if s != "" && got == "" {
				t.Errorf("cut(%q, %g) is empty", s, width)
			}
			if got != s && !strings.HasPrefix(s, strings.TrimSuffix(got, ellipsis)) {
				t.Errorf("cut(%q, %g) = %q", s, width, got)
			}
		}
	}
}
