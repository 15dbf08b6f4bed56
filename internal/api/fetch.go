package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/dial"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/trail"
)

// maxFetches bounds how many files are fetched at once.
const maxFetches = 8

// Unhurried is in the input of an operation that may take longer than others.
type Unhurried struct{}

// Resolve implements huma.Resolver: it is called once the body was read, and before the operation.
func (*Unhurried) Resolve(ctx huma.Context) []error {
	_, w := humago.Unwrap(ctx)
	conn := http.NewResponseController(w)
	_ = conn.SetReadDeadline(time.Time{}) // that of the body; it would count as the end of the connection
	_ = conn.SetWriteDeadline(time.Time{})
	return nil
}

type fetchInput struct {
	Unhurried
	Model   string `path:"model" maxLength:"128"`
	Purpose string `header:"Tallystick-Purpose" maxLength:"1000"`
	Body    struct {
		URL    string            `json:"url" maxLength:"4096" doc:"of a host that the operator of this server allows; redirects must lead to such hosts too. Its query does not go on record."`
		Digest tallystick.Digest `json:"digest,omitempty" pattern:"^sha256:[0-9a-f]{64}$" doc:"of the bytes; others are refused. Without it, what comes is taken."`
	}
}

func (s *server) fetches() {
	huma.Register(s.huma, operation("fetch-artifact", http.MethodPost, "/models/{model}/artifacts", "Fetch the bytes of a file from a URL", "catalog", http.StatusNotFound),
		func(ctx context.Context, in *fetchInput) (*answer[Artifact], error) {
			found, err := s.fetch(ctx, in)
			if err != nil {
				return nil, s.problem(err)
			}
			return &answer[Artifact]{Body: found}, nil
		})
}

func (s *server) fetch(ctx context.Context, in *fetchInput) (Artifact, error) {
	c := registry.Command{Principal: caller(ctx), Action: access.ArtifactWrite, Resource: modelResource(in.Model), Model: in.Model, Purpose: in.Purpose}
	if err := s.Registry.May(ctx, c); err != nil {
		return Artifact{}, err
	}
	if _, err := s.Catalog.Model(ctx, in.Model); err != nil {
		return Artifact{}, err
	}
	from, err := dial.Shown(in.Body.URL)
	if err != nil {
		return Artifact{}, err
	}
	select {
	case s.fetching <- struct{}{}:
		defer func() { <-s.fetching }()
	default:
		return Artifact{}, tallystick.Errorf(tallystick.Unavailable, "%d files are being fetched already", maxFetches).WithHint("try again when one is done")
	}
	found, err := s.take(ctx, in)
	if tallystick.CodeOf(err) == tallystick.Forbidden {
		return Artifact{}, s.Registry.Refuse(ctx, c, err)
	}
	if err != nil {
		return Artifact{}, err
	}
	c.Resource = trail.Resource{Type: "artifact", ID: string(found.Digest)}
	return found, s.Registry.Note(ctx, c, trail.Entry{Type: trail.ArtifactFetched, Data: map[string]any{
		"model": in.Model, "url": from, "artifact_digest": string(found.Digest), "digest_given": in.Body.Digest != "", "size": found.Size,
	}})
}

// take puts what is at the URL into the store.
func (s *server) take(ctx context.Context, in *fetchInput) (found Artifact, err error) {
	response, err := s.Fetch.Fetch(ctx, in.Body.URL)
	if err != nil {
		return found, err
	}
	defer response.Body.Close()
	if found.Digest = in.Body.Digest; found.Digest != "" {
		found.Size, err = s.Workspace.Artifacts.PutAs(ctx, response.Body, found.Digest)
	} else {
		found.Digest, found.Size, err = s.Workspace.Artifacts.Put(ctx, response.Body)
	}
	if n := response.ContentLength; err == nil && n >= 0 && n != found.Size {
		err = tallystick.Errorf(tallystick.Unavailable, "%d bytes came of %d", found.Size, n).WithHint("try again")
	}
	return found, err
}
