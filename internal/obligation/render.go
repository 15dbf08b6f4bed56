package obligation

import (
	"io"
	"slices"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/wording"
)

// Format is a form in which answers are written.
type Format string

// The formats.
const (
	Text     Format = "text"
	JSON     Format = "json"
	Markdown Format = "markdown"
	HTML     Format = "html"
)

// ParseFormat returns the format of that name, or an Invalid error.
func ParseFormat(name string) (Format, error) {
	if f := Format(name); slices.Contains([]Format{Text, JSON, Markdown, HTML}, f) {
		return f, nil
	}
	return "", tallystick.Errorf(tallystick.Invalid, "--format %q is not text, json, markdown or html", name)
}

// Answer is what Render writes.
type Answer interface {
	text(w *strings.Builder)
	markdown(w *strings.Builder)
	page() (name, title string)
}

// Disclaimer stands under every answer.
const Disclaimer = "This says what evidence is on record. It is no legal advice, and no statement that a duty is met: people and process are still needed."

// Render writes an answer as text, Markdown or a page of HTML that needs nothing else.
func Render(w io.Writer, as Format, a Answer) (err error) {
	var b strings.Builder
	switch as {
	case Markdown:
		a.markdown(&b)
	case HTML:
		err = writeHTML(&b, a)
	default:
		a.text(&b)
	}
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, strings.Map(wording.Visible, b.String()))
	return err
}

// label writes a state for people.
func (s State) label() string { return strings.ReplaceAll(string(s), "_", " ") }

// Sign is a sign for a state, so that none is told by colour alone.
func (s State) Sign() string {
	switch s {
	case Present:
		return "✓"
	case Stale:
		return "▲"
	case Missing:
		return "✕"
	}
	return "–"
}

func sentence(s string) string { return wording.Capital(wording.Sentence(s)) }

// owing writes who owes a piece of evidence.
func (p Piece) owing() string {
	if p.Name == "" {
		return string(p.Owes) + " (nobody named)"
	}
	return string(p.Owes) + " " + p.Name
}

// goes says how far the evidence for a control goes.
func (l Level) goes() string {
	switch l {
	case Satisfies:
		return "the evidence covers the part that a machine can check"
	case Supports:
		return "the evidence supports it; people and process are still needed"
	}
	return "nothing on record can show it; people and process are needed"
}
