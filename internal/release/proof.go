package release

import (
	"context"
	"crypto/ecdsa"
	"encoding/json"
	"slices"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/modelsign"
	"github.com/tallystick/tallystick/verify"
)

// signed is what a piece of evidence says of its signature before anything has been verified.
type signed struct {
	key       string // as the envelope or bundle names it; empty: it is no signed statement
	predicate string
	bundle    bool // a Sigstore bundle, not a bare DSSE envelope
}

// peek looks for a signed statement.
func peek(body []byte) (s signed) {
	type envelope struct {
		Payload     []byte `json:"payload"`
		PayloadType string `json:"payloadType"`
		Signatures  []struct {
			KeyID string `json:"keyid"`
		} `json:"signatures"`
	}
	var form struct {
		envelope
		Bundle   *envelope `json:"dsseEnvelope"`
		Material struct {
			PublicKey struct {
				Hint string `json:"hint"`
			} `json:"publicKey"`
		} `json:"verificationMaterial"`
	}
	if json.Unmarshal(body, &form) != nil {
		return s
	}
	in := form.envelope
	if form.Bundle != nil {
		in, s.bundle = *form.Bundle, true
	}
	var statement struct {
		PredicateType string `json:"predicateType"`
	}
	if in.PayloadType != verify.StatementPayloadType || json.Unmarshal(in.Payload, &statement) != nil || len(in.Signatures) != 1 {
		return signed{}
	}
	s.predicate, s.key = statement.PredicateType, in.Signatures[0].KeyID
	if s.bundle && form.Material.PublicKey.Hint != "" {
		s.key = form.Material.PublicKey.Hint
	}
	return s
}

// proof is what evidence of a version shows. It follows from the bytes, the key and the version, none of which can
// change; whether the key counts is asked each time.
type proof struct {
	signed
	id      string                  // of the key; empty if we do not have it
	wrong   error                   // why it shows nothing although we have the key
	details catalog.EvidenceDetails // what the signer says
	vouched tallystick.Digest       // the piece that the signer answers for; empty if the statement is the piece
}

// question is by what a proof is kept.
type question struct {
	evidence, version    tallystick.Digest
	model, name, kind, k string
	document             string
}

func (o *Office) questionOf(e catalog.Evidence, v catalog.Version, key string) question {
	q := question{evidence: e.Digest, model: e.Model, kind: string(e.Kind), document: e.Name, k: key}
	if e.Version != "" {
		q.name, q.version = e.Version, v.Digest
	}
	return q
}

// examine verifies a piece of evidence, by reading what the store has of it.
func (o *Office) examine(ctx context.Context, e catalog.Evidence, v catalog.Version, keys keyring) (p proof, err error) {
	if e.Digest == "" {
		return p, nil
	}
	seen, there := o.seen.get(e.Digest)
	var body []byte
	if !there {
		if body, err = o.stored(ctx, e.Digest); body == nil || err != nil {
			return p, err
		}
		seen = peek(body)
		o.seen.put(e.Digest, seen)
	}
	p.signed = seen
	if seen.key == "" {
		return p, nil
	}
	id, key := keys.find(seen.key)
	if key == nil {
		return p, nil
	}
	q := o.questionOf(e, v, id)
	if kept, there := o.proofs.get(q); there {
		return kept, nil
	}
	if body == nil {
		if body, err = o.stored(ctx, e.Digest); body == nil || err != nil {
			return p, err
		}
	}
	p.id, p.details = id, e.EvidenceDetails
	p.details.Signer, p.details.PredicateType, p.details.Verdict, p.details.Subject = id, seen.predicate, "", ""
	if err := o.read(ctx, &p, body, key, e, v); err != nil {
		p.wrong = err
		switch tallystick.CodeOf(err) {
		case tallystick.Invalid, tallystick.Conflict:
		case tallystick.NotFound: // what it names may still come
			return p, nil
		default:
			return p, err
		}
	}
	o.proofs.put(q, p)
	return p, nil
}

// kept returns the proof if it takes no reading to have it.
func (o *Office) kept(e catalog.Evidence, v catalog.Version, keys keyring) (p proof, there bool) {
	if e.Digest == "" {
		return p, true
	}
	if p.signed, there = o.seen.get(e.Digest); !there || p.key == "" {
		return p, there
	}
	id, key := keys.find(p.key)
	if key == nil {
		return p, true
	}
	return o.proofs.get(o.questionOf(e, v, id))
}

// judge returns the evidence as its signer has it, and how it stands now.
func (p proof) judge(e catalog.Evidence, keys keyring) (catalog.Evidence, catalog.ItemState) {
	e.Signer = p.key
	if p.id == "" {
		return e, catalog.Claimed
	}
	e.Signer = p.id
	switch keys.standing(p.id, p.predicate) {
	case stranger:
		return e, catalog.Claimed
	case revoked:
		return e, catalog.Revoked
	case known:
		if p.wrong != nil {
			return e, catalog.OtherDigest
		}
	}
	e.EvidenceDetails = p.details
	return e, catalog.Present
}

// read verifies the signature and fills in what the statement says of the version.
func (o *Office) read(ctx context.Context, p *proof, body []byte, key *ecdsa.PublicKey, e catalog.Evidence, v catalog.Version) error {
	if p.predicate == modelsign.PredicateType {
		return o.readSignature(ctx, p, body, key, e, v)
	}
	s, err := statement(body, key, p.bundle)
	if err != nil {
		return err
	}
	about := subjectsOf(s)
	switch p.predicate {
	case verify.PredicateGate:
		return o.readGate(ctx, p, s, e, v)
	case verify.PredicateEvidence:
		return readVouched(p, s, about, e, v)
	case verify.PredicateTestResult:
		if !slices.Contains([]catalog.EvidenceKind{catalog.DataCheckEvidence, catalog.ScanEvidence, catalog.SupplierEvidence}, e.Kind) {
			return unfit(p.predicate, e)
		}
		if p.details.Verdict, err = testVerdict(s.Predicate); err != nil {
			return err
		}
	case modelsign.PredicateType, verify.PredicateReport, verify.PredicateSVR, verify.PredicateManifest:
		return unfit(p.predicate, e)
	default:
		if e.Kind != catalog.SupplierEvidence {
			return unfit(p.predicate, e)
		}
	}
	p.details.Subject = ofVersion(about, v)
	if p.details.Subject == "" {
		return otherFiles(about, e, v)
	}
	return nil
}
