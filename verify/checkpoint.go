package verify

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/transparency-dev/formats/log"
	cosignature "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"

	"github.com/tallystick/tallystick"
)

// maxCheckpoint bounds a signed checkpoint in bytes: a hundred cosignatures fit.
const maxCheckpoint = 64 << 10

// ErrUnknownSigner is in the chain of an error that says that nothing is wrong except that the
// signer is not among those trusted.
var ErrUnknownSigner = errors.New("unknown signer")

// Checkpoint is the state of a ledger at one size (C2SP tlog-checkpoint) with the signatures under
// it that were verified.
type Checkpoint struct {
	Origin    string
	Size      uint64 // number of entries
	Root      [sha256.Size]byte
	LogKeys   []Key // trusted ones that signed it and may speak for it
	Witnesses []Cosignature

	verified bool // the signature of some log key, trusted or claimed, was checked
}

// Cosignature is a verified signature of a trusted witness.
type Cosignature struct {
	Key  Key
	Time time.Time // of the witness's clock, to the second
}

// ParseCheckpoint reads a signed checkpoint without checking any signature: Origin, Size and Root
// are only what the text claims. It accepts one encoding: three lines of text, then signature
// lines in strict base64, no key twice.
func ParseCheckpoint(data []byte) (Checkpoint, error) {
	if len(data) > maxCheckpoint {
		return Checkpoint{}, tallystick.Errorf(tallystick.Invalid, "checkpoint is longer than %d bytes", maxCheckpoint)
	}
	text, signatures, ok := bytes.Cut(data, []byte("\n\n"))
	if !ok {
		return Checkpoint{}, tallystick.Errorf(tallystick.Invalid, "checkpoint has no signatures")
	}
	text = append(text[:len(text):len(text)], '\n')
	var c log.Checkpoint
	rest, err := c.Unmarshal(text)
	if err != nil {
		return Checkpoint{}, tallystick.Errorf(tallystick.Invalid, "checkpoint: %w", err)
	}
	if len(rest) > 0 || len(c.Hash) != sha256.Size || !bytes.Equal(c.Marshal(), text) {
		return Checkpoint{}, tallystick.Errorf(tallystick.Invalid, "checkpoint text is not origin, size and root hash on three lines")
	}
	if err := checkSignatureLines(string(signatures)); err != nil {
		return Checkpoint{}, err
	}
	return Checkpoint{Origin: c.Origin, Size: c.Size, Root: [sha256.Size]byte(c.Hash)}, nil
}

// checkSignatureLines refuses what package note reads leniently: base64 with spare bits and
// repeated signatures of one key.
func checkSignatureLines(lines string) error {
	seen := map[string]bool{}
	for line := range strings.Lines(lines) {
		fields := strings.Fields(line)
		if len(fields) != 3 || line != "— "+fields[1]+" "+fields[2]+"\n" {
			return tallystick.Errorf(tallystick.Invalid, "checkpoint: malformed signature line %.80q", line)
		}
		signature, err := decodeBase64(fields[2])
		if err != nil || len(signature) < 5 {
			return tallystick.Errorf(tallystick.Invalid, "checkpoint: signature of %.80q is not strict base64", fields[1])
		}
		key := fields[1] + string(signature[:4])
		if seen[key] {
			return tallystick.Errorf(tallystick.Invalid, "checkpoint: two signatures of one key of %.80q", fields[1])
		}
		seen[key] = true
	}
	return nil
}

// OpenCheckpoint reads a checkpoint and verifies its signatures. It fails unless a log key of t that
// may speak for this size has signed, or if the signature of any key in t is wrong. If nothing is
// known about the signers, [ErrUnknownSigner] is in the chain of the error.
func OpenCheckpoint(data []byte, t Trust) (Checkpoint, error) {
	c, trusted, err := keyring{trust: t}.openCheckpoint(data)
	if err == nil && !trusted {
		err = tallystick.Errorf(tallystick.Invalid, "checkpoint of %q: %w", c.Origin, ErrUnknownSigner)
	}
	return c, err
}

// Last returns the index of the checkpoint's last entry, 0 for an empty ledger.
func (c Checkpoint) Last() uint64 { return max(c.Size, 1) - 1 }

// keyring looks keys up: first among those trusted, then among those that a bundle itself claims.
// A signature that only a claimed key can check tells damage from a stranger's signature, and
// nothing more.
type keyring struct {
	trust   Trust
	claimed Trust
}

func (r keyring) find(role Role, id string) (k Key, trusted, ok bool) {
	if k, ok := r.trust.find(role, id); ok {
		return k, true, true
	}
	k, ok = r.claimed.find(role, id)
	return k, false, ok
}

// noteKey is a key that can check a signature line.
type noteKey struct {
	Key
	trusted bool
}

// noteKeys returns the verifiers of all log and witness keys, and the keys by name and hash. Where
// a claimed key has the name and the short hash of a trusted one, the trusted one counts.
func (r keyring) noteKeys() (note.Verifiers, map[string]noteKey, error) {
	var verifiers []note.Verifier
	keys := map[string]noteKey{}
	for i, t := range []Trust{r.trust, r.claimed} {
		for _, k := range t.Keys {
			if k.Role == RoleStatement {
				continue
			}
			v, err := k.noteVerifier()
			if err != nil {
				return nil, nil, fmt.Errorf("key %s: %w", k.ID, err)
			}
			at := lineKey(v.Name(), v.KeyHash())
			if _, taken := keys[at]; taken {
				continue
			}
			keys[at] = noteKey{Key: k, trusted: i == 0}
			verifiers = append(verifiers, v)
		}
	}
	return note.VerifierList(verifiers...), keys, nil
}

func lineKey(name string, hash uint32) string { return fmt.Sprintf("%s+%08x", name, hash) }

// openCheckpoint reports whether a trusted log key has signed. If none has, but the signature of a
// claimed key or of nobody known stands there, trusted is false and err is nil.
func (r keyring) openCheckpoint(data []byte) (c Checkpoint, trusted bool, err error) {
	c, err = ParseCheckpoint(data)
	if err != nil {
		return c, false, err
	}
	verifiers, keys, err := r.noteKeys()
	if err != nil {
		return c, false, err
	}
	n, err := note.Open(data, verifiers)
	var unverified *note.UnverifiedNoteError
	if errors.As(err, &unverified) {
		return c, false, nil
	}
	if err != nil {
		return c, false, tallystick.Errorf(tallystick.Invalid, "checkpoint of %q: %w", c.Origin, err)
	}
	var signers []noteKey
	for _, s := range n.Sigs {
		k := keys[lineKey(s.Name, s.Hash)]
		switch {
		case k.Role == RoleLog && k.Name == c.Origin:
			signers = append(signers, k)
			c.verified = true
		case k.Role == RoleWitness && k.trusted && k.covers(c.Last()):
			at, err := cosignature.CoSigV1Timestamp(s)
			if err != nil {
				return c, false, tallystick.Errorf(tallystick.Invalid, "checkpoint: cosignature of %q: %w", s.Name, err)
			}
			c.Witnesses = append(c.Witnesses, Cosignature{Key: k.Key, Time: at.UTC()})
		}
	}
	var refusal error
	for _, k := range signers {
		if !k.trusted {
			continue
		}
		if err := k.speaksFor(c); err != nil {
			refusal = err
			continue
		}
		c.LogKeys = append(c.LogKeys, k.Key)
	}
	if len(c.LogKeys) == 0 && refusal != nil {
		return c, false, refusal
	}
	return c, len(c.LogKeys) > 0, nil
}

// speaksFor says why a log key's signature under c does not count.
func (k Key) speaksFor(c Checkpoint) error {
	if !k.covers(c.Last()) {
		return tallystick.Errorf(tallystick.Invalid, "checkpoint of %q at size %d: log key %.12s is %s and not trusted for index %d", c.Origin, c.Size, k.ID, k.Status, c.Last())
	}
	if k.Status == StatusCompromised && len(c.Witnesses) == 0 {
		return tallystick.Errorf(tallystick.Invalid, "checkpoint of %q at size %d: log key %.12s is compromised and no trusted witness has cosigned", c.Origin, c.Size, k.ID).
			WithHint("ask for a checkpoint that the ledger's new key has signed")
	}
	return nil
}
