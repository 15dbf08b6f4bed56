package catalog

import (
	"fmt"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/artifact"
	"github.com/tallystick/tallystick/internal/modelsign"
)

// The three below make evidence of what was found of a version's files. stored is the digest of the
// report or bundle as it lies in the store of evidence. Each refuses, by the name of the first file, what
// is not about all files of the manifest as they are.

// EvidenceOfInspection is that of our own look into the files.
func EvidenceOfInspection(m artifact.Manifest, r artifact.Report, stored tallystick.Digest) (EvidenceDetails, error) {
	seen := map[string]bool{}
	for _, f := range r.Files {
		seen[f.Name] = true
	}
	for _, f := range m.Files() {
		if !seen[f.Name] {
			return EvidenceDetails{}, tallystick.Errorf(tallystick.Conflict, "the inspection says nothing about file %q", f.Name).
				WithHint("inspect the files of this version")
		}
	}
	subject, err := m.Digest()
	return EvidenceDetails{Kind: ScanEvidence, Name: "tallystick", Digest: stored, Subject: subject, Verdict: r.Verdict}, err
}

// EvidenceOfScan is that of another scanner.
func EvidenceOfScan(m artifact.Manifest, r artifact.ScanReport, stored tallystick.Digest) (EvidenceDetails, error) {
	if err := r.Covers(m); err != nil {
		return EvidenceDetails{}, err
	}
	subject, err := m.Digest()
	return EvidenceDetails{Kind: ScanEvidence, Name: r.Scanner, Digest: stored, Subject: subject, Verdict: r.Verdict}, err
}

// EvidenceOfSignature is that of an OpenSSF signature that modelsign.Open has verified with the key of that id.
func EvidenceOfSignature(m artifact.Manifest, s modelsign.Statement, signer string, stored tallystick.Digest) (EvidenceDetails, error) {
	if err := s.Check(m); err != nil {
		return EvidenceDetails{}, fmt.Errorf("signature by %s: %w", signer, err)
	}
	return EvidenceDetails{Kind: SignatureEvidence, Digest: stored, PredicateType: modelsign.PredicateType, Signer: signer, Subject: m.Root()}, nil
}
