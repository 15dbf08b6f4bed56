package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/audit"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/workspace"
	"github.com/tallystick/tallystick/verify"
)

// landing is where on a server the evidence of an audit lands.
type landing struct {
	*session
	server  string
	version catalog.Version // its digest is empty if its files are not known
	draft   bool            // the server does not know the version yet
}

// land looks for the version on the server, before hours of work, and takes the tier from there: the
// server is not asked for less evidence than the model owes. It is nil if there is no server.
func (a *app) land(ctx context.Context, f *auditFlags) (*landing, error) {
	server := a.serverURL()
	if server == "" {
		return nil, nil
	}
	if f.Model == "" || f.Version == "" {
		return nil, tallystick.Errorf(tallystick.Invalid, "--model does not say on which version of the server the evidence is to land").WithHint("write --model NAME@VERSION")
	}
	s, err := a.dial(ctx, true)
	if err != nil {
		return nil, err
	}
	l := &landing{session: s, server: server}
	var m catalog.Model
	if err := s.Get(ctx, modelPath(f.Model), &m); err != nil {
		return nil, err
	}
	if f.Tier != "" && f.Tier.Below(m.Tier) {
		return nil, catalog.LowerTier(m, f.Tier)
	}
	if f.Tier == "" {
		f.Tier = m.Tier
	}
	err = s.Get(ctx, versionPath(f.Model, f.Version), &l.version)
	if tallystick.CodeOf(err) == tallystick.NotFound {
		l.version.Model, l.version.Version, l.draft, err = f.Model, f.Version, true, nil
	}
	f.VersionFiles = []tallystick.Digest{l.version.Digest, l.version.Root}
	return l, err
}

// deliver puts the report and the statements into the server's store, and the verdict on record with
// the version. It returns the sequence of the event.
func (l *landing) deliver(ctx context.Context, w *workspace.Workspace, result audit.Result) (event string, err error) {
	if l.draft {
		if _, err := l.Post(ctx, modelPath(l.version.Model)+"/versions", versionBody{Version: l.version.Version, Draft: true}, nil); err != nil {
			return "", err
		}
	}
	recorded, err := w.Trail.Event(ctx, strconv.FormatUint(result.Event.Sequence, 10))
	if err != nil {
		return "", err
	}
	data, err := recorded.Data()
	if err != nil {
		return "", err
	}
	d := catalog.EvidenceDetails{Kind: catalog.EvaluationEvidence, Name: "audit", ProducedMS: recorded.Time.UnixMilli()}
	digests, _ := data["statements"].([]any)
	// The gate of the server judges what the signed decision names as its input.
	for _, digest := range append(digests, data["report_digest"], string(result.Document.Gate.Input)) {
		text, _ := digest.(string)
		body, err := w.Evidence.Get(ctx, tallystick.Digest(text))
		if err != nil {
			return "", fmt.Errorf("evidence of the audit: %w", err)
		}
		if err := putEvidence(ctx, l.session, body); err != nil {
			return "", err
		}
		if predicateOf(body) == verify.PredicateGate {
			d.Digest = tallystick.Digest(text)
		}
	}
	_, receipt, err := attach(ctx, l.session, l.version.Name(), d, nil)
	if err != nil {
		return receipt.Sequence, err
	}
	// The same signed decision shows what else the audit is evidence of: the server reads that from it.
	for kind, is := range map[catalog.EvidenceKind]bool{
		catalog.DataCheckEvidence: result.Document.Contract != nil, catalog.CriteriaEvidence: result.Document.Criteria.Committed && result.Document.Criteria.Before,
	} {
		if d.Kind = kind; is {
			if _, _, err := attach(ctx, l.session, l.version.Name(), d, nil); err != nil {
				return receipt.Sequence, err
			}
		}
	}
	return receipt.Sequence, nil
}

// predicateOf returns the type of predicate of a signed statement, empty if body is none.
func predicateOf(body []byte) string {
	envelope, err := verify.ParseEnvelope(body)
	var statement struct {
		PredicateType string `json:"predicateType"`
	}
	if err = errors.Join(err, json.Unmarshal(envelope.Payload, &statement)); err != nil {
		return ""
	}
	return statement.PredicateType
}
