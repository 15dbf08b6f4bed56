package chart

import (
	"html/template"
	"strings"
)

// Token is a colour that pictures, reports and pages share, as a CSS custom property of this name.
type Token struct {
	Name        string
	Light, Dark string // sRGB, as #rrggbb
}

// Tokens returns the colours of the house. Every one that text is set in has a contrast of at least
// 4.5 to 1 with surface and raised (WCAG 2.2, 1.4.3); a test holds them to it.
func Tokens() []Token {
	return []Token{
		{"ink", "#1f2933", "#e4e8ed"},
		{"muted", "#5b6774", "#9ba6b3"},
		{"line", "#e3e7ec", "#2c343d"},
		{"surface", "#ffffff", "#14181d"},
		{"raised", "#f6f8fa", "#1b2127"},
		{"pass", "#2c7a51", "#6cc394"},
		{"warn", "#8f540b", "#e0a458"},
		{"fail", "#b3261e", "#f08a80"},
		{"unclear", "#6a5f8f", "#b5a8e0"},
		{"current", "#2b6399", "#78b0e4"},
		{"reference", "#b6bfca", "#56616e"},
		{"caution", "#a86410", "#e0a458"}, // a mark, which needs less contrast than text
	}
}

// faces are the families of letters: serif for titles, sans for text, mono for what a machine reads.
// They are those of the reader's system; nothing is fetched.
const faces = `  --serif: Charter, "Bitstream Charter", "Iowan Old Style", "Sitka Text", Cambria, "Liberation Serif", Georgia, serif;
  --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif;
  --mono: ui-monospace, "Cascadia Code", Menlo, "DejaVu Sans Mono", monospace;
`

// tokenSheet returns the CSS of the tokens. Paper is light; a page that lets its reader choose sets
// data-theme to light or dark on its root.
func tokenSheet() template.CSS {
	var light, dark strings.Builder
	for _, t := range Tokens() {
		light.WriteString("  --" + t.Name + ": " + t.Light + ";\n")
		dark.WriteString("  --" + t.Name + ": " + t.Dark + ";\n")
	}
	return template.CSS(":root {\n  color-scheme: light dark;\n" + faces + light.String() + "}\n" + //nolint:gosec // of this file alone
		":root[data-theme=\"light\"] { color-scheme: light; }\n" +
		"@media screen and (prefers-color-scheme: dark) {\n:root:not([data-theme=\"light\"]) {\n" + dark.String() + "}\n}\n" +
		"@media screen {\n:root[data-theme=\"dark\"] {\n  color-scheme: dark;\n" + dark.String() + "}\n}\n" +
		"@media print {\n:root { color-scheme: light; }\n}\n")
}
