package obligation

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"strings"
	"time"

	"github.com/tallystick/tallystick/internal/chart"
)

//go:embed templates
var templates embed.FS

// document is what the templates are given.
type document struct {
	Title, Policy string
	Style         template.CSS
	Disclaimer    string
	Page          Answer
}

// writeHTML writes an answer as one file: the style sheet is inside, and a Content-Security-Policy
// allows that and nothing more.
func writeHTML(b *strings.Builder, a Answer) error {
	name, title := a.page()
	style, err := templates.ReadFile("templates/page.css")
	if err != nil {
		return fmt.Errorf("write obligations as HTML: %w", err)
	}
	d := document{Title: title, Style: "\n" + chart.Stylesheet() + template.CSS(style), Disclaimer: Disclaimer, Page: a} //nolint:gosec // a file of this package
	sum := sha256.Sum256([]byte(d.Style))
	d.Policy = "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'"
	t, err := template.New("page.html").Funcs(template.FuncMap{
		"day": func(t time.Time) string { return t.Format(time.DateOnly) }, "sentence": sentence, "join": strings.Join,
		"moment": func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") },
	}).ParseFS(templates, "templates/page.html", "templates/"+name+".html")
	if err == nil {
		err = t.Execute(b, d)
	}
	if err != nil {
		return fmt.Errorf("write obligations as HTML: %w", err)
	}
	return nil
}

func (o Obligations) page() (name, title string) {
	if o.Version != "" {
		return "obligations", "Obligations of " + o.Model + "@" + o.Version
	}
	return "obligations", "Obligations of " + o.Model
}

func (GapReport) page() (name, title string) { return "gaps", "Gaps in the evidence" }

// Segment is a part of a bar.
type Segment struct {
	State State
	N     int
	X, W  float64 // percent of the bar
}

// Bar returns the states that there are any of, as parts of a bar of 100.
func (t Tally) Bar() (parts []Segment) {
	if t.All() == 0 {
		return nil
	}
	at := 0.0
	for _, part := range []Segment{{State: Present, N: t.Present}, {State: Stale, N: t.Stale}, {State: Missing, N: t.Missing}, {State: NotApplicable, N: t.NotApplicable}} {
		if part.N == 0 {
			continue
		}
		part.X, part.W = at, 100*float64(part.N)/float64(t.All())
		at += part.W
		parts = append(parts, part)
	}
	return parts
}

// Label is the state in words.
func (s State) Label() string { return s.label() }

// Class is the name of the state in style sheets.
func (s State) Class() string { return strings.ReplaceAll(string(s), "_", "-") }

// Goes says how far evidence goes.
func (l Level) Goes() string { return sentence(l.goes()) }

// Owed says who owes the evidence, in words.
func (p Piece) Owed() string { return p.owing() }

// Says is how it stands, in a sentence.
func (p Piece) Says() string { return sentence(p.Words) }

// Names says which models lack it.
func (g Gap) Names() string { return g.names() }

// Rest returns how many models lack it beside those that are named.
func (g Gap) Rest() int { return g.Models - len(g.Longest) }

// Expired says of how many models evidence is there that counts no longer.
func (g Gap) Expired() string { return strings.TrimPrefix(g.expired(), ", ") }
