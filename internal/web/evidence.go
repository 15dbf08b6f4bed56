package web

import (
	"context"
	"errors"
	"io/fs"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/trail"
)

// Evidence keeps the bytes of statements and documents.
type Evidence interface {
	// Get returns the bytes of a digest, having compared them with it; an error like fs.ErrNotExist if
	// they were never brought.
	Get(ctx context.Context, d tallystick.Digest) ([]byte, error)
	// Has reports whether Get would find bytes.
	Has(ctx context.Context, d tallystick.Digest) bool
}

// evidence hands out the bytes of evidence of a version. At tier high that is a touch of the version,
// which goes on the trail before they leave.
func (s *server) evidence(v *visit) error {
	model, version, digest := v.r.PathValue("model"), v.r.PathValue("version"), tallystick.Digest(v.r.PathValue("digest"))
	if err := digest.Validate(); err != nil {
		return err
	}
	m, err := s.Catalog.Model(v.ctx(), model)
	if err != nil {
		return err
	}
	found, err := s.Catalog.Evidence(v.ctx(), catalog.EvidenceFilter{Model: model, Version: version, Digest: digest, Limit: 1})
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return tallystick.Errorf(tallystick.NotFound, "version %s@%s has no evidence %s", model, version, digest.Short())
	}
	body, err := s.Evidence.Get(v.ctx(), digest)
	if errors.Is(err, fs.ErrNotExist) || tallystick.CodeOf(err) == tallystick.NotFound {
		return tallystick.Errorf(tallystick.NotFound, "the bytes of evidence %s are not here: only its digest is on record", digest.Short()).WithHint("ask who produced it, and compare the digest")
	}
	if err != nil {
		return err
	}
	if m.Tier == tallystick.TierHigh {
		c := registry.Command{Principal: v.who, Action: access.CatalogRead, Resource: trail.Resource{Type: "version", ID: model + "@" + version}, Model: model}
		err := s.Registry.Note(v.ctx(), c, trail.Entry{
			Type: trail.VersionRead, Data: map[string]any{"model": model, "version": version, "file_digest": string(digest), "bytes": len(body)},
		})
		if err != nil {
			return err
		}
	}
	name, kind := "evidence-"+digest.Short(), "application/octet-stream"
	if len(body) > 0 && body[0] == '{' {
		name, kind = name+".json", "application/json"
	}
	return v.download(name, kind, body)
}
