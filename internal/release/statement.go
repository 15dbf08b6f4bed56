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

// versionSubjects returns the subjects of a statement that are the files of a version.
func versionSubjects(s verify.Statement) []tallystick.Digest {
	s.Subject = slices.DeleteFunc(slices.Clone(s.Subject), func(r verify.ResourceDescriptor) bool { return r.Name != verify.VersionSubject })
	return subjectsOf(s)
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

// readGate reads the signed decision of an audit: of this model and version, as its signer calls them, and of
// their files if the signer knew them.
func (o *Office) readGate(ctx context.Context, p *proof, s verify.Statement, e catalog.Evidence, v catalog.Version) error {
	if about := versionSubjects(s); len(about) > 0 && v.Digest != "" {
		if p.details.Subject = ofVersion(about, v); p.details.Subject == "" {
			return otherFiles(about, e, v)
		}
	}
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
