package evidence

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/durable"
	"github.com/tallystick/tallystick/verify"
)

// path returns the file of a private key.
func (k *Keys) path(key verify.Key) string {
	extension := ".key"
	if key.Role == verify.RoleStatement {
		extension = ".pem"
	}
	return filepath.Join(k.dir, string(key.Role)+"-"+key.ID[:idDigits]+extension)
}

// isPrivateKey reports whether a file has a name that path makes.
func isPrivateKey(name string) bool {
	return strings.HasPrefix(name, string(verify.RoleLog)+"-") && filepath.Ext(name) == ".key" ||
		strings.HasPrefix(name, string(verify.RoleStatement)+"-") && filepath.Ext(name) == ".pem"
}

// generate makes a private key and writes its file.
func (k *Keys) generate(role verify.Role) (privateKey, error) {
	var p privateKey
	var file []byte
	switch role {
	case verify.RoleLog:
		skey, vkey, err := note.GenerateKey(rand.Reader, k.origin)
		if err != nil {
			return p, fmt.Errorf("generate log key: %w", err)
		}
		if p, err = logKey(skey); err != nil {
			return p, err
		}
		p.public.Algorithm, p.public.PublicKey = verify.AlgorithmEd25519, vkey
		p.public.Name = k.origin
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
		p.public.PredicateTypes = StatementTypes()
		p.public.Name = k.origin
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

// loadKey reads the private half of a key.
func (k *Keys) loadKey(public verify.Key) (privateKey, error) {
	path := k.path(public)
	if err := refuseLoose(path); err != nil {
		return privateKey{}, err
	}
	data, err := readBounded(path)
	if err != nil {
		return privateKey{}, err
	}
	p := privateKey{}
	if public.Role == verify.RoleLog {
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
	if id != public.ID {
		return p, tallystick.Errorf(tallystick.Invalid, "%q is not the private half of key %s", path, public.ID)
	}
	p.public = public
	return p, nil
}

// Sweep removes what rotations that were cut short have left: private keys that are not in use, and
// temporary files. Nobody else may be rotating.
func (k *Keys) Sweep() error {
	entries, err := os.ReadDir(k.dir)
	if err != nil {
		return fmt.Errorf("sweep keys: %w", err)
	}
	var inUse, rest []string
	for _, role := range []verify.Role{verify.RoleLog, verify.RoleStatement} {
		inUse = append(inUse, filepath.Base(k.path(k.Active(role))))
	}
	for _, e := range entries {
		if name := e.Name(); durable.IsTemporary(name) || isPrivateKey(name) && !slices.Contains(inUse, name) {
			rest = append(rest, name)
		}
	}
	return k.destroy(rest...)
}

// destroy removes files, durably. One that is gone already, through another process, is as good.
func (k *Keys) destroy(names ...string) error {
	for _, name := range names {
		if err := os.Remove(filepath.Join(k.dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("destroy a private key: %w", err)
		}
	}
	if len(names) == 0 {
		return nil
	}
	return durable.SyncDir(k.dir)
}
