package evidence

import (
	"bytes"
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/mod/sumdb/note"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/durable"
	"github.com/tallystick/tallystick/verify"
)

const (
	trustFile  = "trust.json"
	maxKeyFile = 1 << 20 // bytes of trust.json or a private key file
	idDigits   = 16      // of a key's id in the name of its file
)

// StatementTypes are the predicate types that a workspace's own statement key is trusted for.
func StatementTypes() []string {
	return []string{verify.PredicateTestResult, verify.PredicateSVR, verify.PredicateGate, verify.PredicateReport, verify.PredicateManifest, verify.PredicateEvidence}
}

// Keys are the private keys of one workspace and the trust document that lists their public halves.
// The directory, 0700, holds trust.json and one 0600 file per private key, named by its role and
// the first digits of its id. trust.json decides which keys are in use; it is written last, so a
// crash leaves at most a private key that nobody knows of, see [Keys.Sweep]. Keys is safe for
// concurrent use.
type Keys struct {
	dir    string
	origin string

	mu        sync.RWMutex // of what follows
	trust     verify.Trust
	log       privateKey
	statement privateKey
}

// privateKey is a key in use.
type privateKey struct {
	public verify.Key
	signer crypto.Signer // *ecdsa.PrivateKey or ed25519.PrivateKey
	note   note.Signer   // of a log key
}

// CreateKeys makes a log key, whose name is origin, and a statement key in dir, which it creates.
// If keys are there already the error is a Conflict.
func CreateKeys(dir, origin string) (*Keys, error) {
	if err := durable.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("create keys: %w", err)
	}
	if err := refuseLoose(dir); err != nil {
		return nil, err
	}
	if _, err := os.Lstat(filepath.Join(dir, trustFile)); !errors.Is(err, fs.ErrNotExist) {
		if err != nil {
			return nil, fmt.Errorf("create keys: %w", err)
		}
		return nil, tallystick.Errorf(tallystick.Conflict, "keys directory %q holds keys already", dir)
	}
	k := &Keys{dir: dir, origin: origin}
	var err error
	if k.log, err = k.generate(verify.RoleLog); err != nil {
		return nil, err
	}
	if k.statement, err = k.generate(verify.RoleStatement); err != nil {
		return nil, err
	}
	k.trust = verify.Trust{
		Schema: verify.TrustSchema, Origin: origin,
		Keys: []verify.Key{k.log.public, k.statement.public},
	}
	return k, k.saveTrust(k.trust)
}

// OpenKeys reads the keys in dir. It refuses a directory or private key file that others than its
// owner may read or write, and private keys that do not belong to the public ones.
func OpenKeys(dir string) (*Keys, error) {
	k, err := openKeys(dir)
	if tallystick.CodeOf(err) == tallystick.NotFound {
		// A rotation may have replaced trust.json and removed the old private key between two reads.
		k, err = openKeys(dir)
	}
	return k, err
}

func openKeys(dir string) (*Keys, error) {
	if err := refuseLoose(dir); err != nil {
		return nil, err
	}
	data, err := readBounded(filepath.Join(dir, trustFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, tallystick.Errorf(tallystick.NotFound, "keys directory %q holds no keys", dir)
	}
	if err != nil {
		return nil, fmt.Errorf("open keys: %w", err)
	}
	trust, err := verify.ParseTrust(data)
	if err != nil {
		return nil, fmt.Errorf("open keys in %q: %w", dir, err)
	}
	k := &Keys{dir: dir, origin: trust.Origin, trust: trust}
	for _, role := range []struct {
		role verify.Role
		into *privateKey
	}{{verify.RoleLog, &k.log}, {verify.RoleStatement, &k.statement}} {
		if *role.into, err = k.load(role.role); err != nil {
			return nil, fmt.Errorf("open keys: %w", err)
		}
	}
	return k, nil
}

// Reload reads the keys again, as another process may have left them.
func (k *Keys) Reload() error {
	read, err := OpenKeys(k.dir)
	if err != nil {
		return err
	}
	if read.origin != k.origin {
		return tallystick.Errorf(tallystick.Conflict, "the keys in %q are now those of the ledger %q", k.dir, read.origin)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.trust, k.log, k.statement = read.trust, read.log, read.statement
	return nil
}

// Trust returns the document that says whom a verifier of this workspace believes.
func (k *Keys) Trust() verify.Trust {
	k.mu.RLock()
	defer k.mu.RUnlock()
	t := k.trust
	t.Keys = append([]verify.Key{}, t.Keys...)
	return t
}

// Active returns the public half of the key in use of a role, log or statement.
func (k *Keys) Active(role verify.Role) verify.Key { return k.inUse(role).public }

func (k *Keys) inUse(role verify.Role) privateKey {
	k.mu.RLock()
	defer k.mu.RUnlock()
	if role == verify.RoleLog {
		return k.log
	}
	return k.statement
}

// LogSigner returns the signer of checkpoints. Its name is the origin.
func (k *Keys) LogSigner() note.Signer { return k.inUse(verify.RoleLog).note }

// LogVerifiers returns what checks the signatures of all log keys, retired ones too.
func (k *Keys) LogVerifiers() (note.Verifiers, error) {
	var verifiers []note.Verifier
	for _, key := range k.Trust().Keys {
		if key.Role != verify.RoleLog {
			continue
		}
		v, err := note.NewVerifier(key.PublicKey)
		if err != nil {
			return nil, fmt.Errorf("log key %s: %w", key.ID, err)
		}
		verifiers = append(verifiers, v)
	}
	return note.VerifierList(verifiers...), nil
}

// Signer returns the signer of statements.
func (k *Keys) Signer() *Signer {
	key := k.inUse(verify.RoleStatement)
	return &Signer{key: key.signer, id: key.public.ID}
}

// saveTrust writes trust.json.
func (k *Keys) saveTrust(t verify.Trust) error {
	data, err := t.Marshal()
	if err != nil {
		return fmt.Errorf("save keys: %w", err)
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, data, "", "  "); err != nil {
		return fmt.Errorf("save keys: %w", err)
	}
	indented.WriteByte('\n')
	err = durable.WriteFile(filepath.Join(k.dir, trustFile), 0o600, func(w io.Writer) error {
		_, err := w.Write(indented.Bytes())
		return err
	})
	if err != nil {
		return fmt.Errorf("save keys: %w", err)
	}
	return nil
}

// load reads the private key of the one active key of that role.
func (k *Keys) load(role verify.Role) (privateKey, error) {
	active, err := k.active(role)
	if err != nil {
		return privateKey{}, err
	}
	return k.loadKey(active)
}

// active returns the one active key of that role.
func (k *Keys) active(role verify.Role) (verify.Key, error) {
	var found []verify.Key
	for _, key := range k.trust.Keys {
		if key.Role == role && key.Status == verify.StatusActive {
			found = append(found, key)
		}
	}
	if len(found) != 1 {
		return verify.Key{}, tallystick.Errorf(tallystick.Invalid, "%s has %d active %s keys, want one", trustFile, len(found), role)
	}
	return found[0], nil
}
