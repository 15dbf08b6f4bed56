package release

import (
	"context"
	"crypto/ecdsa"
	"encoding/json"
	"slices"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/artifact"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/evidence"
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
		return o.readGate(ctx, p, s, e)
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

// statement returns the statement that key signed, from whichever writer: it needs not be in our canonical form.
func statement(body []byte, key *ecdsa.PublicKey, bundle bool) (s verify.Statement, err error) {
	var payload []byte
	if bundle {
		payload, err = modelsign.Payload(body, key)
	} else {
		var envelope verify.Envelope
		if envelope, err = verify.ParseEnvelope(body); err == nil {
			payload, err = envelope.Payload, envelope.Verify(key)
		}
	}
	if err != nil {
		return s, err
	}
	if err := artifact.CheckJSON("statement", payload); err != nil {
		return s, err
	}
	if err := json.Unmarshal(payload, &s); err != nil || s.Type != verify.StatementType {
		return s, tallystick.Errorf(tallystick.Invalid, "the signed payload is no in-toto statement v1")
	}
	return s, nil
}

func subjectsOf(s verify.Statement) (about []tallystick.Digest) {
	for _, subject := range s.Subject {
		if d := tallystick.Digest("sha256:" + subject.Digest["sha256"]); d.Validate() == nil {
			about = append(about, d)
		}
	}
	return about
}

// ofVersion returns the digest among about that is the version's, empty if none is.
func ofVersion(about []tallystick.Digest, v catalog.Version) tallystick.Digest {
	for _, d := range []tallystick.Digest{v.Digest, v.Root} {
		if d != "" && slices.Contains(about, d) {
			return d
		}
	}
	return ""
}

func otherFiles(about []tallystick.Digest, e catalog.Evidence, v catalog.Version) error {
	if e.Version == "" || v.Digest == "" {
		return tallystick.Errorf(tallystick.Conflict, "the statement names files, and %s has none on record that it could be compared with", nameOf(e)).
			WithHint("register the files, or vouch for the evidence by name: `tallystick evidence attach %s FILE --kind %s --sign`", nameOf(e), e.Kind)
	}
	names := "no digest"
	if len(about) > 0 {
		names = about[0].Short()
	}
	return tallystick.Errorf(tallystick.Conflict, "the statement is about %s and not about the files of %s, which are %s", names, nameOf(e), v.Digest.Short()).
		WithHint("have it made for this version: its subject is %s or the OpenSSF root %s", v.Digest, v.Root)
}

func nameOf(e catalog.Evidence) string {
	if e.Version == "" {
		return e.Model
	}
	return e.Model + "@" + e.Version
}

func unfit(predicate string, e catalog.Evidence) error {
	return tallystick.Errorf(tallystick.Invalid, "a statement of type %.200s shows nothing as evidence of kind %s", predicate, e.Kind).
		WithHint("attach it as what it is, or vouch for a file with `tallystick evidence attach %s FILE --kind %s --sign`", nameOf(e), e.Kind)
}

// readSignature reads an OpenSSF signature over the files of a version.
func (o *Office) readSignature(ctx context.Context, p *proof, body []byte, key *ecdsa.PublicKey, e catalog.Evidence, v catalog.Version) error {
	if e.Kind != catalog.SignatureEvidence {
		return unfit(p.predicate, e)
	}
	s, err := modelsign.Open(body, key)
	if err != nil {
		return err
	}
	if e.Version == "" || v.Digest == "" {
		return otherFiles(nil, e, v)
	}
	files, err := o.config.Catalog.Manifest(ctx, v.Digest)
	if err != nil {
		return err
	}
	p.details.Subject = files.Root()
	return s.Check(files)
}

// readGate reads the signed decision of an audit: of this model and version, as its signer calls them.
func (o *Office) readGate(ctx context.Context, p *proof, s verify.Statement, e catalog.Evidence) error {
	var gate evidence.Gate
	if err := json.Unmarshal(s.Predicate, &gate); err != nil {
		return tallystick.Errorf(tallystick.Invalid, "the decision of the audit: %w", err)
	}
	document, err := o.stored(ctx, gate.Input)
	if err != nil {
		return err
	}
	var in struct {
		Model  struct{ Name, Version string }
		Report struct {
			Contract *struct{ Verdict tallystick.Verdict }
		}
		Criteria struct {
			Committed bool
			Before    bool `json:"before_first_audit"`
		}
	}
	if document == nil || json.Unmarshal(document, &in) != nil {
		return tallystick.Errorf(tallystick.NotFound, "the input document %s, which the decision of the audit names, is not here", gate.Input.Short()).
			WithHint("deliver the audit whole: `tallystick audit FILE --model %s --server URL`", nameOf(e))
	}
	if in.Model.Name != e.Model || in.Model.Version != e.Version {
		return tallystick.Errorf(tallystick.Conflict, "the audit is of %s@%s and not of %s", in.Model.Name, in.Model.Version, nameOf(e)).
			WithHint("audit this version: `tallystick audit FILE --model %s`", nameOf(e))
	}
	if at, err := time.Parse(time.RFC3339, gate.Decided); err == nil {
		p.details.ProducedMS = at.UnixMilli()
	}
	switch {
	case e.Kind == catalog.EvaluationEvidence:
		p.details.Verdict = gate.Verdict
	case e.Kind == catalog.DataCheckEvidence && in.Report.Contract != nil:
		p.details.Verdict = in.Report.Contract.Verdict
	case e.Kind == catalog.CriteriaEvidence && in.Criteria.Committed && in.Criteria.Before:
	default:
		return unfit(p.predicate, e)
	}
	return nil
}

// readVouched reads what somebody answers for.
func readVouched(p *proof, s verify.Statement, about []tallystick.Digest, e catalog.Evidence, v catalog.Version) error {
	var says evidence.Vouched
	if err := json.Unmarshal(s.Predicate, &says); err != nil {
		return tallystick.Errorf(tallystick.Invalid, "the statement about evidence: %w", err)
	}
	if says.Model != e.Model || says.Version != e.Version || says.Kind != string(e.Kind) || says.Name != e.Name {
		return tallystick.Errorf(tallystick.Conflict, "the statement vouches for %s %s of %s, not for %s %s of %s", says.Kind, says.Name,
			nameOf(catalog.Evidence{Model: says.Model, Version: says.Version}), e.Kind, e.Name, nameOf(e)).
			WithHint("attach it to that, or vouch anew: `tallystick evidence attach %s FILE --kind %s --sign`", nameOf(e), e.Kind)
	}
	produced, err := time.Parse(time.RFC3339, says.Produced)
	if err != nil || !slices.Contains(about, says.Evidence) || says.Verdict != "" && says.Verdict.Validate() != nil {
		return tallystick.Errorf(tallystick.Invalid, "the statement about evidence has no time, no known verdict, or not the evidence among its subjects")
	}
	p.details.ProducedMS, p.details.Verdict, p.vouched = produced.UnixMilli(), says.Verdict, says.Evidence
	if says.Until != "" {
		until, err := time.Parse(time.RFC3339, says.Until)
		if err != nil {
			return tallystick.Errorf(tallystick.Invalid, "the statement about evidence ends at %.40q, which is no time", says.Until)
		}
		p.details.UntilMS = until.UnixMilli()
	}
	if e.Version == "" || v.Digest == "" {
		return nil // of a model, or of a version whose files nobody has: the signer names it
	}
	if p.details.Subject = ofVersion(about, v); p.details.Subject == "" {
		return otherFiles(about, e, v)
	}
	return nil
}

func testVerdict(predicate json.RawMessage) (tallystick.Verdict, error) {
	var result evidence.TestResult
	if err := json.Unmarshal(predicate, &result); err != nil {
		return "", tallystick.Errorf(tallystick.Invalid, "the test result: %w", err)
	}
	verdicts := map[string]tallystick.Verdict{
		evidence.ResultPassed: tallystick.Pass, evidence.ResultWarned: tallystick.Warn, evidence.ResultFailed: tallystick.Fail,
	}
	if verdicts[result.Result] == "" {
		return "", tallystick.Errorf(tallystick.Invalid, "the test result %.40q is not PASSED, WARNED or FAILED", result.Result)
	}
	return verdicts[result.Result], nil
}
