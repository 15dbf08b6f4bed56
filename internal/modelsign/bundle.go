package modelsign

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/artifact"
)

const (
	mediaType   = "application/vnd.dev.sigstore.bundle.v0.3+json"
	payloadType = "application/vnd.in-toto+json"
	// MaxBundle bounds the bytes of a bundle.
	MaxBundle = 64 << 20
)

type bundleJSON struct {
	MediaType            string       `json:"mediaType"`
	VerificationMaterial materialJSON `json:"verificationMaterial"`
	DSSEEnvelope         envelopeJSON `json:"dsseEnvelope"`
}

type materialJSON struct {
	PublicKey   publicKeyJSON     `json:"publicKey"`
	TlogEntries []json.RawMessage `json:"tlogEntries"`
}

type publicKeyJSON struct {
	Hint string `json:"hint"`
}

type envelopeJSON struct {
	Payload     string          `json:"payload"`
	PayloadType string          `json:"payloadType"`
	Signatures  []signatureJSON `json:"signatures"`
}

type signatureJSON struct {
	Sig   string `json:"sig"`
	KeyID string `json:"keyid"`
}

// seal signs a statement and returns the bundle.
func (s Statement) seal(key crypto.Signer, random io.Reader) ([]byte, error) {
	public, err := ecdsaKey(key.Public())
	if err != nil {
		return nil, err
	}
	hash, err := hashOf(public)
	if err != nil {
		return nil, err
	}
	hint, err := KeyHint(public)
	if err != nil {
		return nil, err
	}
	payload, err := s.marshal()
	if err != nil {
		return nil, err
	}
	h := hash.New()
	h.Write(dsse.PAE(payloadType, payload))
	signature, err := key.Sign(random, h.Sum(nil), hash)
	if err != nil {
		return nil, fmt.Errorf("sign model %q: %w", s.Model, err)
	}
	data, err := json.MarshalIndent(bundleJSON{
		MediaType:            mediaType,
		VerificationMaterial: materialJSON{PublicKey: publicKeyJSON{hint}, TlogEntries: []json.RawMessage{}},
		DSSEEnvelope: envelopeJSON{
			Payload:     base64.StdEncoding.EncodeToString(payload),
			PayloadType: payloadType,
			Signatures:  []signatureJSON{{Sig: base64.StdEncoding.EncodeToString(signature)}},
		},
	}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("sign model %q: %w", s.Model, err)
	}
	return append(data, '\n'), nil
}

// Open returns the statement of a bundle that key signed. It believes nothing in the bundle before
// the signature has been verified, and says nothing about the files: see [Statement.Check].
func Open(bundle []byte, key *ecdsa.PublicKey) (Statement, error) {
	payload, err := Payload(bundle, key)
	if err != nil {
		return Statement{}, err
	}
	return parseStatement(payload)
}

// Payload returns the in-toto statement of a bundle that key signed, of whichever predicate.
func Payload(bundle []byte, key *ecdsa.PublicKey) ([]byte, error) {
	if len(bundle) > MaxBundle {
		return nil, tallystick.Errorf(tallystick.Invalid, "bundle is longer than %d bytes", MaxBundle)
	}
	if err := artifact.CheckJSON("bundle", bundle); err != nil {
		return nil, err
	}
	o, err := parseObject("bundle", bundle, "mediaType", "verificationMaterial", "dsseEnvelope")
	if err != nil {
		return nil, err
	}
	if err := o.want("mediaType", mediaType); err != nil {
		return nil, err
	}
	var material, envelope json.RawMessage
	if err := o.get("verificationMaterial", &material); err != nil {
		return nil, err
	}
	if err := o.get("dsseEnvelope", &envelope); err != nil {
		return nil, err
	}
	hint, err := checkMaterial(material, key)
	if err != nil {
		return nil, err
	}
	return openEnvelope(envelope, hint, key)
}

// checkMaterial checks that the bundle says that key signed it, and returns the key's hint.
func checkMaterial(data []byte, key *ecdsa.PublicKey) (hint string, err error) {
	// The log entries and timestamps that may stand there are no part of the method "key" and prove
	// nothing to it.
	o, err := parseObject("verification material", data,
		"publicKey", "x509CertificateChain", "certificate", "tlogEntries", "timestampVerificationData")
	if err != nil {
		return "", err
	}
	if o.has("x509CertificateChain") || o.has("certificate") {
		return "", tallystick.Errorf(tallystick.Invalid, "bundle is signed with a certificate, not with a key").
			WithHint("verify it with model_signing verify certificate or sigstore")
	}
	var publicKey json.RawMessage
	if err := o.get("publicKey", &publicKey); err != nil {
		return "", err
	}
	if o, err = parseOpenObject("public key", publicKey); err != nil {
		return "", err
	}
	if hint, err = KeyHint(key); err != nil {
		return "", err
	}
	switch {
	case o.has("hint"):
		var claimed string
		if err := o.get("hint", &claimed); err != nil {
			return "", err
		}
		if claimed != hint {
			return "", tallystick.Errorf(tallystick.Invalid, "bundle is signed with key %.16q, not with the given key %.16q", claimed, hint).
				WithHint("give the public key of the signer")
		}
	case o.has("rawBytes"): // before version 1.1 of the reference tool
		var claimed []byte
		if err := o.get("rawBytes", &claimed); err != nil {
			return "", err
		}
		if block, _ := pem.Decode(claimed); block != nil {
			claimed = block.Bytes
		}
		if other, err := x509.ParsePKIXPublicKey(claimed); err != nil || !key.Equal(other) {
			return "", tallystick.Errorf(tallystick.Invalid, "bundle is signed with another key than the given key %.16q", hint).
				WithHint("give the public key of the signer")
		}
	default:
		return "", tallystick.Errorf(tallystick.Invalid, `public key of the bundle has neither "hint" nor "rawBytes"`)
	}
	return hint, nil
}

// openEnvelope returns the payload of a DSSE envelope that key signed, alone.
func openEnvelope(data []byte, hint string, key *ecdsa.PublicKey) ([]byte, error) {
	o, err := parseObject("envelope", data, "payload", "payloadType", "signatures")
	if err != nil {
		return nil, err
	}
	if err := o.want("payloadType", payloadType); err != nil {
		return nil, err
	}
	payload, err := decodeBase64(o, "payload")
	if err != nil {
		return nil, err
	}
	var signatures []json.RawMessage
	if err := o.get("signatures", &signatures); err != nil {
		return nil, err
	}
	if len(signatures) != 1 {
		return nil, tallystick.Errorf(tallystick.Invalid, "envelope has %d signatures, want one", len(signatures))
	}
	if o, err = parseObject("signature", signatures[0], "sig", "keyid"); err != nil {
		return nil, err
	}
	if string(o.members["keyid"]) != "null" && o.has("keyid") {
		var id string
		if err := o.get("keyid", &id); err != nil {
			return nil, err
		}
		if id != "" && id != hint {
			return nil, tallystick.Errorf(tallystick.Invalid, "signature has the key id %.16q, but the bundle names the key %.16q", id, hint)
		}
	}
	signature, err := decodeBase64(o, "sig")
	if err != nil {
		return nil, err
	}
	hash, err := hashOf(key)
	if err != nil {
		return nil, err
	}
	h := hash.New()
	h.Write(dsse.PAE(payloadType, payload))
	if !ecdsa.VerifyASN1(key, h.Sum(nil), signature) {
		return nil, tallystick.Errorf(tallystick.Invalid, "signature of the bundle is not one of key %.16q over its payload", hint).
			WithHint("the bundle was altered after it was signed: ask the signer for it again")
	}
	return payload, nil
}

// decodeBase64 reads a member in standard base64, as strictly as RFC 4648 allows: no line breaks and no
// loose bits at the end.
func decodeBase64(o object, name string) ([]byte, error) {
	var s string
	if err := o.get(name, &s); err != nil {
		return nil, err
	}
	data, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil || len(data) == 0 || base64.StdEncoding.EncodedLen(len(data)) != len(s) {
		return nil, tallystick.Errorf(tallystick.Invalid, "%q of %s is not strict base64", name, o.what)
	}
	return data, nil
}
