package verify

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/json"
	"math/big"
	"strings"
	"testing"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"

	"github.com/tallystick/tallystick"
)

// twin returns the envelope with the other signature that ECDSA has for the same message.
func twin(t *testing.T, data []byte) []byte {
	t.Helper()
	e, err := ParseEnvelope(data)
	if err != nil {
		t.Fatal(err)
	}
	sig, err := parseSignature(e.Signature)
	if err != nil {
		t.Fatal(err)
	}
	sig.S.Sub(elliptic.P256().Params().N, sig.S)
	if e.Signature, err = asn1.Marshal(sig); err != nil {
		t.Fatal(err)
	}
	again, err := e.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return again
}

// libraryKey is our key behind the interfaces of another DSSE implementation.
type libraryKey struct{ key *ecdsa.PrivateKey }

func (k libraryKey) KeyID() (string, error) { return KeyID(&k.key.PublicKey) }

func (k libraryKey) Public() crypto.PublicKey { return &k.key.PublicKey }

func (k libraryKey) Sign(_ context.Context, data []byte) ([]byte, error) {
	sum := sha256.Sum256(data)
	return ecdsa.SignASN1(rand.Reader, k.key, sum[:])
}

func (k libraryKey) Verify(_ context.Context, data, sig []byte) error {
	sum := sha256.Sum256(data)
	if !ecdsa.VerifyASN1(&k.key.PublicKey, sum[:], sig) {
		return tallystick.Errorf(tallystick.Invalid, "wrong signature")
	}
	return nil
}

// TestEnvelopeAgainstLibrary: another implementation verifies what we sign, and we what it signs.
func TestEnvelopeAgainstLibrary(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	verifier, err := dsse.NewEnvelopeVerifier(libraryKey{f.statement})
	f.check(err)
	signer, err := dsse.NewEnvelopeSigner(libraryKey{f.statement})
	f.check(err)
	for range 20 { // half of the library's signatures have a large s
		var theirs dsse.Envelope
		f.check(json.Unmarshal(f.sign(PredicateReport, map[string]any{"a": 1}, Resource("m", tallystick.DigestOf(nil))), &theirs))
		accepted, err := verifier.Verify(t.Context(), &theirs)
		if err != nil || len(accepted) != 1 {
			t.Fatalf("the library refuses our envelope: %v", err)
		}
		payload := []byte(`{"b":2}`)
		signed, err := signer.SignPayload(t.Context(), StatementPayloadType, payload)
		f.check(err)
		data, err := json.MarshalIndent(signed, "", "  ")
		f.check(err)
		e, err := ParseEnvelope(data)
		f.check(err)
		if err := e.Verify(&f.statement.PublicKey); err != nil || !bytes.Equal(e.Payload, payload) {
			t.Fatalf("we refuse the library's envelope: %v", err)
		}
	}
}

// TestPAE is the example of the DSSE protocol, https://github.com/secure-systems-lab/dsse/blob/v1.0.2/protocol.md.
func TestPAE(t *testing.T) {
	t.Parallel()
	got := string(PAE("http://example.com/HelloWorld", []byte("hello world")))
	if want := "DSSEv1 29 http://example.com/HelloWorld 11 hello world"; got != want {
		t.Errorf("PAE = %q, want %q", got, want)
	}
}

func TestParseEnvelopeRefuses(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	good := string(f.sign(PredicateReport, map[string]any{}, Resource("ÿÿÿ", tallystick.DigestOf(nil)))) // has a '/' in base64
	e, err := ParseEnvelope([]byte(good))
	f.check(err)
	one := `{"keyid":"` + e.KeyID + `","sig":"` + base64Of(e.Signature) + `"}`
	payload := base64Of(e.Payload)
	for name, tc := range map[string]struct{ from, to string }{
		"no signature":       {one, ``},
		"two signatures":     {one, one + "," + one},
		"unknown member":     {`{"payload"`, `{"extra":1,"payload"`},
		"repeated member":    {`{"payload"`, `{"payload":"","payload"`},
		"other case":         {`"payload":`, `"Payload":`},
		"extra in signature": {`{"keyid"`, `{"cert":"","keyid"`},
		"trailing data":      {`]}`, `]}{}`},
		"url-safe base64":    {payload, strings.NewReplacer("+", "-", "/", "_", "=", "").Replace(payload)},
		"line break":         {payload, payload[:8] + `\n` + payload[8:]},
		"payload missing":    {`"payload":"` + payload + `",`, ``},
	} {
		changed := strings.Replace(good, tc.from, tc.to, 1)
		if changed == good {
			t.Fatalf("%s: nothing changed", name)
		}
		if _, err := ParseEnvelope([]byte(changed)); tallystick.CodeOf(err) != tallystick.Invalid {
			t.Errorf("%s: ParseEnvelope = %v, want Invalid", name, err)
		}
	}
}

func TestEnvelopeVerifyRefuses(t *testing.T) {
	t.Parallel()
	f, other := newFixture(t), newFixture(t)
	good, err := ParseEnvelope(f.sign(PredicateReport, map[string]any{}, Resource("m", tallystick.DigestOf(nil))))
	f.check(err)
	if err := good.Verify(&f.statement.PublicKey); err != nil {
		t.Fatal(err)
	}
	if err := good.Verify(&other.statement.PublicKey); err == nil {
		t.Error("another key verifies")
	}
	for name, change := range map[string]func(*Envelope){
		"payload":      func(e *Envelope) { e.Payload = append(bytes.Clone(e.Payload), ' ') },
		"payload type": func(e *Envelope) { e.PayloadType += "x" },
		"key id":       func(e *Envelope) { e.KeyID = "" },
		"signature":    func(e *Envelope) { e.Signature = bytes.Clone(e.Signature); e.Signature[10] ^= 1 },
		"no signature": func(e *Envelope) { e.Signature = nil },
		"more bytes":   func(e *Envelope) { e.Signature = append(bytes.Clone(e.Signature), 0) },
	} {
		e := good
		change(&e)
		if err := e.Verify(&f.statement.PublicKey); tallystick.CodeOf(err) != tallystick.Invalid {
			t.Errorf("%s changed: Verify = %v, want Invalid", name, err)
		}
	}
}

func TestSignEnvelopeRefusesOtherCurves(t *testing.T) {
	t.Parallel()
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := SignEnvelope("t", nil, key, rand.Reader); tallystick.CodeOf(err) != tallystick.Invalid {
		t.Errorf("SignEnvelope with P-384 = %v", err)
	}
}

func TestParseSignatureRefusesBER(t *testing.T) {
	t.Parallel()
	good, err := asn1.Marshal(ecdsaSignature{big.NewInt(1), big.NewInt(2)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parseSignature(good); err != nil {
		t.Fatal(err)
	}
	for name, der := range map[string][]byte{
		"long length":  {0x30, 0x81, 0x06, 2, 1, 1, 2, 1, 2},
		"leading zero": {0x30, 0x07, 2, 2, 0, 1, 2, 1, 2},
		"three":        {0x30, 0x09, 2, 1, 1, 2, 1, 2, 2, 1, 3},
		"trailing":     append(bytes.Clone(good), 0),
	} {
		if _, err := parseSignature(der); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// FuzzEnvelope: what parses has one canonical form, which parses to the same.
func FuzzEnvelope(f *testing.F) {
	fix := newFixture(f)
	f.Add(fix.sign(PredicateReport, map[string]any{}, Resource("m", tallystick.DigestOf(nil))))
	f.Add([]byte(`{"payloadType":"t","payload":"","signatures":[{"keyid":"","sig":""}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := ParseEnvelope(data)
		if err != nil {
			return
		}
		again, err := e.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		e2, err := ParseEnvelope(again)
		if err != nil || e2.KeyID != e.KeyID || e2.PayloadType != e.PayloadType || !bytes.Equal(e2.Payload, e.Payload) || !bytes.Equal(e2.Signature, e.Signature) {
			t.Fatalf("round trip: %+v, %+v, %v", e, e2, err)
		}
	})
}
