package verify

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/sumdb/note"

	"github.com/tallystick/tallystick"
)

func TestBundle(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	r := verifyBundle(t, f.parts(10).bundle(), f.trust)
	if r.Verdict != Verified {
		t.Fatalf("verdict %q: %+v", r.Verdict, r.Checks)
	}
	var lines []string
	for _, c := range r.Checks {
		lines = append(lines, string(c.Status)+" "+c.Check+" "+c.Subject)
	}
	want := []string{
		"ok archive bundle", "ok files manifest.json", "ok claimed keys trust.json", "ok manifest signature manifest.dsse.json",
		"ok checkpoint checkpoint", "skipped witnesses checkpoint", "ok event events/2.json", "ok event events/4.json",
		"ok statement statements/report.dsse.json", "skipped report reports/report.html", "ok report reports/report.json",
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("checks (-want +got):\n%s", diff)
	}
	if got := strings.Join(r.NotProved, "\n"); !strings.Contains(got, "could have rewritten") {
		t.Errorf("an unwitnessed bundle does not say so:\n%s", got)
	}
	var text strings.Builder
	if n, err := r.WriteTo(&text); err != nil || n != int64(text.Len()) {
		t.Errorf("WriteTo = %d, %v", n, err)
	}
	if !strings.Contains(text.String(), "\nverdict: verified\n") || strings.Count(text.String(), "\n") != len(want)+3+1+len(r.NotProved) {
		t.Errorf("text:\n%s", text.String())
	}
	if _, err := json.Marshal(r); err != nil {
		t.Error(err)
	}
}

func TestBundleWitnessed(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	p := f.parts(10)
	open := func() Result {
		data := p.bundle()
		r, err := Bundle(bytes.NewReader(data), int64(len(data)), f.trust, Options{Witnesses: 1})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	if r := open(); r.Verdict != Refused {
		t.Errorf("unwitnessed: verdict %q", r.Verdict)
	}
	p.seal(f.log, f.witness)
	r := open()
	if r.Verdict != Verified || strings.Contains(strings.Join(r.NotProved, ""), "could have rewritten") {
		t.Errorf("witnessed: verdict %q, not proved %q", r.Verdict, r.NotProved)
	}
}

func TestBundleUnknownSigner(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	data := f.parts(10).bundle()
	r := verifyBundle(t, data, stranger(t))
	if _, failed := r.FirstFailure(); failed || r.Verdict != UnknownSigner {
		t.Fatalf("verdict %q: %+v", r.Verdict, r.Checks)
	}
	if err := r.Extract(t.TempDir()); err == nil {
		t.Error("a stranger's bundle was extracted")
	}
	var text strings.Builder
	if _, err := r.WriteTo(&text); err != nil || !strings.Contains(text.String(), "verdict: unknown signer: manifest signature of manifest.dsse.json") {
		t.Errorf("text:\n%s", text.String())
	}
	// A stranger's bundle that is damaged is refused, and so is one that hides its signer.
	data[bytes.Index(data, []byte("<!doctype"))+1] ^= 1
	if r := verifyBundle(t, data, stranger(t)); r.Verdict != Refused {
		t.Errorf("damaged: verdict %q", r.Verdict)
	}
	p := newFixture(t).parts(10)
	other, err := stranger(t).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	p.files[TrustFile] = other
	if r := verifyBundle(t, p.bundle(), f.trust); r.Verdict != Refused {
		t.Errorf("signer hidden: verdict %q", r.Verdict)
	}
}

// TestBundleRefuses spoils a bundle in one way each, as an exporter who holds the keys could, and
// names the check that must fail.
func TestBundleRefuses(t *testing.T) {
	t.Parallel()
	otherKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		spoil         func(t *testing.T, p *parts)
		check, detail string
	}{
		"file missing": {func(t *testing.T, p *parts) {
			p.packed = func(files []File) []File { return without(files, "policy/gate.rego") }
		}, "file", "not in the bundle"},
		"file extra": {func(t *testing.T, p *parts) {
			p.packed = func(files []File) []File { return append(files, File{"policy/extra.rego", nil}) }
		}, "file", "not in the manifest"},
		"wrong digest": {func(t *testing.T, p *parts) {
			p.manifest = func(m *Manifest) { m.Files[len(m.Files)-1].Digest = tallystick.DigestOf(nil) }
		}, "file", "the manifest says"},
		"wrong role": {func(t *testing.T, p *parts) {
			p.manifest = func(m *Manifest) { m.Files[len(m.Files)-1].Role = FileEvidence }
		}, "manifest", "not listed as a trust"},
		"no manifest": {func(t *testing.T, p *parts) {
			p.packed = func(files []File) []File { return without(files, ManifestFile) }
		}, "manifest", "missing"},
		"no signature": {func(t *testing.T, p *parts) {
			p.packed = func(files []File) []File { return without(files, ManifestEnvelopeFile) }
		}, "manifest signature", "missing"},
		"manifest of another bundle": {func(t *testing.T, p *parts) {
			other := p.f.sign(PredicateManifest, map[string]any{}, Resource(ManifestFile, tallystick.DigestOf(nil)))
			p.packed = func(files []File) []File {
				return append(without(files, ManifestEnvelopeFile), File{ManifestEnvelopeFile, other})
			}
		}, "manifest signature", "subject"},
		"manifest signed as report": {func(t *testing.T, p *parts) {
			p.packed = func(files []File) []File {
				for _, file := range files {
					if file.Name == ManifestFile {
						envelope := p.f.sign(PredicateReport, map[string]any{}, Resource(ManifestFile, tallystick.DigestOf(file.Data)))
						return append(without(files, ManifestEnvelopeFile), File{ManifestEnvelopeFile, envelope})
					}
				}
				return files
			}
		}, "manifest signature", "predicate type"},
		"manifest signed by nobody": {func(t *testing.T, p *parts) { p.exporter = otherKey }, "manifest signature", "neither you nor"},
		"statement of wrong type for its key": {func(t *testing.T, p *parts) {
			addStatement(p, "svr", p.f.sign(PredicateSVR, map[string]any{}, Resource("m", tallystick.DigestOf(nil))))
		}, "statement", "not trusted for"},
		"statement signed by nobody": {func(t *testing.T, p *parts) {
			addStatement(p, "other", signWith(t, otherKey, PredicateReport, map[string]any{}, Resource("m", tallystick.DigestOf(nil))))
		}, "statement", "neither you nor"},
		"statement not recorded": {func(t *testing.T, p *parts) {
			p.files["statements/late.dsse.json"] = p.f.sign(PredicateGate, map[string]any{}, Resource("m", tallystick.DigestOf(nil)))
		}, "statement", "no event of the bundle records"},
		"statement recorded under seal": {func(t *testing.T, p *parts) {
			envelope := p.f.sign(PredicateGate, map[string]any{}, Resource("m", tallystick.DigestOf(nil)))
			leaf, _ := mustEncode(t, Event{ID: "x", Source: "s", Type: "t", Time: eventTime, Sequence: p.f.tree.Size() + 1,
				Data: map[string]any{"digest": tallystick.DigestOf(envelope)}}, nonePublic)
			p.f.leaves = append(p.f.leaves, leaf)
			p.f.tree.AppendData(leaf)
			p.files["statements/late.dsse.json"] = envelope
			p.addEvent(p.f.tree.Size()-1, p.f.tree.Size())
			p.seal(p.f.log)
		}, "statement", "no event of the bundle records"},
		"statement about another file": {func(t *testing.T, p *parts) {
			addStatement(p, "other", p.f.sign(PredicateReport, map[string]any{}, Resource("policy/gate.rego", tallystick.DigestOf(nil))))
		}, "statement", "says that policy/gate.rego"},
		"statement with a large s": {func(t *testing.T, p *parts) {
			addStatement(p, "twin", twin(t, p.f.sign(PredicateReport, map[string]any{}, Resource("m", tallystick.DigestOf(nil)))))
		}, "statement", "malleable"},
		"statement with white space": {func(t *testing.T, p *parts) {
			addStatement(p, "space", append(p.f.sign(PredicateReport, map[string]any{}, Resource("m", tallystick.DigestOf(nil))), '\n'))
		}, "statement", "not canonical"},
		"statement of another payload type": {func(t *testing.T, p *parts) {
			s, err := NewStatement(PredicateReport, map[string]any{}, Resource("m", tallystick.DigestOf(nil)))
			p.f.check(err)
			payload, err := s.Marshal()
			p.f.check(err)
			e, err := SignEnvelope("application/json", payload, p.f.statement, rand.Reader)
			p.f.check(err)
			data, err := e.Marshal()
			p.f.check(err)
			addStatement(p, "typed", data)
		}, "statement", "payload type"},
		"report not bound":         {func(t *testing.T, p *parts) { p.files[ReportFile] = []byte("{}") }, "statement", "says that reports/report.json"},
		"report without statement": {func(t *testing.T, p *parts) { delete(p.files, "statements/report.dsse.json") }, "report", "no statement"},
		"swapped proofs": {func(t *testing.T, p *parts) {
			a, b := p.events[0].Proof, p.events[1].Proof
			p.files[a], p.files[b] = p.files[b], p.files[a]
		}, "inclusion", "is not entry"},
		"proof against another checkpoint": {func(t *testing.T, p *parts) {
			other := p.f.checkpoint(p.f.tree.Size()-1, p.f.log)
			p.files[p.events[0].Proof] = p.f.proof(1, p.f.tree.Size()-1, other).Marshal()
		}, "inclusion", "not about the bundle's checkpoint"},
		"event of another name": {func(t *testing.T, p *parts) { p.files[p.events[0].Leaf] = p.f.leaves[2] }, "event", "has the sequence 3"},
		"events out of order": {func(t *testing.T, p *parts) {
			leaf, _ := mustEncode(t, Event{ID: "x", Source: "s", Type: "t", Time: eventTime, Sequence: 1}, allPublic)
			p.f.leaves = append(p.f.leaves, leaf)
			p.f.tree.AppendData(leaf)
			p.seal(p.f.log)
			e := NewEventFiles(1, false)
			p.files[e.Leaf] = leaf
			p.files[e.Proof] = p.f.proof(p.f.tree.Size()-1, p.f.tree.Size(), p.files[CheckpointFile]).Marshal()
			p.events = append([]EventFiles{e}, p.events...)
		}, "event", "not above that of the event before"},
		"event altered": {func(t *testing.T, p *parts) {
			p.files[p.events[0].Leaf] = bytes.Replace(p.f.leaves[1], []byte(`"audit"`), []byte(`"study"`), 1)
		}, "inclusion", "is not entry"},
		"other value disclosed": {func(t *testing.T, p *parts) {
			name := p.events[0].Disclosures
			p.files[name] = bytes.Replace(p.files[name], []byte(`"ada"`), []byte(`"eve"`), 1)
		}, "disclosures", "not the one that was recorded"},
		"checkpoint of another ledger": {func(t *testing.T, p *parts) { p.seal(newFixture(t).log) }, "checkpoint", "signed by no key"},
		"checkpoint altered": {func(t *testing.T, p *parts) {
			altered := bytes.Replace(p.files[CheckpointFile], []byte("\n5\n"), []byte("\n6\n"), 1)
			p.files[CheckpointFile] = altered
		}, "checkpoint", "invalid signature"},
		"claimed keys malformed": {func(t *testing.T, p *parts) { p.files[TrustFile] = []byte(`{"keys":[]}`) }, "claimed keys", "trust.json"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newFixture(t).parts(10)
			tc.spoil(t, p)
			r := verifyBundle(t, p.bundle(), p.f.trust)
			c, _ := r.FirstFailure()
			if r.Verdict != Refused || c.Check != tc.check || !strings.Contains(c.Detail, tc.detail) {
				t.Errorf("verdict %q, first failure %+v; want %s: ...%s...", r.Verdict, c, tc.check, tc.detail)
			}
			dir := filepath.Join(t.TempDir(), "out")
			if err := r.Extract(dir); err == nil {
				t.Error("a refused bundle was extracted")
			}
			if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
				t.Error("a refused bundle left a directory")
			}
		})
	}
}

// addStatement adds a statement and an event that records it, in a new checkpoint.
func addStatement(p *parts, name string, envelope []byte) {
	p.files["statements/"+name+".dsse.json"] = envelope
	index, _ := p.f.append(tallystick.DigestOf(envelope))
	p.addEvent(index, p.f.tree.Size())
	p.seal(p.f.log)
}

func without(files []File, name string) []File {
	var rest []File
	for _, f := range files {
		if f.Name != name {
			rest = append(rest, f)
		}
	}
	return rest
}

// TestBundleKeys is about keys that are trusted only in part.
func TestBundleKeys(t *testing.T) {
	t.Parallel()
	// In the fixture's bundle the statement is recorded at index 1 and the ledger has 5 entries.
	for name, tc := range map[string]struct {
		change  func(t *testing.T, f *fixture, p *parts)
		verdict Verdict
		detail  string
	}{
		"log key of a later range": {func(t *testing.T, f *fixture, p *parts) { f.key(RoleLog).FromIndex = 5 }, Refused, "not trusted for index 4"},
		"log key of just this range": {func(t *testing.T, f *fixture, p *parts) {
			f.key(RoleLog).FromIndex, f.key(RoleLog).UntilIndex = 4, ptr[uint64](5)
		}, Verified, ""},
		"log key of an earlier range":         {func(t *testing.T, f *fixture, p *parts) { f.key(RoleLog).UntilIndex = ptr[uint64](4) }, Refused, "not trusted for index 4"},
		"log key compromised before":          {func(t *testing.T, f *fixture, p *parts) { compromise(f.key(RoleLog), 2) }, Refused, "not trusted for index 4"},
		"log key compromised after":           {func(t *testing.T, f *fixture, p *parts) { compromise(f.key(RoleLog), 9) }, Refused, "no trusted witness"},
		"log key compromised after, witness":  {func(t *testing.T, f *fixture, p *parts) { compromise(f.key(RoleLog), 9); p.seal(f.log, f.witness) }, Verified, ""},
		"log key compromised before, witness": {func(t *testing.T, f *fixture, p *parts) { compromise(f.key(RoleLog), 2); p.seal(f.log, f.witness) }, Refused, "not trusted for index 4"},
		"exporter compromised":                {func(t *testing.T, f *fixture, p *parts) { compromise(f.key(RoleStatement), 9) }, Refused, "ask for a new export"},
		"exporter retired before":             {func(t *testing.T, f *fixture, p *parts) { retire(f.key(RoleStatement), 4) }, Refused, "not trusted for index 4"},
		"exporter retired after":              {func(t *testing.T, f *fixture, p *parts) { retire(f.key(RoleStatement), 5) }, Verified, ""},
		"exporter not for manifests": {func(t *testing.T, f *fixture, p *parts) {
			f.key(RoleStatement).PredicateTypes = []string{PredicateReport}
		}, Refused, "not trusted for"},
		"exporter for everything": {func(t *testing.T, f *fixture, p *parts) { f.key(RoleStatement).PredicateTypes = []string{AnyPredicate} }, Verified, ""},
		"author compromised before it was recorded": {func(t *testing.T, f *fixture, p *parts) {
			exportWithNewKey(t, f, p)
			compromise(f.key(RoleStatement), 1)
		}, Refused, "compromised and not trusted for index 1"},
		"author compromised after it was recorded": {func(t *testing.T, f *fixture, p *parts) {
			exportWithNewKey(t, f, p)
			compromise(f.key(RoleStatement), 2)
		}, Verified, ""},
		"log rotated": {func(t *testing.T, f *fixture, p *parts) {
			skey, vkey, err := note.GenerateKey(rand.Reader, testOrigin)
			f.check(err)
			next, err := note.NewSigner(skey)
			f.check(err)
			added, err := TrustFromKeys([]byte(vkey))
			f.check(err)
			retire(f.key(RoleLog), 3)
			added.Keys[0].FromIndex = 3
			f.trust.Keys = append(f.trust.Keys, added.Keys...)
			p.seal(f.log, next)
		}, Verified, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			p := f.parts(10)
			tc.change(t, f, p)
			f.check(f.trust.Validate())
			r := verifyBundle(t, p.bundle(), f.trust)
			c, _ := r.FirstFailure()
			if r.Verdict != tc.verdict || !strings.Contains(c.Detail, tc.detail) {
				t.Errorf("verdict %q, first failure %+v; want %q ...%s...", r.Verdict, c, tc.verdict, tc.detail)
			}
		})
	}
}

func compromise(k *Key, from uint64) { k.Status, k.CompromisedFrom = StatusCompromised, &from }

func retire(k *Key, until uint64) { k.Status, k.UntilIndex = StatusRetired, &until }

// exportWithNewKey has the bundle exported by a second statement key.
func exportWithNewKey(t *testing.T, f *fixture, p *parts) {
	t.Helper()
	var err error
	p.exporter, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	f.check(err)
	added, err := TrustFromKeys([]byte(f.logVKey), publicPEM(t, &p.exporter.PublicKey))
	f.check(err)
	f.trust.Keys = append(f.trust.Keys, added.Keys[1])
}

// TestBundleEveryBit flips each bit of a small bundle. Every one must be refused, for a verifier
// who trusts the signers and for one who does not.
func TestBundleEveryBit(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	data := f.parts(1).bundle()
	other := stranger(t)
	bits := len(data) * 8
	step := 1
	if testing.Short() {
		step = 61
	}
	for bit := 0; bit < bits; bit += step {
		data[bit/8] ^= 1 << (bit % 8)
		trust := f.trust
		if bit%16 == 7 {
			trust = other
		}
		if r := verifyBundle(t, data, trust); r.Verdict != Refused {
			t.Fatalf("bit %d of byte %d (%q) flipped: verdict %q", bit%8, bit/8, data[max(0, bit/8-20):min(len(data), bit/8+20)], r.Verdict)
		}
		data[bit/8] ^= 1 << (bit % 8)
	}
	t.Logf("%d of %d bits flipped, all refused", (bits+step-1)/step, bits)
	if r := verifyBundle(t, data, f.trust); r.Verdict != Verified {
		t.Errorf("afterwards: verdict %q", r.Verdict)
	}
}

func TestBundleSize(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	data := f.parts(1).bundle()
	r, err := Bundle(bytes.NewReader(data), int64(len(data)), f.trust, Options{MaxSize: int64(len(data)) - 1})
	if err != nil || r.Verdict != Refused {
		t.Errorf("too large: %q, %v", r.Verdict, err)
	}
	for n := range len(data) {
		if r := verifyBundle(t, data[:n], f.trust); r.Verdict != Refused {
			t.Fatalf("cut off at %d: verdict %q", n, r.Verdict)
		}
	}
	if r := verifyBundle(t, append(bytes.Clone(data), 0), f.trust); r.Verdict != Refused {
		t.Errorf("one byte more: verdict %q", r.Verdict)
	}
	if _, err := Bundle(failingReaderAt{}, 100, f.trust, Options{}); !errors.Is(err, iotest.ErrTimeout) {
		t.Errorf("unreadable: %v", err)
	}
}

type failingReaderAt struct{}

func (failingReaderAt) ReadAt([]byte, int64) (int, error) { return 0, iotest.ErrTimeout }

func TestResultExtract(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	r := verifyBundle(t, f.parts(10).bundle(), f.trust)
	dir := filepath.Join(t.TempDir(), "new")
	if err := r.Extract(dir); err != nil {
		t.Fatal(err)
	}
	for _, file := range r.archive.Files() {
		got, err := os.ReadFile(filepath.Join(dir, file.Name))
		if err != nil || !bytes.Equal(got, file.Data) {
			t.Errorf("%s: %v", file.Name, err)
		}
	}
	if err := r.Extract(dir); tallystick.CodeOf(err) != tallystick.Conflict {
		t.Errorf("into a full directory: %v", err)
	}
	if err := (Result{Verdict: Verified}).Extract(filepath.Join(dir, "x")); err == nil {
		t.Error("a result without a bundle was extracted")
	}
}

func FuzzBundle(f *testing.F) {
	fix := newFixture(f)
	small := fix.parts(1).bundle()
	f.Add(small)
	f.Add(small[:len(small)/2])
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := Bundle(bytes.NewReader(data), int64(len(data)), fix.trust, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if r.Verdict == Verified && !bytes.Equal(data, small) {
			t.Fatal("verified a bundle that nobody signed")
		}
	})
}
