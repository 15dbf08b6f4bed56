package api

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tallystick/tallystick/internal/dossier"
)

type exportInput struct {
	Model    string    `path:"model" maxLength:"128"`
	Version  string    `query:"version" maxLength:"128" doc:"of this version alone, with what names none"`
	From     time.Time `query:"from" doc:"inclusive; absent: from the beginning"`
	Until    time.Time `query:"until" doc:"exclusive; absent: now"`
	For      string    `query:"for" required:"true" minLength:"1" maxLength:"200" doc:"auditor whom the package is for; recorded"`
	Disclose bool      `query:"disclose" doc:"show sealed fields: names and free text"`
	Complete bool      `query:"complete" doc:"hold every event of the period, those of other models too, with their sealed fields closed"`
	Purpose  string    `header:"Tallystick-Purpose" maxLength:"1000" doc:"what for; recorded"`
}

func (s *server) packages() {
	op := operation("export-package", http.MethodGet, "/models/{model}/package", "Export all that is on record about a model, for an auditor", "evidence", http.StatusNotFound, http.StatusConflict)
	op.Responses = map[string]*huma.Response{"200": {
		Description: "a canonical zip; `tallystick verify` checks it",
		Content:     map[string]*huma.MediaType{"application/zip": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}},
	}}
	huma.Register(s.huma, op, func(ctx context.Context, in *exportInput) (*huma.StreamResponse, error) {
		p, err := s.Packages.HandOut(ctx, s.Registry, caller(ctx), in.Purpose, dossier.Request{
			Model: in.Model, Version: in.Version, From: in.From, Until: in.Until, Recipient: in.For, Disclose: in.Disclose, Complete: in.Complete,
		})
		if err != nil {
			return nil, s.problem(err)
		}
		return send("application/zip", p.Size, map[string]string{
			"Repr-Digest": reprDigest(p.Digest), "Content-Disposition": `attachment; filename="package.tally"`,
		}, streamed(p)), nil
	})
}

// streamed returns a reader of a package. Closing it throws the package away.
func streamed(p *dossier.Package) io.ReadCloser {
	r, w := io.Pipe()
	written := make(chan struct{})
	go func() {
		defer close(written)
		_, err := p.WriteTo(w)
		_ = w.CloseWithError(err) // which never fails
	}()
	return &packageReader{r, p, written}
}

type packageReader struct {
	*io.PipeReader
	p       *dossier.Package
	written chan struct{}
}

// Close implements io.Closer.
func (r *packageReader) Close() error {
	_ = r.PipeReader.Close() // which never fails; it ends the writer
	<-r.written
	return r.p.Close()
}
