package release_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/evidence"
	"github.com/tallystick/tallystick/internal/modelsign"
	"github.com/tallystick/tallystick/internal/release"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
	"github.com/tallystick/tallystick/verify"
)

func newKey(t testing.TB) (*ecdsa.PrivateKey, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return key, string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// signer lets a key count for some types of predicates, and returns its id.
func (b bench) signer(t testing.TB, name, public string, predicates ...string) string {
	t.Helper()
	b.must(t, root, func(tx *state.Tx) (trail.Change, error) {
		return b.AddSigner(tx, release.NewSigner{Name: name, PublicKey: public, Predicates: predicates})
	})
	all, err := b.Signers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range all {
		if s.Name == name {
			return s.Key
		}
	}
	t.Fatalf("no signer %s", name)
	return ""
}

// put signs a statement and keeps it.
func (b bench) put(t testing.TB, key *ecdsa.PrivateKey, predicate string, says any, about ...verify.ResourceDescriptor) tallystick.Digest {
	t.Helper()
	s, err := verify.NewStatement(predicate, says, about...)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := s.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	envelope, err := verify.SignEnvelope(verify.StatementPayloadType, payload, key, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	body, err := envelope.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return b.keep(t, body)
}

func (b bench) keep(t testing.TB, body []byte) tallystick.Digest {
	t.Helper()
	d, err := b.store.Put(t.Context(), body)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// attach verifies evidence and puts it on record, as the API does.
func (b bench) attach(t testing.TB, a catalog.EvidenceAttachment) (release.Attached, error) {
	t.Helper()
	found, err := b.Attest(t.Context(), a)
	if err != nil {
		return found, err
	}
	a.Details = found.EvidenceDetails
	_, err = b.as(t, root, one(func(tx *state.Tx) (trail.Change, error) { return b.catalog.AttachEvidence(tx, a) }))
	return found, err
}

func (b bench) digestOf(t testing.TB, version string) tallystick.Digest {
	t.Helper()
	v, err := b.catalog.Version(t.Context(), "credit", version)
	if err != nil {
		t.Fatal(err)
	}
	return v.Digest
}

// item returns how one thing stands that version 1 owes.
func (b bench) item(t testing.TB, id string) catalog.Item {
	t.Helper()
	s, err := b.Status(t.Context(), "credit", "1")
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range s.Items {
		if i.ID == id {
			return i
		}
	}
	t.Fatalf("credit@1 does not owe %s", id)
	return catalog.Item{}
}

// limited registers credit@1 and @2 at tier limited.
func (b bench) limited(t testing.TB) {
	t.Helper()
	b.must(t, root, func(tx *state.Tx) (trail.Change, error) {
		return b.catalog.RegisterAudited(tx, catalog.AuditedModel{Model: "credit", Owner: "ada", Tier: tallystick.TierLimited, Actor: "ada"})
	})
	for _, v := range []string{"1", "2"} {
		b.files(t, root, v)
	}
}

var passed = evidence.TestResult{Result: evidence.ResultPassed}

func (b bench) vouched(t testing.TB, key *ecdsa.PrivateKey, kind catalog.EvidenceKind, name, version string) tallystick.Digest {
	t.Helper()
	says := evidence.Vouched{
		Model: "credit", Version: version, Kind: string(kind), Name: name, Evidence: b.keep(t, []byte("a "+name)), Produced: evidence.Timestamp(time.Now()),
	}
	about := []verify.ResourceDescriptor{verify.Resource("evidence", says.Evidence)}
	if version != "" {
		about = append(about, verify.Resource("version", b.digestOf(t, version)))
	}
	return b.put(t, key, verify.PredicateEvidence, says, about...)
}

// TestNothingIsBelieved attaches evidence that claims more than it shows: it is refused, or a claim that satisfies nothing.
func TestNothingIsBelieved(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.limited(t)
	ours, public := newKey(t)
	known := b.signer(t, "laptop", public)
	foreign, _ := newKey(t)
	narrow, narrowPublic := newKey(t)
	b.signer(t, "tests", narrowPublic, verify.PredicateTestResult)
	version := verify.Resource("version", b.digestOf(t, "1"))
	other := verify.Resource("version", b.digestOf(t, "2"))
	check := func(d catalog.EvidenceDetails) catalog.EvidenceAttachment {
		return catalog.EvidenceAttachment{Model: "credit", Version: "1", Details: d}
	}
	card := func(digest tallystick.Digest) catalog.EvidenceAttachment {
		return check(catalog.EvidenceDetails{Kind: catalog.DocumentEvidence, Name: "model-card", Digest: digest})
	}

	// Claims: they stay on record, and do not count.
	for name, a := range map[string]catalog.EvidenceAttachment{
		"unsigned":           card(b.keep(t, []byte("a card"))),
		"elsewhere":          card(tallystick.DigestOf([]byte("never seen"))),
		"foreign key":        card(b.vouched(t, foreign, catalog.DocumentEvidence, "model-card", "1")),
		"key of other types": card(b.vouched(t, narrow, catalog.DocumentEvidence, "model-card", "1")),
	} {
		got, err := b.attach(t, a)
		if err != nil || got.Standing != "claimed" || !strings.Contains(got.Words, "claimed, not verified") {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		if i := b.item(t, "model-card"); i.State != catalog.Claimed {
			t.Errorf("%s: %s, %s", name, i.State, i.Words)
		}
	}
	// Refusals: a known key has signed something else.
	forged := strings.Replace(string(b.read(t, b.vouched(t, ours, catalog.DocumentEvidence, "model-card", "1"))), `"sig":"`, `"sig":"MEUCIQDu`, 1)
	for name, test := range map[string]struct {
		a    catalog.EvidenceAttachment
		code tallystick.Code
		want string
	}{
		"swapped subject":  {check(catalog.EvidenceDetails{Kind: catalog.DataCheckEvidence, Digest: b.put(t, ours, verify.PredicateTestResult, passed, other)}), tallystick.Conflict, "not about the files of credit@1"},
		"swapped version":  {card(b.vouched(t, ours, catalog.DocumentEvidence, "model-card", "2")), tallystick.Conflict, "vouches for document model-card of credit@2"},
		"swapped kind":     {check(catalog.EvidenceDetails{Kind: catalog.BaselineEvidence, Digest: b.put(t, ours, verify.PredicateTestResult, passed, version)}), tallystick.Invalid, "shows nothing as evidence of kind baseline"},
		"swapped document": {check(catalog.EvidenceDetails{Kind: catalog.DocumentEvidence, Name: "risk-record", Digest: b.vouched(t, ours, catalog.DocumentEvidence, "model-card", "1")}), tallystick.Conflict, "not for document risk-record"},
		"forged signature": {card(b.keep(t, []byte(forged))), tallystick.Invalid, "signature"},
		"claimed signer":   {check(catalog.EvidenceDetails{Kind: catalog.ScanEvidence, Digest: b.keep(t, []byte("{}")), Signer: known}), tallystick.Invalid, "no statement that anybody signed"},
	} {
		_, err := b.attach(t, test.a)
		if tallystick.CodeOf(err) != test.code || !strings.Contains(err.Error(), test.want) || hint(err) == "" && name != "forged signature" {
			t.Errorf("%s: %v (hint %q), want %s with %q", name, err, hint(err), test.code, test.want)
		}
	}
	// The same, signed by somebody who is registered for it: the statement's word counts, not the client's.
	good := check(catalog.EvidenceDetails{Kind: catalog.DataCheckEvidence, Digest: b.put(t, narrow, verify.PredicateTestResult, evidence.TestResult{Result: evidence.ResultFailed}, version), Verdict: tallystick.Pass})
	if got, err := b.attach(t, good); err != nil || got.Standing != "verified" || got.Verdict != tallystick.Fail {
		t.Errorf("a failed test: %+v, %v", got, err)
	}
	if got, err := b.attach(t, card(b.vouched(t, ours, catalog.DocumentEvidence, "model-card", "1"))); err != nil || got.Standing != "verified" {
		t.Errorf("a signed card: %+v, %v", got, err)
	}
	if i := b.item(t, "model-card"); i.State != catalog.Present || i.Evidence.Signer != known {
		t.Errorf("with a signed card: %s, %s", i.State, i.Words)
	}
	// A claim that comes later does not take its place; one that says no does.
	b.ahead.Add(1)
	if _, err := b.attach(t, card(b.keep(t, []byte("another card")))); err != nil || b.item(t, "model-card").State != catalog.Present {
		t.Errorf("after a later claim: %s, %v", b.item(t, "model-card").Words, err)
	}
	b.must(t, root, func(tx *state.Tx) (trail.Change, error) { return b.RevokeSigner(tx, known, "stolen") })
	if i := b.item(t, "model-card"); i.State != catalog.Claimed && i.State != catalog.Revoked {
		t.Errorf("after the signer was revoked: %s, %s", i.State, i.Words)
	}
	if err := b.replay(t); err != nil {
		t.Error(err)
	}
}

func (b bench) read(t testing.TB, d tallystick.Digest) []byte {
	t.Helper()
	body, err := b.store.Get(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func hint(err error) string {
	if e := new(tallystick.Error); errors.As(err, &e) {
		return e.Hint
	}
	return ""
}

// TestModelSignature counts an OpenSSF signature over the files once its key is registered, and no other.
func TestModelSignature(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.limited(t)
	dir := filepath.Join(t.TempDir(), "model")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "weights.bin"), []byte("1"), 0o600); err != nil {
		t.Fatal(err)
	}
	key, public := newKey(t)
	bundle, _, err := modelsign.Sign(t.Context(), modelsign.Model{Path: dir}, key, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signature := catalog.EvidenceDetails{Kind: catalog.SignatureEvidence, Digest: b.keep(t, bundle)}
	if got, err := b.attach(t, catalog.EvidenceAttachment{Model: "credit", Version: "1", Details: signature}); err != nil || got.Standing != "claimed" {
		t.Fatalf("of an unknown key: %+v, %v", got, err)
	}
	if i := b.item(t, "signature"); i.State != catalog.Claimed {
		t.Errorf("of an unknown key: %s", i.Words)
	}
	id := b.signer(t, "release", public, modelsign.PredicateType)
	if i := b.item(t, "signature"); i.State != catalog.Present || i.Evidence.Signer != id {
		t.Errorf("of a known key: %s, %s", i.State, i.Words)
	}
	_, err = b.attach(t, catalog.EvidenceAttachment{Model: "credit", Version: "2", Details: signature})
	wantCode(t, err, tallystick.Conflict, "weights.bin")
	b.must(t, root, func(tx *state.Tx) (trail.Change, error) { return b.RevokeSigner(tx, id, "stolen") })
	if i := b.item(t, "signature"); i.State != catalog.Revoked || !strings.Contains(i.Words, "counts no more") {
		t.Errorf("of a revoked key: %s, %s", i.State, i.Words)
	}
}

// TestEvidenceBetween swaps, lets expire and revokes evidence after the gate has judged: nothing is promoted then.
func TestEvidenceBetween(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(t *testing.T, b bench, card catalog.EvidenceAttachment, signer string)
		want   string
	}{
		"swapped": {func(t *testing.T, b bench, card catalog.EvidenceAttachment, _ string) {
			card.Details.Digest = b.keep(t, []byte("another card"))
			if _, err := b.attach(t, card); err != nil {
				t.Fatal(err)
			}
		}, "evidence changed"},
		"expired": {func(_ *testing.T, b bench, _ catalog.EvidenceAttachment, _ string) { b.ahead.Add(45) }, "the time"},
		"revoked": {func(t *testing.T, b bench, _ catalog.EvidenceAttachment, signer string) {
			b.must(t, root, func(tx *state.Tx) (trail.Change, error) { return b.RevokeSigner(tx, signer, "stolen") })
		}, "signers changed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			ada, bob, olga := b.person(t, "ada", access.Scientist), b.person(t, "bob", access.Approver), b.person(t, "olga", access.Operator)
			b.limited(t)
			key, public := newKey(t)
			signer := b.signer(t, "laptop", public)
			says := evidence.Vouched{
				Model: "credit", Version: "1", Kind: "document", Name: "model-card", Evidence: b.keep(t, []byte("a card")), Produced: evidence.Timestamp(time.Now()),
				Until: evidence.Timestamp(time.Now().Add(40 * time.Second)),
			}
			card := catalog.EvidenceAttachment{Model: "credit", Version: "1", Details: catalog.EvidenceDetails{Kind: catalog.DocumentEvidence, Name: "model-card"}}
			card.Details.Digest = b.put(t, key, verify.PredicateEvidence, says, verify.Resource("evidence", says.Evidence), verify.Resource("version", b.digestOf(t, "1")))
			if _, err := b.attach(t, card); err != nil {
				t.Fatal(err)
			}
			request := b.ask(t, ada, "1")
			if err := b.review(t, bob, request, release.Approve); err != nil {
				t.Fatal(err)
			}
			verdict, err := b.promote(t, olga, request, func() { test.change(t, b, card, signer) })
			wantCode(t, err, tallystick.Conflict, test.want)
			if verdict != tallystick.Pass || b.champion(t) != "" {
				t.Errorf("verdict %s, champion %q", verdict, b.champion(t))
			}
		})
	}
}
