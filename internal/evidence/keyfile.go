package evidence

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"github.com/tallystick/tallystick"
)

// logKey reads a C2SP signed-note private key.
func logKey(skey string) (privateKey, error) {
	signer, err := note.NewSigner(skey)
	if err != nil {
		return privateKey{}, tallystick.Errorf(tallystick.Invalid, "not a C2SP signer key: %w", err)
	}
	parts := strings.SplitN(skey, "+", 5) // PRIVATE+KEY+name+hash+key; only the last can hold a '+'
	seed, err := base64.StdEncoding.Strict().DecodeString(parts[len(parts)-1])
	if err != nil || len(seed) != 1+ed25519.SeedSize {
		return privateKey{}, tallystick.Errorf(tallystick.Invalid, "not a C2SP signer key of Ed25519")
	}
	return privateKey{signer: ed25519.NewKeyFromSeed(seed[1:]), note: signer}, nil
}

// statementKey reads an ECDSA P-256 private key in PKCS #8 PEM.
func statementKey(data []byte) (crypto.Signer, error) {
	block, rest := pem.Decode(data)
	if block == nil || block.Type != "PRIVATE KEY" || len(bytes.TrimSpace(rest)) > 0 {
		return nil, tallystick.Errorf(tallystick.Invalid, "not a PEM PRIVATE KEY (PKCS #8)")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, tallystick.Errorf(tallystick.Invalid, "not a PKCS #8 private key: %w", err)
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok || key.Curve != elliptic.P256() {
		return nil, tallystick.Errorf(tallystick.Invalid, "a statement key must be ECDSA P-256, not %T", parsed)
	}
	// The parser does not look at the public key that stands beside the private one.
	if whole, err := x509.MarshalPKCS8PrivateKey(key); err != nil || !bytes.Equal(whole, block.Bytes) {
		return nil, tallystick.Errorf(tallystick.Invalid, "the key is damaged: it is not in the form in which it was written").
			WithHint("restore the workspace from a backup")
	}
	return key, nil
}

// refuseLoose refuses a file or directory that others than its owner can use, and links.
func refuseLoose(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return tallystick.Errorf(tallystick.NotFound, "%q does not exist", path)
	}
	if err != nil {
		return fmt.Errorf("open keys: %w", err)
	}
	if !info.IsDir() && !info.Mode().IsRegular() {
		return tallystick.Errorf(tallystick.Forbidden, "%q is neither a file nor a directory", path)
	}
	if perm := info.Mode().Perm(); perm&0o077 != 0 && runtime.GOOS != "windows" {
		tight := "600"
		if info.IsDir() {
			tight = "700"
		}
		return tallystick.Errorf(tallystick.Forbidden, "%q has the permissions %04o: others can reach private keys", path, perm).
			WithHint("run chmod %s %s, and rotate the keys if somebody may have read them", tight, path)
	}
	return nil
}

func readBounded(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxKeyFile+1))
	if err == nil && len(data) > maxKeyFile {
		err = tallystick.Errorf(tallystick.Invalid, "%q is longer than %d bytes", path, maxKeyFile)
	}
	return data, err
}
