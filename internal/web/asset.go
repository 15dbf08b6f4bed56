package web

import (
	"embed"
	"net/http"
	"path"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/chart"
)

//go:embed static
var static embed.FS

// asset is a file that every page may ask for.
type asset struct {
	kind    string // media type
	content []byte
	path    string // its address, which names the digest of the content
	etag    string
}

// assets are the files by name.
type assets map[string]asset

const assetRoot = "/static/"

func newAssets() assets {
	all := assets{}
	entries, _ := static.ReadDir("static") // a directory of this program
	for _, e := range entries {
		content, _ := static.ReadFile("static/" + e.Name())
		all.add(e.Name(), content)
	}
	all.add("chart.css", []byte(chart.Stylesheet()))
	return all
}

func (a assets) add(name string, content []byte) {
	kinds := map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
	digest := tallystick.DigestOf(content)
	a[name] = asset{kind: kinds[path.Ext(name)], content: content, path: assetRoot + digest.Short() + "/" + name, etag: `"` + digest.Short() + `"`}
}

// path returns the address of a file for templates.
func (a assets) path(name string) string { return a[name].path }

// ServeHTTP answers with the file at one of its addresses. What is there never changes, so that
// caches may keep it for ever.
func (a assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f, ok := a[path.Base(r.URL.Path)]
	if !ok || f.path != r.URL.Path {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("ETag", f.etag)
	if strings.Contains(r.Header.Get("If-None-Match"), f.etag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", f.kind)
	_, _ = w.Write(f.content) // the reader may have gone
}
