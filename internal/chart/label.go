package chart

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// textWidth estimates the width of s in a common sans-serif font. It errs on the wide side, so
// that labels keep apart whatever the font turns out to be.
func textWidth(s string, size float64) float64 {
	w := 0.0
	for _, r := range s {
		w += runeWidth(r)
	}
	return w * size
}

func runeWidth(r rune) float64 {
	switch {
	case strings.ContainsRune("iljtfI.,:;'|! []()", r):
		return 0.36
	case strings.ContainsRune("mwMW%@—", r):
		return 0.92
	case r >= '0' && r <= '9':
		return 0.6
	case unicode.Is(unicode.Mn, r):
		return 0
	case r >= 0x1100 && (unicode.Is(unicode.Han, r) || unicode.Is(unicode.Hangul, r) || unicode.Is(unicode.Hiragana, r) || unicode.Is(unicode.Katakana, r) || r >= 0x1f000):
		return 1.1
	case unicode.IsUpper(r):
		return 0.72
	}
	return 0.58
}

const ellipsis = "…"

// cut shortens s to the width, ending in an ellipsis. What remains of a text that must not be
// empty is at least its first character.
func cut(s string, width, size float64) string {
	if math.IsInf(width, 1) || textWidth(s, size) <= width {
		return s
	}
	room := width/size - runeWidth('m')
	for i, r := range s {
		if room -= runeWidth(r); room < 0 {
			_, first := utf8.DecodeRuneInString(s)
			return strings.TrimRight(s[:max(i, first)], " ") + ellipsis
		}
	}
	return s
}

// columnLabel is a label under a column; those of higher priority are placed first.
type columnLabel struct {
	x        float64
	text     string
	priority int
}

// columnLabels writes the labels that fit side by side between left and right. The first and the
// last come after those of higher priority and before all others; of these, an even choice is
// made, so that the labels of a regular axis stay regular.
func (d *drawing) columnLabels(labels []columnLabel, f frame, maxWidth float64) {
	type placed struct{ from, to float64 }
	var taken []placed
	place := func(l columnLabel) {
		text := cut(l.text, maxWidth, fontSize)
		w := textWidth(text, fontSize)
		x := min(max(l.x, w/2+2), d.width-w/2-2)
		from, to := x-w/2-5, x+w/2+5
		if slices.ContainsFunc(taken, func(p placed) bool { return from < p.to && p.from < to }) {
			return
		}
		taken = append(taken, placed{from, to})
		d.label(x, f.bottom+16, maxWidth, l.text, middle, textMuted)
	}
	order := slices.Clone(labels)
	if n := len(order); n > 0 {
		order[0].priority = max(order[0].priority, 1)
		widest := 0.0
		for _, l := range labels {
			widest = max(widest, min(maxWidth, textWidth(l.text, fontSize))+10)
		}
		every := max(1, int(math.Ceil(widest*float64(n)/max(1, f.width()))))
		kept := order[:0]
		for i, l := range order {
			if i%every == 0 || l.priority > 0 || i == n-1 {
				kept = append(kept, l)
			}
		}
		order = kept
	}
	slices.SortStableFunc(order, func(a, b columnLabel) int { return cmp.Compare(b.priority, a.priority) })
	for _, l := range order {
		place(l)
	}
}
