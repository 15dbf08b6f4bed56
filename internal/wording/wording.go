// Package wording prepares text of ours, and of strangers, for people to read.
package wording

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Span is a part of a text; Code marks what stood between backticks.
type Span struct {
	Text string
	Code bool
}

// Spans parts a text at its backticks, which mark commands. A backtick without its pair means itself.
func Spans(s string) []Span {
	parts := strings.Split(s, "`")
	if len(parts)%2 == 0 {
		return []Span{{Text: s}}
	}
	var all []Span
	for i, part := range parts {
		if part != "" {
			all = append(all, Span{part, i%2 == 1})
		}
	}
	return all
}

// Sentence puts a full stop at the end of words that have none.
func Sentence(s string) string {
	s = strings.TrimSpace(s)
	if s == "" || strings.ContainsAny(s[len(s)-1:], ".!?") {
		return s
	}
	return s + "."
}

// Capital begins the text with a capital letter.
func Capital(s string) string {
	r, size := utf8.DecodeRuneInString(s)
	if size == 0 {
		return s
	}
	return string(unicode.ToUpper(r)) + s[size:]
}

// Visible maps what must not reach a reader to U+FFFD: controls, and what reorders the text around.
// White space stays as it is.
func Visible(r rune) rune {
	switch {
	case r == '\n' || r == '\t' || r == '\r':
		return r
	case unicode.IsControl(r), r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069, r == 0x200e || r == 0x200f || r == 0x061c:
		return utf8.RuneError
	}
	return r
}
