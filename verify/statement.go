package verify

import (
	"encoding/json"
	"fmt"

	"github.com/tallystick/tallystick"
)

// The types of in-toto that every statement names.
const (
	StatementType        = "https://in-toto.io/Statement/v1"
	StatementPayloadType = "application/vnd.in-toto+json"
)

// The predicate types of statements: two of in-toto and Tallystick's own.
const (
	PredicateTestResult = "https://in-toto.io/attestation/test-result/v0.1"
	PredicateSVR        = "https://in-toto.io/attestation/svr/v0.2"
	PredicateGate       = "https://github.com/tallystick/tallystick/schema/gate/v1"
	PredicateReport     = "https://github.com/tallystick/tallystick/schema/report/v1"
	PredicateManifest   = "https://github.com/tallystick/tallystick/schema/manifest/v1"
	PredicateEvidence   = "https://github.com/tallystick/tallystick/schema/evidence/v1"
)

// maxSubjects bounds the subjects of a statement.
const maxSubjects = 4096

// ResourceDescriptor names a thing by its digests (in-toto attestation v1).
type ResourceDescriptor struct {
	Name      string            `json:"name,omitempty"`
	URI       string            `json:"uri,omitempty"`
	Digest    map[string]string `json:"digest,omitempty"` // algorithm to lower-case hexadecimal digits
	MediaType string            `json:"mediaType,omitempty"`
}

// Resource returns the descriptor of a thing with a SHA-256 digest.
func Resource(name string, d tallystick.Digest) ResourceDescriptor {
	return ResourceDescriptor{Name: name, Digest: map[string]string{"sha256": d.Hex()}}
}

// VersionSubject names the files of a version among the subjects of a gate decision, by the digest of their
// manifest or the root of OpenSSF Model Signing.
const VersionSubject = "version"

// Statement is an in-toto Statement v1: it says of its subjects what the predicate holds. Subjects
// are matched by their digests alone; a name is only for people, except that the name of a file of
// the same bundle must have that file's digest.
type Statement struct {
	Type          string               `json:"_type"`
	Subject       []ResourceDescriptor `json:"subject"`
	PredicateType string               `json:"predicateType"`
	Predicate     json.RawMessage      `json:"predicate"`
}

// NewStatement returns the statement that predicate holds of the subjects.
func NewStatement(predicateType string, predicate any, subjects ...ResourceDescriptor) (Statement, error) {
	body, err := Canonical(predicate)
	if err != nil {
		return Statement{}, fmt.Errorf("predicate %s: %w", predicateType, err)
	}
	s := Statement{Type: StatementType, Subject: subjects, PredicateType: predicateType, Predicate: body}
	return s, s.validate()
}

// ParseStatement reads the payload of an envelope. It accepts what Marshal writes and nothing else.
func ParseStatement(payload []byte) (Statement, error) {
	var s Statement
	if err := decodeCanonical("statement", payload, &s); err != nil {
		return Statement{}, err
	}
	if err := s.validate(); err != nil {
		return Statement{}, err
	}
	return s, nil
}

// Marshal returns the RFC 8785 form, which is what is signed.
func (s Statement) Marshal() ([]byte, error) {
	if err := s.validate(); err != nil {
		return nil, err
	}
	return Canonical(s)
}

func (s Statement) validate() error {
	switch {
	case s.Type != StatementType:
		return tallystick.Errorf(tallystick.Invalid, "statement has the type %.80q, want %s", s.Type, StatementType)
	case s.PredicateType == "":
		return tallystick.Errorf(tallystick.Invalid, "statement has no predicate type")
	case len(s.Predicate) == 0 || s.Predicate[0] != '{':
		return tallystick.Errorf(tallystick.Invalid, "predicate %s is not a json object", s.PredicateType)
	case len(s.Subject) == 0 || len(s.Subject) > maxSubjects:
		return tallystick.Errorf(tallystick.Invalid, "statement has %d subjects, want 1 to %d", len(s.Subject), maxSubjects)
	}
	for i, subject := range s.Subject {
		if len(subject.Digest) == 0 {
			return tallystick.Errorf(tallystick.Invalid, "statement: subject %d has no digest", i)
		}
		if hex, ok := subject.Digest["sha256"]; ok && tallystick.Digest("sha256:"+hex).Validate() != nil {
			return tallystick.Errorf(tallystick.Invalid, "statement: subject %d: sha256 is not 64 lower-case hexadecimal digits", i)
		}
	}
	return nil
}
