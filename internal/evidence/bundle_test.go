package evidence

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/transparency-dev/formats/log"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/merkle/testonly"
	"golang.org/x/mod/sumdb/note"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/blob"
	"github.com/tallystick/tallystick/verify"
)

var testTime = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// exampleContents is a whole audit in miniature, in a ledger kept by another implementation.
func exampleContents(t *testing.T, k *Keys) Contents {
	t.Helper()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	data := tallystick.DigestOf([]byte("predictions"))
	report := verify.File{Name: verify.ReportFile, Data: []byte(`{"verdict":"pass"}`)}
	html := verify.File{Name: "reports/report.html", Data: []byte("<!doctype html>")}
	gate := Gate{Verdict: tallystick.Pass, Tier: tallystick.TierHigh, Decided: Timestamp(testTime), Engine: "opa 1.22.0", Pack: "high",
		Policy: tallystick.DigestOf([]byte("pack")), Input: tallystick.DigestOf([]byte("input")),
		Rules: []GateRule{{ID: "fairness.error-rates", Severity: "high", Blocking: true, Status: "pass", Message: "m", Controls: []string{}}}}
	statements := map[string]verify.Statement{}
	var err error
	statements["report"], err = Report{Model: "m", Version: "1", Verdict: tallystick.Pass, Data: data, Created: Timestamp(testTime), Program: "tallystick"}.Statement(report, html)
	check(err)
	statements["gate"], err = gate.Statement(verify.Resource("predictions.csv", data), verify.Resource(report.Name, tallystick.DigestOf(report.Data)))
	check(err)
	statements["result"], err = gate.VerificationResult().Statement(verify.Resource("predictions.csv", data))
	check(err)
	statements["quality"], err = NewTestResult([]verify.ResourceDescriptor{verify.Resource("contract.yaml", data)}, []Test{{"rows", tallystick.Pass}}).Statement(verify.Resource("predictions.csv", data))
	check(err)

	c := Contents{Created: testTime, Subject: verify.BundleSubject{Name: "m 1", Digests: map[string]tallystick.Digest{"data": data}},
		Statements: map[string][]byte{}, Trust: k.Trust(), Signer: k.Signer(), Note: "for the supervisor",
		Files: []verify.File{html, report, {Name: "policy/high.rego", Data: []byte("package high\n")}}}
	var digests []string
	for name, s := range statements {
		envelope, d, err := k.Signer().Sign(s)
		check(err)
		c.Statements[name] = envelope
		digests = append(digests, string(d))
	}
	slices.Sort(digests)
	isPublic := func(p string) bool { return p == "/statements" }
	tree := testonly.New(rfc6962.DefaultHasher)
	var leaves [][]byte
	var disclosures [][]verify.Disclosure
	for i := range 9 {
		e := verify.Event{ID: "e", Source: "tallystick:test", Type: "audit.completed.v1", Time: testTime, Sequence: uint64(i),
			Data: map[string]any{"actor": map[string]any{"id": "ada"}, "purpose": nil}}
		if i == 4 {
			e.Data["statements"] = digests
		}
		leaf, ds, err := verify.EncodeEvent(e, isPublic, rand.Reader)
		check(err)
		tree.AppendData(leaf)
		leaves, disclosures = append(leaves, leaf), append(disclosures, ds)
	}
	text := log.Checkpoint{Origin: testOrigin, Size: tree.Size(), Hash: tree.Hash()}.Marshal()
	c.Checkpoint, err = note.Sign(&note.Note{Text: string(text)}, k.LogSigner())
	check(err)
	for _, i := range []uint64{7, 4} { // in no order
		hashes, err := tree.InclusionProof(i, tree.Size())
		check(err)
		p := verify.InclusionProof{Index: i, Checkpoint: c.Checkpoint, Extra: leaves[i]}
		for _, h := range hashes {
			p.Hashes = append(p.Hashes, [sha256.Size]byte(h))
		}
		e := BundleEvent{Leaf: leaves[i], Proof: p}
		if i == 4 {
			e.Disclosures = disclosures[i]
		}
		c.Events = append(c.Events, e)
	}
	return c
}

func TestWriteBundle(t *testing.T) {
	t.Parallel()
	k, _ := createKeys(t)
	c := exampleContents(t, k)
	var first, second bytes.Buffer
	d, err := WriteBundle(&first, c)
	if err != nil {
		t.Fatal(err)
	}
	if want := tallystick.DigestOf(first.Bytes()); d != want {
		t.Errorf("digest %s, want %s", d, want)
	}
	slices.Reverse(c.Files)
	slices.Reverse(c.Events)
	if _, err := WriteBundle(&second, c); err != nil || !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Errorf("the same contents gave other bytes (%v)", err)
	}
	r, err := verify.Bundle(bytes.NewReader(first.Bytes()), int64(first.Len()), k.Trust(), verify.Options{})
	if err != nil || r.Verdict != verify.Verified || r.Subject != "m 1" {
		t.Errorf("Bundle = %+v, %v", r, err)
	}
	other, _ := createKeys(t)
	r, err = verify.Bundle(bytes.NewReader(first.Bytes()), int64(first.Len()), other.Trust(), verify.Options{})
	if err != nil || r.Verdict != verify.UnknownSigner {
		t.Errorf("for a stranger: %q, %v", r.Verdict, err)
	}
}

// TestWriteBundleRefuses: what its receiver would refuse is not written.
func TestWriteBundleRefuses(t *testing.T) {
	t.Parallel()
	k, _ := createKeys(t)
	other, _ := createKeys(t)
	for name, spoil := range map[string]func(*Contents){
		"other report":   func(c *Contents) { c.Files[1].Data = []byte("{}") },
		"event left out": func(c *Contents) { c.Events = c.Events[:1] },
		"event twice":    func(c *Contents) { c.Events = append(c.Events, c.Events[0]) },
		"event altered": func(c *Contents) {
			c.Events[0].Leaf = bytes.Replace(c.Events[0].Leaf, []byte("2026"), []byte("2027"), 1)
		},
		"event malformed":     func(c *Contents) { c.Events[0].Leaf = []byte("{}") },
		"other proof":         func(c *Contents) { c.Events[0].Proof = c.Events[1].Proof },
		"statement not known": func(c *Contents) { c.Statements["late"] = c.Statements["gate"][1:] },
		"name of a statement": func(c *Contents) { c.Statements["../x"] = c.Statements["gate"] },
		"stray file":          func(c *Contents) { c.Files = append(c.Files, verify.File{Name: "notes.txt"}) },
		"file twice":          func(c *Contents) { c.Files = append(c.Files, c.Files[0]) },
		"other trust":         func(c *Contents) { c.Trust = other.Trust() },
		"other signer":        func(c *Contents) { c.Signer = other.Signer() },
		"no checkpoint":       func(c *Contents) { c.Checkpoint = nil },
		"no subject":          func(c *Contents) { c.Subject.Name = "" },
		"no trust":            func(c *Contents) { c.Trust = verify.Trust{} },
	} {
		c := exampleContents(t, k)
		spoil(&c)
		var b bytes.Buffer
		if _, err := WriteBundle(&b, c); err == nil || b.Len() > 0 {
			t.Errorf("%s: WriteBundle = %v, %d bytes written", name, err, b.Len())
		}
	}
	if _, err := WriteBundle(failingWriter{}, exampleContents(t, k)); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("to a full disk: %v", err)
	}
}

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func TestSignIsDeterministic(t *testing.T) {
	t.Parallel()
	k, _ := createKeys(t)
	s, err := NewTestResult(nil, nil).Statement(verify.Resource("m", tallystick.DigestOf(nil)))
	if err != nil {
		t.Fatal(err)
	}
	first, d, err := k.Signer().Sign(s)
	if err != nil || d != tallystick.DigestOf(first) {
		t.Fatal(d, err)
	}
	for range 8 {
		if again, _, err := k.Signer().Sign(s); err != nil || !bytes.Equal(first, again) {
			t.Fatalf("another envelope (%v)", err)
		}
	}
}

func TestNewTestResult(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		verdicts []tallystick.Verdict
		want     string
	}{
		{nil, ResultFailed}, // nothing was tested, so nothing passed
		{[]tallystick.Verdict{tallystick.Pass}, ResultPassed},
		{[]tallystick.Verdict{tallystick.Pass, tallystick.Warn}, ResultWarned},
		{[]tallystick.Verdict{tallystick.Warn, tallystick.Inconclusive}, ResultFailed},
		{[]tallystick.Verdict{tallystick.Pass, tallystick.Insufficient}, ResultFailed},
		{[]tallystick.Verdict{tallystick.Fail, tallystick.Pass}, ResultFailed},
		{[]tallystick.Verdict{""}, ResultFailed},
	} {
		var tests []Test
		for _, v := range tc.verdicts {
			tests = append(tests, Test{"t", v})
		}
		r := NewTestResult(nil, tests)
		if r.Result != tc.want || len(r.PassedTests)+len(r.WarnedTests)+len(r.FailedTests) != len(tests) {
			t.Errorf("%v: %+v, want %s", tc.verdicts, r, tc.want)
		}
	}
}

// TestPredicates: members that the in-toto specifications require are there even when empty
// (in-toto/attestation spec/predicates/test-result.md and svr.md).
func TestPredicates(t *testing.T) {
	t.Parallel()
	subject := verify.Resource("m", tallystick.DigestOf(nil))
	result, err := NewTestResult(nil, nil).Statement(subject)
	if err != nil {
		t.Fatal(err)
	}
	svr, err := Gate{Verdict: tallystick.Fail, Pack: "high", Policy: tallystick.DigestOf(nil), Decided: Timestamp(testTime)}.VerificationResult().Statement(subject)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		got  json.RawMessage
		want string
	}{
		{result.Predicate, `{"configuration":[],"failedTests":[],"passedTests":[],"result":"FAILED","warnedTests":[]}`},
		{svr.Predicate, `{"properties":[],"timeCreated":"2026-03-04T05:06:07.000Z","verifier":{"id":"` + GateVerifier +
			`","policies":[{"digest":{"sha256":"` + tallystick.DigestOf(nil).Hex() + `"},"name":"high"}]}}`},
	} {
		if diff := cmp.Diff(tc.want, string(tc.got)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	if _, err := (Gate{}).Statement(subject); err == nil {
		t.Error("a gate decision without verdict was stated")
	}
}

func TestStore(t *testing.T) {
	t.Parallel()
	blobs, err := blob.Open(blob.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	s := NewStore(blobs)
	d, err := s.Put(t.Context(), []byte("evidence"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := s.Get(t.Context(), d); err != nil || string(got) != "evidence" {
		t.Errorf("Get = %q, %v", got, err)
	}
	if _, err := s.Get(t.Context(), tallystick.DigestOf(nil)); tallystick.CodeOf(err) != tallystick.NotFound {
		t.Errorf("missing evidence: %v", err)
	}
	if _, err := NewStore(liar{}).Get(t.Context(), d); err == nil {
		t.Error("bytes of another digest were returned")
	}
}

// liar is a store that does not compare what it returns.
type liar struct{}

func (liar) Put(context.Context, io.Reader) (tallystick.Digest, int64, error) { return "", 0, nil }

func (liar) Get(context.Context, tallystick.Digest) (io.ReadCloser, error) {
	return io.NopCloser(strings.NewReader("something else")), nil
}
