package api

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/trail"
)

const octets = "application/octet-stream"

// reprDigest returns the field of RFC 9530.
func reprDigest(d tallystick.Digest) string {
	raw, _ := hex.DecodeString(d.Hex()) // a valid digest
	return "sha-256=:" + base64.StdEncoding.EncodeToString(raw) + ":"
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

type uploadInput struct {
	Stream
	Model   string            `path:"model" maxLength:"128"`
	Digest  tallystick.Digest `path:"digest" pattern:"^sha256:[0-9a-f]{64}$" doc:"of the bytes; others are refused"`
	Purpose string            `header:"Tallystick-Purpose" maxLength:"1000"`
}

// Artifact is a file in the store.
type Artifact struct {
	Digest tallystick.Digest `json:"digest"`
	Size   int64             `json:"size" doc:"bytes"`
}

type downloadInput struct {
	Model   string `path:"model" maxLength:"128"`
	Version string `path:"version" maxLength:"128"`
	File    string `path:"file" maxLength:"4096" doc:"name in the version's manifest, with its slashes escaped"`
	Purpose string `header:"Tallystick-Purpose" maxLength:"1000" doc:"what for; required for models of tier high"`
}

func (s *server) artifacts() {
	upload := operation("upload-artifact", http.MethodPut, "/models/{model}/artifacts/{digest}", "Upload the bytes of a file", "catalog", http.StatusNotFound)
	upload.MaxBodyBytes, upload.BodyReadTimeout = -1, -1 // they are read as a stream, with bounds of its own
	upload.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{octets: {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}}
	huma.Register(s.huma, upload, func(ctx context.Context, in *uploadInput) (*answer[Artifact], error) {
		found, err := s.upload(ctx, in)
		if err != nil {
			return nil, s.problem(err)
		}
		return &answer[Artifact]{Body: found}, nil
	})
	ask(s, operation("get-artifact", http.MethodGet, "/models/{model}/artifacts/{digest}", "Say whether the store has the bytes of a file", "catalog", http.StatusNotFound),
		func(ctx context.Context, in *struct {
			Model  string            `path:"model" maxLength:"128"`
			Digest tallystick.Digest `path:"digest" pattern:"^sha256:[0-9a-f]{64}$"`
		},
		) (Artifact, error) {
			if err := s.may(ctx, access.CatalogRead, modelResource(in.Model), in.Model); err != nil {
				return Artifact{}, err
			}
			size, err := s.Workspace.Artifacts.Size(in.Digest)
			return Artifact{Digest: in.Digest, Size: size}, err
		})
	huma.Register(s.huma, operation("download-artifact", http.MethodGet, "/models/{model}/versions/{version}/files/{file}", "Download a file of a version", "catalog", http.StatusNotFound),
		func(ctx context.Context, in *downloadInput) (*huma.StreamResponse, error) {
			out, err := s.download(ctx, in)
			if err != nil {
				return nil, s.problem(err)
			}
			return out, nil
		})
}

func (s *server) upload(ctx context.Context, in *uploadInput) (Artifact, error) {
	c := registry.Command{Principal: caller(ctx), Action: access.ArtifactWrite, Resource: modelResource(in.Model), Model: in.Model, Purpose: in.Purpose}
	if err := s.Registry.May(ctx, c); err != nil {
		return Artifact{}, err
	}
	if _, err := s.Catalog.Model(ctx, in.Model); err != nil {
		return Artifact{}, err
	}
	c.Resource = trail.Resource{Type: "artifact", ID: string(in.Digest)}
	size, err := s.Workspace.Artifacts.Size(in.Digest)
	if err == nil {
		// The bytes are durable before the event: a server that was killed between has them without it.
		told, err := s.Workspace.Trail.Events(ctx, trail.Filter{Type: trail.ArtifactUploaded, Resource: c.Resource, Model: in.Model, Limit: 1})
		if err != nil || len(told) > 0 {
			return Artifact{Digest: in.Digest, Size: size}, err
		}
	} else if size, err = s.Workspace.Artifacts.PutAs(ctx, in.body, in.Digest); err != nil {
		return Artifact{}, err
	}
	return Artifact{Digest: in.Digest, Size: size}, s.Registry.Note(ctx, c, trail.Entry{
		Type: trail.ArtifactUploaded, Data: map[string]any{"model": in.Model, "artifact_digest": string(in.Digest), "size": size},
	})
}

// download gives a file out, once it is on the trail that it does.
func (s *server) download(ctx context.Context, in *downloadInput) (*huma.StreamResponse, error) {
	c := registry.Command{
		Principal: caller(ctx), Action: access.ArtifactRead, Model: in.Model, Purpose: in.Purpose,
		Resource: trail.Resource{Type: "version", ID: in.Model + "@" + in.Version},
	}
	if err := s.Registry.May(ctx, c); err != nil {
		return nil, err
	}
	entry, digest, err := s.Catalog.Read(ctx, catalog.Reading{Model: in.Model, Version: in.Version, File: in.File, Purpose: in.Purpose}, c.Principal.Actor())
	if code := tallystick.CodeOf(err); code == tallystick.Forbidden || code == tallystick.Conflict {
		return nil, s.Registry.Refuse(ctx, c, err)
	}
	if err != nil {
		return nil, err
	}
	size, err := s.Workspace.Artifacts.Size(digest)
	if err != nil {
		return nil, tallystick.Errorf(tallystick.NotFound, "the bytes of %s of version %s@%s were not uploaded", in.File, in.Model, in.Version).
			WithHint("they lie where the version was registered from; `tallystick register --upload` puts them here too")
	}
	r, err := s.Workspace.Artifacts.Get(ctx, digest)
	if err != nil {
		return nil, err
	}
	if err := s.Registry.Note(ctx, c, entry); err != nil {
		_ = r.Close() // nothing was read from it
		return nil, err
	}
	return send(octets, size, map[string]string{"Repr-Digest": reprDigest(digest)}, r), nil
}
