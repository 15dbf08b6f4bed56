package report

import (
	"strings"
	"unicode/utf8"
)

// columns counts the columns of plain text. Wide East Asian characters take two.
func columns(text string) int {
	n := 0
	for _, r := range text {
		n += runeColumns(r)
	}
	return n
}

func runeColumns(r rune) int {
	switch {
	case r >= 0x1100 && r <= 0x115f, r >= 0x2e80 && r <= 0xa4cf, r >= 0xac00 && r <= 0xd7a3,
		r >= 0xf900 && r <= 0xfaff, r >= 0xfe30 && r <= 0xfe6f, r >= 0xff00 && r <= 0xff60, r >= 0x1f300 && r <= 0x1faff:
		return 2
	case r >= 0x300 && r <= 0x36f, r == 0x200b, r == 0x200d, r == 0xfe0f:
		return 0
	}
	return 1
}

// clip cuts text to width columns, with an ellipsis where something is lost.
func clip(text string, width int) string {
	if columns(text) <= width {
		return text
	}
	used := 0
	for i, r := range text {
		if used += runeColumns(r); used > width-1 {
			return strings.TrimRight(text[:i], " ") + "…"
		}
	}
	return text
}

func pad(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-columns(text)))
}

// wrap breaks text into lines of at most width columns, at spaces where it can, and not between a
// number and its percent sign.
func wrap(text string, width int) []string {
	const joint = "\x00" // oneLine leaves no control character
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(strings.ReplaceAll(oneLine(text), " %", joint+"%")) {
		word = strings.ReplaceAll(word, joint, " ")
		for columns(word) > width {
			head := splitAt(word, width)
			if line != "" {
				lines, line = append(lines, line), ""
			}
			lines, word = append(lines, head), word[len(head):]
		}
		switch {
		case line == "":
			line = word
		case columns(line)+1+columns(word) <= width:
			line += " " + word
		default:
			lines, line = append(lines, line), word
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

// splitAt returns the longest head of word that fits in width columns, and at least one rune.
func splitAt(word string, width int) string {
	used := 0
	for i, r := range word {
		if used += runeColumns(r); used > width && i > 0 {
			return word[:i]
		}
	}
	_, size := utf8.DecodeRuneInString(word)
	return word[:max(size, len(word))]
}
