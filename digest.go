package tallystick

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
)

const sha256Prefix = "sha256:"

// Digest names content: "sha256:" and 64 lower-case hexadecimal digits.
type Digest string

// DigestOf returns the digest of data.
func DigestOf(data []byte) Digest {
	sum := sha256.Sum256(data)
	return Digest(sha256Prefix + hex.EncodeToString(sum[:]))
}

// DigestReader reads r to its end and returns the digest and the number of bytes read.
func DigestReader(r io.Reader) (Digest, int64, error) {
	h := sha256.New()
	n, err := io.Copy(h, r)
	if err != nil {
		return "", n, fmt.Errorf("digest: %w", err)
	}
	return Digest(sha256Prefix + hex.EncodeToString(h.Sum(nil))), n, nil
}

// ParseDigest returns s as a Digest, or an Invalid error if it is not one.
func ParseDigest(s string) (Digest, error) {
	d := Digest(s)
	if err := d.Validate(); err != nil {
		return "", err
	}
	return d, nil
}

// Validate returns an Invalid error unless d has the one accepted form.
func (d Digest) Validate() error {
	digits, ok := strings.CutPrefix(string(d), sha256Prefix)
	if !ok || len(digits) != 2*sha256.Size || strings.ToLower(digits) != digits {
		return Errorf(Invalid, "digest %q is not sha256: and 64 lower-case hexadecimal digits", string(d))
	}
	if _, err := hex.DecodeString(digits); err != nil {
		return Errorf(Invalid, "digest %q is not hexadecimal", string(d))
	}
	return nil
}

// Hex returns the digits without the algorithm, the form that in-toto subjects use.
func (d Digest) Hex() string { return strings.TrimPrefix(string(d), sha256Prefix) }

// Short returns the first twelve digits, for people.
func (d Digest) Short() string {
	digits := d.Hex()
	return digits[:min(12, len(digits))]
}
