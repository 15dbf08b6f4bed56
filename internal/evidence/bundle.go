package evidence

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/verify"
)

// Contents is what goes into a bundle.
type Contents struct {
	Created    time.Time
	Subject    verify.BundleSubject
	Events     []BundleEvent     // every event that records one of the statements, and any others
	Statements map[string][]byte // envelopes by a short name, such as "report"
	Files      []verify.File     // below policy/, reports/ and evidence/
	Checkpoint []byte            // signed; every proof must be about it
	Trust      verify.Trust      // whom the exporter believes, itself first
	Signer     *Signer           // of the manifest
	Note       string            // from the exporter to whoever reads the manifest; may be empty
}

// BundleEvent is an event with its proof and the disclosures that the exporter chose to give.
type BundleEvent struct {
	Leaf        []byte
	Proof       verify.InclusionProof
	Disclosures []verify.Disclosure
}

// WriteBundle writes the evidence bundle of c and returns its digest. The same contents give the
// same bytes. Before it writes anything it verifies the bundle as its receiver will, believing
// c.Trust, so that no bundle leaves that would be refused.
func WriteBundle(w io.Writer, c Contents) (tallystick.Digest, error) {
	files, err := c.files()
	if err != nil {
		return "", fmt.Errorf("write bundle: %w", err)
	}
	archive, err := verify.NewArchive(files)
	if err != nil {
		return "", fmt.Errorf("write bundle: %w", err)
	}
	var b bytes.Buffer
	if _, err := archive.WriteTo(&b); err != nil {
		return "", fmt.Errorf("write bundle: %w", err)
	}
	result, err := verify.Bundle(bytes.NewReader(b.Bytes()), int64(b.Len()), c.Trust, verify.Options{})
	if err != nil {
		return "", fmt.Errorf("write bundle: %w", err)
	}
	if failure, failed := result.FirstFailure(); failed || result.Verdict != verify.Verified {
		return "", fmt.Errorf("write bundle: its receiver would see the verdict %q: %s of %s: %s", result.Verdict, failure.Check, failure.Subject, failure.Detail)
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return "", fmt.Errorf("write bundle: %w", err)
	}
	return tallystick.DigestOf(b.Bytes()), nil
}

// files returns all files of the bundle, the signed manifest included.
func (c Contents) files() ([]verify.File, error) {
	trust, err := c.Trust.Marshal()
	if err != nil {
		return nil, err
	}
	files := append([]verify.File{{Name: verify.CheckpointFile, Data: c.Checkpoint}, {Name: verify.TrustFile, Data: trust}}, c.Files...)
	m := verify.Manifest{
		Schema: verify.ManifestSchema, Created: Timestamp(c.Created), Subject: c.Subject,
		Files: []verify.ManifestEntry{}, Events: []verify.EventFiles{}, Statements: []string{},
		Checkpoint: verify.CheckpointFile, Note: c.Note,
	}
	for _, e := range c.Events {
		named, eventFiles, err := e.files()
		if err != nil {
			return nil, err
		}
		m.Events = append(m.Events, named)
		files = append(files, eventFiles...)
	}
	for name, envelope := range c.Statements {
		path := "statements/" + name + ".dsse.json"
		m.Statements = append(m.Statements, path)
		files = append(files, verify.File{Name: path, Data: envelope})
	}
	for _, f := range files {
		entry, err := verify.NewManifestEntry(f)
		if err != nil {
			return nil, err
		}
		m.Files = append(m.Files, entry)
	}
	slices.SortFunc(m.Files, func(a, b verify.ManifestEntry) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(m.Events, func(a, b verify.EventFiles) int { return cmp.Compare(a.Sequence, b.Sequence) })
	slices.Sort(m.Statements)
	manifest, err := m.Marshal()
	if err != nil {
		return nil, err
	}
	statement, err := verify.NewStatement(verify.PredicateManifest, map[string]any{"created": m.Created},
		verify.Resource(verify.ManifestFile, tallystick.DigestOf(manifest)))
	if err != nil {
		return nil, err
	}
	envelope, _, err := c.Signer.Sign(statement)
	if err != nil {
		return nil, err
	}
	return append(files,
		verify.File{Name: verify.ManifestFile, Data: manifest},
		verify.File{Name: verify.ManifestEnvelopeFile, Data: envelope}), nil
}

// files returns the files of one event. The proof leaves its own copy of the leaf behind.
func (e BundleEvent) files() (verify.EventFiles, []verify.File, error) {
	event, err := verify.DecodeEvent(e.Leaf)
	if err != nil {
		return verify.EventFiles{}, nil, err
	}
	named := verify.NewEventFiles(event.Sequence, len(e.Disclosures) > 0)
	e.Proof.Extra = nil
	files := []verify.File{{Name: named.Leaf, Data: e.Leaf}, {Name: named.Proof, Data: e.Proof.Marshal()}}
	if named.Disclosures != "" {
		disclosures, err := verify.MarshalDisclosures(e.Disclosures)
		if err != nil {
			return named, nil, err
		}
		files = append(files, verify.File{Name: named.Disclosures, Data: disclosures})
	}
	return named, files, nil
}
