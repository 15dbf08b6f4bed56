package verify

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"slices"
	"testing"

	"github.com/transparency-dev/formats/log"
	cosignature "github.com/transparency-dev/formats/note"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/merkle/testonly"
	"golang.org/x/mod/sumdb/note"

	"github.com/tallystick/tallystick"
)

const testOrigin = "example.org/ledger"

// fixture is a small ledger with its keys. The tree and the signatures are those of the
// transparency-dev and x/mod packages.
type fixture struct {
	t         testing.TB
	tree      *testonly.Tree
	leaves    [][]byte
	log       note.Signer
	logVKey   string
	witness   *cosignature.Signer
	statement *ecdsa.PrivateKey
	trust     Trust // log, statement and witness keys
}

func newFixture(t testing.TB) *fixture {
	t.Helper()
	f := &fixture{t: t, tree: testonly.New(rfc6962.DefaultHasher)}
	skey, vkey, err := note.GenerateKey(rand.Reader, testOrigin)
	f.check(err)
	f.logVKey = vkey
	f.log, err = note.NewSigner(skey)
	f.check(err)
	skey, vkey, err = note.GenerateKey(rand.Reader, "witness.example.net")
	f.check(err)
	f.witness, err = cosignature.NewSignerForCosignatureV1(skey)
	f.check(err)
	witnessVKey, err := cosignature.VKeyToCosignatureV1(vkey)
	f.check(err)
	f.statement, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	f.check(err)
	f.trust, err = TrustFromKeys([]byte(f.logVKey+"\n"), publicPEM(t, &f.statement.PublicKey), []byte(witnessVKey))
	f.check(err)
	f.key(RoleStatement).PredicateTypes = []string{PredicateManifest, PredicateTestResult, PredicateGate, PredicateReport}
	return f
}

func (f *fixture) check(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

// key returns the key of that role in the fixture's trust.
func (f *fixture) key(role Role) *Key {
	for i := range f.trust.Keys {
		if f.trust.Keys[i].Role == role {
			return &f.trust.Keys[i]
		}
	}
	f.t.Fatalf("no %s key", role)
	return nil
}

func publicPEM(t testing.TB, pub any) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

// append records an event with the public field digest and returns its index and disclosures.
func (f *fixture) append(digests ...tallystick.Digest) (index uint64, ds []Disclosure) {
	f.t.Helper()
	e := Event{
		ID: fmt.Sprintf("event-%d", len(f.leaves)), Source: "tallystick:test", Type: "test.recorded.v1", Time: eventTime,
		Sequence: uint64(len(f.leaves)) + 1,
		Data:     map[string]any{"action": "audit", "actor": map[string]any{"id": "ada"}, "digests": digests, "purpose": nil},
	}
	leaf, ds := mustEncode(f.t, e, public("/action", "/digests"))
	f.leaves = append(f.leaves, leaf)
	f.tree.AppendData(leaf)
	return uint64(len(f.leaves) - 1), ds
}

func (f *fixture) checkpoint(size uint64, signers ...note.Signer) []byte {
	f.t.Helper()
	text := log.Checkpoint{Origin: testOrigin, Size: size, Hash: f.tree.HashAt(size)}.Marshal()
	signed, err := note.Sign(&note.Note{Text: string(text)}, signers...)
	f.check(err)
	return signed
}

func (f *fixture) proof(index, size uint64, checkpoint []byte) InclusionProof {
	f.t.Helper()
	hashes, err := f.tree.InclusionProof(index, size)
	f.check(err)
	return InclusionProof{Index: index, Hashes: arraysOf(hashes), Checkpoint: checkpoint}
}

func arraysOf(hashes [][]byte) [][sha256.Size]byte {
	var arrays [][sha256.Size]byte
	for _, h := range hashes {
		arrays = append(arrays, [sha256.Size]byte(h))
	}
	return arrays
}

// sign returns the envelope of a statement.
func (f *fixture) sign(predicateType string, predicate any, subjects ...ResourceDescriptor) []byte {
	f.t.Helper()
	return signWith(f.t, f.statement, predicateType, predicate, subjects...)
}

func signWith(t testing.TB, key *ecdsa.PrivateKey, predicateType string, predicate any, subjects ...ResourceDescriptor) []byte {
	t.Helper()
	s, err := NewStatement(predicateType, predicate, subjects...)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := s.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	e, err := SignEnvelope(StatementPayloadType, payload, key, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	data, err := e.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// parts are the files of a bundle before they are listed, signed and packed. Tests spoil them.
type parts struct {
	f        *fixture
	files    map[string][]byte
	events   []EventFiles
	manifest func(*Manifest)     // last change before the manifest is signed
	packed   func([]File) []File // last change before the files are packed
	exporter *ecdsa.PrivateKey
}

// parts makes a bundle of a report of that size, its statement, the event that records it and
// another event, in a ledger of some more.
func (f *fixture) parts(reportSize int) *parts {
	f.t.Helper()
	report := bytes.Repeat([]byte("9"), max(reportSize, 1))
	html := []byte("<!doctype html><title>report</title>")
	statement := f.sign(PredicateReport, map[string]any{"verdict": "pass"},
		Resource(ReportFile, tallystick.DigestOf(report)), Resource("data", tallystick.DigestOf([]byte("data"))))
	f.append()
	first, ds := f.append(tallystick.DigestOf(statement))
	f.append()
	second, _ := f.append(tallystick.DigestOf([]byte("data")))
	f.append()
	size := f.tree.Size()
	trust, err := f.trust.Marshal()
	f.check(err)
	p := &parts{f: f, exporter: f.statement, files: map[string][]byte{
		CheckpointFile:                f.checkpoint(size, f.log),
		TrustFile:                     trust,
		ReportFile:                    report,
		"reports/report.html":         html,
		"policy/gate.rego":            []byte("package gate\n"),
		"statements/report.dsse.json": statement,
	}}
	for _, index := range []uint64{first, second} {
		p.addEvent(index, size)
	}
	disclosed, err := MarshalDisclosures(ds[:1])
	f.check(err)
	p.events[0] = NewEventFiles(first+1, true)
	p.files[p.events[0].Disclosures] = disclosed
	return p
}

func (p *parts) addEvent(index, size uint64) {
	e := NewEventFiles(index+1, false)
	p.events = append(p.events, e)
	p.files[e.Leaf] = p.f.leaves[index]
	p.files[e.Proof] = p.f.proof(index, size, p.files[CheckpointFile]).Marshal()
}

// seal signs a new checkpoint, and makes the proofs anew.
func (p *parts) seal(signers ...note.Signer) {
	size := p.f.tree.Size()
	p.files[CheckpointFile] = p.f.checkpoint(size, signers...)
	for _, e := range p.events {
		p.files[e.Proof] = p.f.proof(e.Sequence-1, size, p.files[CheckpointFile]).Marshal()
	}
}

// bundle lists, signs and packs the parts.
func (p *parts) bundle() []byte {
	p.f.t.Helper()
	m := Manifest{
		Schema: ManifestSchema, Created: eventTime.UTC().Format(eventTimeLayout), Subject: BundleSubject{Name: "model m, version 1"},
		Files: []ManifestEntry{}, Events: p.events, Statements: []string{}, Checkpoint: CheckpointFile,
	}
	var files []File
	for name, data := range p.files {
		files = append(files, File{name, data})
		entry, err := NewManifestEntry(File{name, data})
		p.f.check(err)
		m.Files = append(m.Files, entry)
		if entry.Role == FileStatement {
			m.Statements = append(m.Statements, name)
		}
	}
	slices.SortFunc(m.Files, func(a, b ManifestEntry) int { return bytes.Compare([]byte(a.Name), []byte(b.Name)) })
	slices.Sort(m.Statements)
	if p.manifest != nil {
		p.manifest(&m)
	}
	raw, err := Canonical(m)
	p.f.check(err)
	envelope := signWith(p.f.t, p.exporter, PredicateManifest, map[string]any{}, Resource(ManifestFile, tallystick.DigestOf(raw)))
	files = append(files, File{ManifestFile, raw}, File{ManifestEnvelopeFile, envelope})
	if p.packed != nil {
		files = p.packed(files)
	}
	a, err := NewArchive(files)
	p.f.check(err)
	var b bytes.Buffer
	_, err = a.WriteTo(&b)
	p.f.check(err)
	return b.Bytes()
}

func verifyBundle(t testing.TB, data []byte, trust Trust) Result {
	t.Helper()
	r, err := Bundle(bytes.NewReader(data), int64(len(data)), trust, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// stranger is a trust that knows nobody of the fixture.
func stranger(t testing.TB) Trust {
	t.Helper()
	return newFixture(t).trust
}

func base64Of(data []byte) string { return base64.StdEncoding.EncodeToString(data) }

func ptr[T any](v T) *T { return &v }
