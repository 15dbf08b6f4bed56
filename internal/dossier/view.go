package dossier

import (
	"embed"
	"fmt"
	"html/template"
	"io"
	"strings"
	texttemplate "text/template"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/chart"
	"github.com/tallystick/tallystick/verify"
)

//go:embed templates
var templates embed.FS

// view is what the page and the README are written from.
type view struct {
	Style      template.CSS
	Index      verify.PackageIndex
	Name       string
	Period     string
	Origin     string
	Size       uint64 // of the ledger
	Events     uint64 // in the package
	LogKey     string
	Signer     string
	Witnesses  []string // that the ledger's policy names and whose line the checkpoint carries
	Exported   string
	Sections   []*section
	Policies   []*policyUse
	Notes      []storyLine // what reviewers wrote
	NotesShown bool

	paths map[tallystick.Digest]string
}

func (b *builder) view() *view {
	c := b.story.checkpoint
	v := &view{
		Index: b.index, Name: b.index.Name(), Origin: c.Origin, Size: c.Size, Events: b.story.size,
		Signer: b.office.config.Workspace.Keys.Active(verify.RoleStatement).ID, Exported: b.export.Time.UTC().Format("2006-01-02 15:04:05 UTC"),
		Sections: b.story.sections, Policies: b.named.uses(), NotesShown: b.request.Disclose, paths: map[tallystick.Digest]string{},
	}
	if len(c.LogKeys) > 0 {
		v.LogKey = c.LogKeys[0].ID
	}
	if trust, err := b.office.config.Workspace.WitnessedTrust(); err == nil {
		if signed, err := verify.OpenCheckpoint(b.prover.Checkpoint(), trust); err == nil {
			v.Witnesses = signed.WitnessNames()
		}
	}
	until := b.request.Until.UTC()
	v.Period = "up to " + day(until.Add(-time.Millisecond))
	if !b.request.From.IsZero() {
		v.Period = day(b.request.From.UTC()) + " to " + day(until.Add(-time.Millisecond))
	}
	for _, p := range b.spool.parts {
		dir, file, _ := strings.Cut(p.Name, "/")
		hex, _, _ := strings.Cut(file, ".")
		if d := tallystick.Digest("sha256:" + hex); d.Validate() == nil && dir != "policies" {
			v.paths[d] = p.Name
		}
	}
	for _, s := range v.Sections {
		for _, l := range s.Told() {
			for _, said := range l.Said {
				if said.What == "comment" || said.What == "note" || said.What == "conflict of interest" {
					v.Notes = append(v.Notes, l)
					break
				}
			}
		}
	}
	return v
}

func day(t time.Time) string { return t.Format("2 January 2006") }

// Path returns where a piece of evidence lies in the package, empty if it is not there.
func (v *view) Path(d tallystick.Digest) string { return v.paths[d] }

// Most returns the greatest number of events in a month, for the bars beside them.
func (v *view) Most() (most uint64) {
	for _, m := range v.Index.Events.Months {
		most = max(most, m.Events)
	}
	return most
}

func functions() map[string]any {
	return map[string]any{
		"short": func(s string) string { return s[:min(12, len(s))] },
		"brief": func(d tallystick.Digest) string { return d.Short() },
		"kind":  func(path string) string { dir, _, _ := strings.Cut(path, "/"); return strings.TrimSuffix(dir, "s") },
		"moment": func(t time.Time) string {
			return t.UTC().Format("2006-01-02 15:04:05")
		},
		"thousands": thousands,
		"share":     func(n, of uint64) uint64 { return (100*n + of - 1) / max(of, 1) },
		"bad":       func(o tallystick.Outcome) bool { return o == tallystick.Denied || o == tallystick.Failed },
	}
}

// thousands writes a number with commas.
func thousands(n any) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func (v *view) writePage(w io.Writer) error {
	style, err := templates.ReadFile("templates/index.css")
	if err != nil {
		return err
	}
	v.Style = "\n" + chart.Stylesheet() + template.CSS(style) //nolint:gosec // a file of this package
	t, err := template.New("index.html").Funcs(functions()).ParseFS(templates, "templates/index.html")
	if err != nil {
		return err
	}
	return t.Execute(w, v)
}

func (v *view) writeReadme(w io.Writer) error {
	t, err := texttemplate.New("README.md").Funcs(functions()).ParseFS(templates, "templates/README.md")
	if err != nil {
		return err
	}
	return t.Execute(w, v)
}
