package web

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/wording"
)

//go:embed templates
var templates embed.FS

// pages give the templates by the name of their page. Each is read when it is first asked for: with its frame and parts one
// takes a third of a megabyte, and most servers show few of them.
type pages map[string]func() *template.Template

// parsePages finds the templates of this program; a test renders every one.
func parsePages(a assets) pages {
	base := template.Must(template.New("layout.html").Funcs(functions(a)).ParseFS(templates, "templates/layout.html", "templates/part_*.html"))
	all := pages{}
	files, _ := fs.Glob(templates, "templates/*.html")
	for _, file := range files {
		name := strings.TrimSuffix(path.Base(file), ".html")
		if name == "layout" || strings.HasPrefix(name, "part_") {
			continue
		}
		all[name] = sync.OnceValue(func() *template.Template { return template.Must(template.Must(base.Clone()).ParseFS(templates, file)) })
	}
	return all
}

// frame is what every page shows around its own content, which is Page.
type frame struct {
	Title   string
	Section string // of the navigation
	Who     access.Principal
	Waits   int  // what waits for a review, for those who may review; 100 means more than 99
	Firing  int  // alerts; alert.MostCounted means that, or more
	Reads   bool // what predictions say, and so cases
	CSRF    string
	Theme   string // "light", "dark", or empty for that of the system
	Here    string // address of the page
	Release string
	Origin  string
	Page    any
}

// render writes a page whole or not at all.
func (s *server) render(v *visit, name, title string, status int, page any) error {
	read, ok := s.pages[name]
	if !ok {
		return fmt.Errorf("there is no page %q", name)
	}
	f := frame{
		Title: title, Section: section(name), Who: v.who, Theme: themeOf(v.r), Here: v.r.URL.RequestURI(),
		Release: s.Release, Origin: s.Origin, Page: page, Reads: v.who.Allows(access.PredictionRead, whole) == nil,
	}
	if v.r.Method != http.MethodGet {
		f.Here = "/"
	}
	if v.who.ID != "" {
		f.CSRF = v.session.CSRF()
		var err error
		if f.Firing, err = s.Alerts.CountFiring(v.ctx()); err != nil {
			return err
		}
	}
	if v.who.Allows(access.ReleaseReview, whole) == nil {
		var err error
		if f.Waits, err = s.Releases.CountWaiting(v.ctx()); err != nil {
			return err
		}
	}
	var b bytes.Buffer
	if err := read().Execute(&b, f); err != nil {
		return fmt.Errorf("render page %q: %w", name, err)
	}
	v.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	v.w.WriteHeader(status)
	// Escaping keeps names from becoming markup; this keeps them from reordering the text around.
	_, _ = v.w.Write(visible(b.Bytes())) // the reader may have gone
	return nil
}

// visible returns the page without what must not reach a reader. As a rule there is nothing to take away.
func visible(page []byte) []byte {
	for i := 0; i < len(page); {
		if c := page[i]; c >= ' ' && c < 0x7f || c == '\n' {
			i++
			continue
		}
		r, size := utf8.DecodeRune(page[i:])
		if r == utf8.RuneError || wording.Visible(r) != r {
			return bytes.Map(wording.Visible, page)
		}
		i += size
	}
	return page
}

// section returns under which heading of the navigation a page is found.
func section(page string) string {
	switch first, _, _ := strings.Cut(page, "-"); first {
	case "release", "waiver", "waivers":
		return "reviews"
	case "finding":
		return "findings"
	case "case", "prediction":
		return "cases"
	case "alert", "silences", "reaction", "reactions", "retraining":
		return "alerts"
	case "incident":
		return "incidents"
	}
	return page
}

// show renders a page that was found.
func (s *server) show(v *visit, name, title string, page any) error {
	return s.render(v, name, title, http.StatusOK, page)
}
