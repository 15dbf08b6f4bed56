package api

import (
	"bytes"
	"context"
	"io"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/policy"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/release"
	"github.com/tallystick/tallystick/internal/trail"
)

// OnDecision names a decision in the path.
type OnDecision struct {
	Decision string `path:"decision" maxLength:"64"`
}

type decisionInput struct {
	OnDecision
	Purpose string `header:"Tallystick-Purpose" maxLength:"1000" doc:"what for; recorded"`
}

// PolicyFiles are the files of a policy. The digest is that of their listing, as sha256sum prints it.
type PolicyFiles struct {
	Digest tallystick.Digest `json:"policy_digest"`
	Files  []PolicyFile      `json:"files"`
}

// PolicyFile is a file of a policy.
type PolicyFile struct {
	Name string `json:"name"`
	Data []byte `json:"data"`
}

// trials give out what the gate has judged, so that another policy can be tried over it where whoever
// wrote it is: the server runs no policy but its own.
func (s *server) trials() {
	op := operation("get-decision-input", http.MethodGet, "/decisions/{decision}/input", "Get the document that the gate judged, as it is stored", "release", http.StatusNotFound)
	op.Responses = map[string]*huma.Response{"200": {
		Description: "canonical JSON; its digest is the input_digest of the decision",
		Content:     map[string]*huma.MediaType{octets: {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}},
	}}
	huma.Register(s.huma, op, func(ctx context.Context, in *decisionInput) (*huma.StreamResponse, error) {
		body, err := s.gateInput(ctx, in)
		if err != nil {
			return nil, s.problem(err)
		}
		return send(octets, int64(len(body)), nil, io.NopCloser(bytes.NewReader(body))), nil
	})
	ask(s, operation("get-decision-policy", http.MethodGet, "/decisions/{decision}/policy", "Get the files of the policy by which the gate decided", "release", http.StatusNotFound),
		func(ctx context.Context, in *OnDecision) (p PolicyFiles, err error) {
			d, err := s.exported(ctx, in.Decision)
			if err != nil {
				return p, err
			}
			p.Digest = d.Policy
			files, err := policy.Kept(ctx, s.Workspace.Evidence, d.Policy)
			for _, f := range files {
				p.Files = append(p.Files, PolicyFile(f))
			}
			return p, notStored(err, "policy", d)
		})
}

// exported returns a decision to those who may take evidence out.
func (s *server) exported(ctx context.Context, id string) (release.GateDecision, error) {
	if err := s.may(ctx, access.BundleExport, trail.Resource{Type: "decision", ID: id}, ""); err != nil {
		return release.GateDecision{}, err
	}
	return s.Releases.Decision(ctx, id)
}

// gateInput returns the document, once it is on the trail that it leaves.
func (s *server) gateInput(ctx context.Context, in *decisionInput) ([]byte, error) {
	d, err := s.exported(ctx, in.Decision)
	if err != nil {
		return nil, err
	}
	body, err := s.Workspace.Evidence.Enclosed(ctx, s.Workspace.DB, d.Input)
	if err != nil || s.Local != nil { // a machine keeps no record of its own reading
		return body, notStored(err, "input document", d)
	}
	c := registry.Command{Principal: caller(ctx), Action: access.BundleExport, Resource: trail.Resource{Type: "decision", ID: d.ID}, Model: d.Model, Purpose: in.Purpose}
	return body, s.Registry.Note(ctx, c, trail.Entry{
		Type: trail.GateExported, Data: map[string]any{"model": d.Model, "version": d.Version, "decision": d.ID, "input_digest": string(d.Input)},
	})
}

// notStored says of what is not in the store of evidence what it was.
func notStored(err error, what string, d release.GateDecision) error {
	if tallystick.CodeOf(err) != tallystick.NotFound {
		return err
	}
	return tallystick.Errorf(tallystick.NotFound, "the %s of decision %s is not stored here", what, d.ID)
}
