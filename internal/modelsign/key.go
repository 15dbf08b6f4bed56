package modelsign

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"

	"github.com/tallystick/tallystick"
)

// maxKeyFile bounds a PEM file.
const maxKeyFile = 64 << 10

// KeyHint returns the name of a key in a bundle: the hexadecimal SHA-256 of its PEM text.
func KeyHint(key *ecdsa.PublicKey) (string, error) {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return "", fmt.Errorf("key hint: %w", err)
	}
	sum := sha256.Sum256(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	return hex.EncodeToString(sum[:]), nil
}

// ParsePublicKey reads an ECDSA key on P-256, P-384 or P-521 from PEM (SubjectPublicKeyInfo).
func ParsePublicKey(file []byte) (*ecdsa.PublicKey, error) {
	block, err := onlyBlock(file)
	if err != nil {
		return nil, err
	}
	if block.Type != "PUBLIC KEY" {
		return nil, tallystick.Errorf(tallystick.Invalid, "key file holds a %q, want a public key", block.Type).
			WithHint("openssl ec -in key.pem -pubout makes one of a private key")
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, tallystick.Errorf(tallystick.Invalid, "public key: %w", err)
	}
	return ecdsaKey(key)
}

// ParsePrivateKey reads an ECDSA key on P-256, P-384 or P-521 from PEM (PKCS #8 or SEC 1), which
// must not be encrypted.
func ParsePrivateKey(file []byte) (*ecdsa.PrivateKey, error) {
	block, err := onlyBlock(file)
	if err != nil {
		return nil, err
	}
	var key any
	switch {
	case block.Type == "ENCRYPTED PRIVATE KEY" || block.Headers["DEK-Info"] != "":
		return nil, tallystick.Errorf(tallystick.Invalid, "private key is encrypted").
			WithHint("openssl pkcs8 -in key.pem -topk8 -nocrypt opens it; keep the result where only you can read it")
	case block.Type == "PRIVATE KEY":
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case block.Type == "EC PRIVATE KEY":
		key, err = x509.ParseECPrivateKey(block.Bytes)
	default:
		return nil, tallystick.Errorf(tallystick.Invalid, "key file holds a %q, want a private key", block.Type)
	}
	if err != nil {
		return nil, tallystick.Errorf(tallystick.Invalid, "private key: %w", err)
	}
	private, ok := key.(*ecdsa.PrivateKey)
	if !ok {
		return nil, errKeyType(key)
	}
	if _, err := ecdsaKey(&private.PublicKey); err != nil {
		return nil, err
	}
	return private, nil
}

// onlyBlock returns the only PEM block of a file, besides the parameters that openssl puts in front
// of a key.
func onlyBlock(file []byte) (*pem.Block, error) {
	if len(file) > maxKeyFile {
		return nil, tallystick.Errorf(tallystick.Invalid, "key file is longer than %d bytes", maxKeyFile)
	}
	var found *pem.Block
	for block, rest := pem.Decode(file); block != nil; block, rest = pem.Decode(rest) {
		switch {
		case block.Type == "EC PARAMETERS":
		case found != nil:
			return nil, tallystick.Errorf(tallystick.Invalid, "key file holds more than one key")
		default:
			found = block
		}
	}
	if found == nil {
		return nil, tallystick.Errorf(tallystick.Invalid, "key file is not PEM")
	}
	return found, nil
}

func ecdsaKey(key crypto.PublicKey) (*ecdsa.PublicKey, error) {
	public, ok := key.(*ecdsa.PublicKey)
	if !ok {
		return nil, errKeyType(key)
	}
	if _, err := hashOf(public); err != nil {
		return nil, err
	}
	return public, nil
}

func errKeyType(key any) error {
	return tallystick.Errorf(tallystick.Invalid, "models are signed with ECDSA, not with a %T", key).
		WithHint("openssl ecparam -name prime256v1 -genkey -noout -out key.pem makes a key")
}

// hashOf returns the hash that goes with the curve of a key (FIPS 186-5: one of its strength).
func hashOf(key *ecdsa.PublicKey) (crypto.Hash, error) {
	switch key.Curve {
	case elliptic.P256():
		return crypto.SHA256, nil
	case elliptic.P384():
		return crypto.SHA384, nil
	case elliptic.P521():
		return crypto.SHA512, nil
	default:
		return 0, tallystick.Errorf(tallystick.Invalid, "models are signed with ECDSA on P-256, P-384 or P-521, not on another curve")
	}
}
