package api

import (
	"cmp"
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/artifact"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/release"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

func versionResource(model, version string) trail.Resource {
	return trail.Resource{Type: "version", ID: model + "@" + version}
}

// OnVersion names a version in a path.
type OnVersion struct {
	Model   string `path:"model" maxLength:"128"`
	Version string `path:"version" maxLength:"128"`
}

func (v OnVersion) command(action access.Action, propose func(tx *state.Tx) (trail.Change, error)) registry.Command {
	return registry.Command{Action: action, Resource: versionResource(v.Model, v.Version), Model: v.Model, Propose: single(propose)}
}

type registerVersionInput struct {
	Request
	Model string `path:"model" maxLength:"128"`
	Body  struct {
		Version string          `json:"version" minLength:"1" maxLength:"128"`
		Files   []artifact.File `json:"manifest,omitempty" maxItems:"100000" doc:"the files, hashed where they are; their bytes may be uploaded, before or after"`
		Draft   bool            `json:"draft,omitempty" doc:"register the name alone"`
		catalog.VersionDetails
	}
}

type markVersionInput struct {
	Request
	OnVersion
	Body struct {
		State  catalog.VersionState `json:"state" enum:"registered,deprecated,withdrawn"`
		Reason string               `json:"reason" minLength:"1" maxLength:"4096"`
	}
}

type attachEvidenceInput struct {
	Request
	OnVersion
	Body catalog.EvidenceDetails
}

func (s *server) versions() {
	act(s, operation("register-version", http.MethodPost, "/models/{model}/versions", "Register a version", "catalog", http.StatusNotFound, http.StatusConflict),
		func(_ context.Context, in registerVersionInput) (registry.Command, func(tx *state.Tx) (catalog.Version, error)) {
			of := OnVersion{in.Model, in.Body.Version}
			c := of.command(access.VersionRegister, nil)
			c.Propose = func(tx *state.Tx) ([]trail.Change, error) { return s.registerVersion(tx, in) }
			return c, s.readVersion(of)
		})
	act(s, operation("mark-version", http.MethodPost, "/models/{model}/versions/{version}/state", "Deprecate or withdraw a version", "catalog", http.StatusNotFound, http.StatusConflict),
		func(_ context.Context, in markVersionInput) (registry.Command, func(tx *state.Tx) (catalog.Version, error)) {
			return in.command(access.VersionRegister, func(tx *state.Tx) (trail.Change, error) {
				return s.Catalog.MarkVersion(tx, catalog.VersionMark{Model: in.Model, Version: in.Version, State: in.Body.State, Reason: in.Body.Reason})
			}), s.readVersion(in.OnVersion)
		})
	ask(s, operation("list-versions", http.MethodGet, "/models/{model}/versions", "List the versions of a model, newest first", "catalog", http.StatusNotFound),
		func(ctx context.Context, in *struct {
			Newest
			Model string               `path:"model" maxLength:"128"`
			State catalog.VersionState `query:"state" maxLength:"32"`
		},
		) (page[catalog.Version], error) {
			if err := s.may(ctx, access.CatalogRead, modelResource(in.Model), in.Model); err != nil {
				return page[catalog.Version]{}, err
			}
			if _, err := s.Catalog.Model(ctx, in.Model); err != nil {
				return page[catalog.Version]{}, err
			}
			found, err := s.Catalog.Versions(ctx, catalog.VersionFilter{Model: in.Model, State: in.State, Before: in.After, Limit: in.Limit + 1})
			return pageOf(found, in.Limit, func(v catalog.Version) string { return utoa(v.First) }), err
		})
	ask(s, operation("find-versions", http.MethodGet, "/versions", "Find versions by digest or commit", "catalog"),
		func(ctx context.Context, in *struct {
			Newest
			Digest tallystick.Digest `query:"digest" maxLength:"71" doc:"of the manifest, or the root of OpenSSF Model Signing"`
			Commit string            `query:"commit" maxLength:"128"`
		},
		) (page[catalog.Version], error) {
			if err := s.may(ctx, access.CatalogRead, whole, ""); err != nil {
				return page[catalog.Version]{}, err
			}
			found, err := s.Catalog.Versions(ctx, catalog.VersionFilter{Digest: in.Digest, Commit: in.Commit, Before: in.After, Limit: in.Limit + 1})
			return pageOf(found, in.Limit, func(v catalog.Version) string { return utoa(v.First) }), err
		})
	ask(s, operation("get-version", http.MethodGet, "/models/{model}/versions/{version}", "Get a version", "catalog", http.StatusNotFound),
		func(ctx context.Context, in *OnVersion) (catalog.Version, error) {
			if err := s.may(ctx, access.CatalogRead, versionResource(in.Model, in.Version), in.Model); err != nil {
				return catalog.Version{}, err
			}
			return s.Catalog.Version(ctx, in.Model, in.Version)
		})
	ask(s, operation("get-manifest", http.MethodGet, "/models/{model}/versions/{version}/manifest", "List the files of a version", "catalog", http.StatusNotFound),
		func(ctx context.Context, in *OnVersion) (page[artifact.File], error) {
			m, err := s.manifest(ctx, in.Model, in.Version)
			return page[artifact.File]{Items: m.Files()}, err
		})
}

func (s *server) registerVersion(tx *state.Tx, in registerVersionInput) ([]trail.Change, error) {
	r := catalog.VersionRegistration{Model: in.Model, Version: in.Body.Version, Draft: in.Body.Draft, Details: in.Body.VersionDetails}
	if len(in.Body.Files) > 0 {
		var err error
		if r.Manifest, err = artifact.NewManifest(in.Body.Files); err != nil {
			return nil, err
		}
	}
	propose := single(func(tx *state.Tx) (trail.Change, error) { return s.Catalog.RegisterVersion(tx, r) })
	if r.Draft {
		return propose(tx)
	}
	nodes, edges, err := ofVersion(r.Model, r.Version, r.Details, r.Manifest)
	if err != nil {
		return nil, err
	}
	return s.told(propose, nodes, edges)(tx)
}

// manifest returns the files of a version, to whoever may read the catalog.
func (s *server) manifest(ctx context.Context, model, version string) (artifact.Manifest, error) {
	if err := s.may(ctx, access.CatalogRead, versionResource(model, version), model); err != nil {
		return artifact.Manifest{}, err
	}
	v, err := s.Catalog.Version(ctx, model, version)
	if err != nil {
		return artifact.Manifest{}, err
	}
	if v.Digest == "" {
		return artifact.Manifest{}, tallystick.Errorf(tallystick.NotFound, "the files of version %s are not known", v.Name())
	}
	return s.Catalog.Manifest(ctx, v.Digest)
}

func (s *server) readVersion(of OnVersion) func(tx *state.Tx) (catalog.Version, error) {
	return func(tx *state.Tx) (catalog.Version, error) { return s.Catalog.VersionIn(tx, of.Model, of.Version) }
}

// evidenceQuery chooses evidence of a model.
type evidenceQuery struct {
	Newest
	Model   string               `path:"model" maxLength:"128"`
	Version string               `query:"version" maxLength:"128"`
	Kind    catalog.EvidenceKind `query:"kind" maxLength:"32"`
}

// attested verifies evidence before the transaction that puts it on record, if the caller may attach it: files are read. The
// error waits for the act, which records it.
func (s *server) attested(ctx context.Context, on trail.Resource, a catalog.EvidenceAttachment) (*release.Attached, func(tx *state.Tx) (trail.Change, error)) {
	var found release.Attached
	err := caller(ctx).Allows(access.EvidenceAttach, on)
	if err == nil {
		found, err = s.Releases.Attest(ctx, a)
	}
	a.Details = found.EvidenceDetails
	return &found, func(tx *state.Tx) (trail.Change, error) {
		if err != nil {
			return nil, err
		}
		return s.Catalog.AttachEvidence(tx, a)
	}
}

func (s *server) evidence() {
	act(s, operation("attach-evidence", http.MethodPost, "/models/{model}/versions/{version}/evidence", "Put evidence of a version on record", "evidence", http.StatusNotFound, http.StatusConflict),
		func(ctx context.Context, in attachEvidenceInput) (registry.Command, func(tx *state.Tx) (release.Attached, error)) {
			found, propose := s.attested(ctx, versionResource(in.Model, in.Version), catalog.EvidenceAttachment{Model: in.Model, Version: in.Version, Details: in.Body})
			c := in.command(access.EvidenceAttach, propose)
			run, err := s.Releases.Landed(ctx, in.Model, in.Version, *found)
			attach := c.Propose
			c.Propose = func(tx *state.Tx) ([]trail.Change, error) {
				changes, errAttach := attach(tx)
				if err := cmp.Or(errAttach, err); err != nil || len(changes) == 0 {
					return nil, err
				}
				follow, err := s.Catalog.FollowGate(tx, run)
				return append(follow, changes...), err
			}
			return c, func(*state.Tx) (release.Attached, error) { return *found, nil }
		})
	ask(s, operation("list-evidence", http.MethodGet, "/models/{model}/evidence", "List the evidence of a model", "evidence", http.StatusNotFound),
		func(ctx context.Context, in *evidenceQuery) (page[release.StandingEvidence], error) {
			if err := s.may(ctx, access.CatalogRead, modelResource(in.Model), in.Model); err != nil {
				return page[release.StandingEvidence]{}, err
			}
			found, err := s.Catalog.Evidence(ctx, catalog.EvidenceFilter{Model: in.Model, Version: in.Version, Kind: in.Kind, Before: in.After, Limit: in.Limit + 1})
			if err = s.nothing(ctx, len(found), err, catalog.Names{Model: in.Model, Version: in.Version}); err != nil {
				return page[release.StandingEvidence]{}, err
			}
			standings, err := s.Releases.Standings(ctx, found)
			return pageOf(standings, in.Limit, func(e release.StandingEvidence) string { return utoa(e.Event) }), err
		})
	upload := operation("upload-evidence", http.MethodPut, "/evidence/{digest}", "Upload a piece of evidence", "evidence")
	upload.MaxBodyBytes = 64 << 20
	huma.Register(s.huma, upload, func(ctx context.Context, in *struct {
		Digest  tallystick.Digest `path:"digest" pattern:"^sha256:[0-9a-f]{64}$" doc:"of the bytes; others are refused"`
		RawBody []byte            `contentType:"application/octet-stream"`
	},
	) (*answer[Artifact], error) {
		if err := s.may(ctx, access.EvidenceAttach, trail.Resource{Type: "evidence", ID: string(in.Digest)}, ""); err != nil {
			return nil, s.problem(err)
		}
		if got := tallystick.DigestOf(in.RawBody); got != in.Digest {
			return nil, s.problem(tallystick.Errorf(tallystick.Invalid, "the %d bytes have the digest %s, not %s", len(in.RawBody), got, in.Digest))
		}
		if _, err := s.Workspace.Evidence.Put(ctx, in.RawBody); err != nil {
			return nil, s.problem(err)
		}
		return &answer[Artifact]{Body: Artifact{Digest: in.Digest, Size: int64(len(in.RawBody))}}, nil
	})
}
