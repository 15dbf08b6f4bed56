package evidence

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/durable"
	"github.com/tallystick/tallystick/verify"
)

const (
	trustFile  = "trust.json"
	maxKeyFile = 1 << 20 // bytes of trust.json or a private key file
)

// statementTypes are the predicate types that a workspace's own statement key is trusted for.
func statementTypes() []string {
	return []string{verify.PredicateTestResult, verify.PredicateSVR, verify.PredicateGate, verify.PredicateReport, verify.PredicateManifest}
}

// Keys are the private keys of one workspace and the trust document that lists their public halves.
// The directory, 0700, holds trust.json and one 0600 file per private key, named by its role and
// the first digits of its id. trust.json decides which keys are in use; it is written last, so a
// crash leaves at most a private key that nobody knows of. Keys is not safe for concurrent use.
type Keys struct {
	dir       string
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
	k := &Keys{dir: dir, trust: verify.Trust{Schema: verify.TrustSchema, Origin: origin}}
	var err error
	if k.log, err = k.generate(verify.RoleLog); err != nil {
		return nil, err
	}
	if k.statement, err = k.generate(verify.RoleStatement); err != nil {
		return nil, err
	}
	return k, k.saveTrust(verify.Trust{
		Schema: verify.TrustSchema, Origin: origin,
		Keys: []verify.Key{k.log.public, k.statement.public},
	})
}

// OpenKeys reads the keys in dir. It refuses a directory or private key file that others than its
// owner may read or write, and private keys that do not belong to the public ones.
func OpenKeys(dir string) (*Keys, error) {
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
	k := &Keys{dir: dir, trust: trust}
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

// Trust returns the document that says whom a verifier of this workspace believes.
func (k *Keys) Trust() verify.Trust {
	t := k.trust
	t.Keys = append([]verify.Key{}, t.Keys...)
	return t
}

// LogSigner returns the signer of checkpoints. Its name is the origin.
func (k *Keys) LogSigner() note.Signer { return k.log.note }

// LogVerifiers returns what checks the signatures of all log keys, retired ones too.
func (k *Keys) LogVerifiers() (note.Verifiers, error) {
	var verifiers []note.Verifier
	for _, key := range k.trust.Keys {
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
func (k *Keys) Signer() *Signer { return &Signer{key: k.statement.signer} }

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
	k.trust = t
	return nil
}

// path returns the file of a private key.
func (k *Keys) path(key verify.Key) string {
	extension := ".key"
	if key.Role == verify.RoleStatement {
		extension = ".pem"
	}
	return filepath.Join(k.dir, string(key.Role)+"-"+key.ID[:16]+extension)
}

// generate makes a private key and writes its file.
func (k *Keys) generate(role verify.Role) (privateKey, error) {
	var p privateKey
	var file []byte
	switch role {
	case verify.RoleLog:
		skey, vkey, err := note.GenerateKey(rand.Reader, k.trust.Origin)
		if err != nil {
			return p, fmt.Errorf("generate log key: %w", err)
		}
		if p, err = logKey(skey); err != nil {
			return p, err
		}
		p.public.Algorithm, p.public.PublicKey = verify.AlgorithmEd25519, vkey
		p.public.Name = k.trust.Origin
		file = []byte(skey + "\n")
	case verify.RoleStatement:
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return p, fmt.Errorf("generate statement key: %w", err)
		}
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			return p, fmt.Errorf("generate statement key: %w", err)
		}
		public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
		if err != nil {
			return p, fmt.Errorf("generate statement key: %w", err)
		}
		p.signer = key
		p.public.Algorithm, p.public.PublicKey = verify.AlgorithmECDSA, base64.StdEncoding.EncodeToString(public)
		p.public.PredicateTypes = statementTypes()
		p.public.Name = k.trust.Origin
		file = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	default:
		return p, tallystick.Errorf(tallystick.Invalid, "a workspace has no key of role %q", string(role))
	}
	id, err := verify.KeyID(p.signer.Public())
	if err != nil {
		return p, err
	}
	p.public.ID, p.public.Role, p.public.Status = id, role, verify.StatusActive
	err = durable.CreateFile(k.path(p.public), 0o600, func(w io.Writer) error {
		_, err := w.Write(file)
		return err
	})
	if err != nil {
		return p, fmt.Errorf("generate %s key: %w", role, err)
	}
	return p, nil
}

// load reads the private key of the one active key of that role.
func (k *Keys) load(role verify.Role) (privateKey, error) {
	active, err := k.active(role)
	if err != nil {
		return privateKey{}, err
	}
	path := k.path(active)
	if err := refuseLoose(path); err != nil {
		return privateKey{}, err
	}
	data, err := readBounded(path)
	if err != nil {
		return privateKey{}, err
	}
	p := privateKey{}
	if role == verify.RoleLog {
		if p, err = logKey(strings.TrimSuffix(string(data), "\n")); err != nil {
			return p, fmt.Errorf("%q: %w", path, err)
		}
	} else if p.signer, err = statementKey(data); err != nil {
		return p, fmt.Errorf("%q: %w", path, err)
	}
	id, err := verify.KeyID(p.signer.Public())
	if err != nil {
		return p, err
	}
	if id != active.ID {
		return p, tallystick.Errorf(tallystick.Invalid, "%q is not the private half of key %s", path, active.ID)
	}
	p.public = active
	return p, nil
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
