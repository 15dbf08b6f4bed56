package evidence

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/sumdb/note"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/verify"
)

const testOrigin = "example.org/ledger"

func createKeys(t *testing.T) (*Keys, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "keys")
	k, err := CreateKeys(dir, testOrigin)
	if err != nil {
		t.Fatal(err)
	}
	return k, dir
}

func TestKeys(t *testing.T) {
	t.Parallel()
	k, dir := createKeys(t)
	opened, err := OpenKeys(dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(k.Trust(), opened.Trust()); diff != "" {
		t.Errorf("trust after opening (-created +opened):\n%s", diff)
	}
	if opened.LogSigner().Name() != testOrigin {
		t.Errorf("log signer is named %q", opened.LogSigner().Name())
	}
	verifiers, err := opened.LogVerifiers()
	if err != nil {
		t.Fatal(err)
	}
	signed, err := note.Sign(&note.Note{Text: "text\n"}, k.LogSigner())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := note.Open(signed, verifiers); err != nil {
		t.Errorf("note.Open = %v", err)
	}
	err = filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		info, infoErr := entry.Info()
		if err != nil || infoErr != nil {
			t.Fatal(err, infoErr)
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has the permissions %v", path, info.Mode())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := CreateKeys(dir, testOrigin); tallystick.CodeOf(err) != tallystick.Conflict {
		t.Errorf("second CreateKeys = %v, want Conflict", err)
	}
	if _, err := OpenKeys(t.TempDir()); err == nil {
		t.Error("keys in an empty directory")
	}
	if _, err := CreateKeys(filepath.Join(t.TempDir(), "k"), "two words"); err == nil {
		t.Error("an origin that no signature line can hold was accepted")
	}
}

func TestOpenKeysRefuses(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(t *testing.T, dir, logKey, statementKey string) error{
		"open directory": func(t *testing.T, dir, _, _ string) error { return os.Chmod(dir, 0o750) },
		"readable key":   func(t *testing.T, _, logKey, _ string) error { return os.Chmod(logKey, 0o640) },
		"writable key":   func(t *testing.T, _, _, statementKey string) error { return os.Chmod(statementKey, 0o602) },
		"missing key":    func(t *testing.T, _, logKey, _ string) error { return os.Remove(logKey) },
		"link":           func(t *testing.T, _, logKey, _ string) error { return relink(logKey) },
		"log key damaged": func(t *testing.T, _, logKey, _ string) error {
			return os.WriteFile(logKey, []byte("PRIVATE+KEY+x"), 0o600)
		},
		"statement absent": func(t *testing.T, _, _, statementKey string) error { return os.WriteFile(statementKey, nil, 0o600) },
		"statement key of another": func(t *testing.T, _, _, statementKey string) error {
			return os.WriteFile(statementKey, privatePEM(t, elliptic.P256()), 0o600)
		},
		"statement key of another curve": func(t *testing.T, _, _, statementKey string) error {
			return os.WriteFile(statementKey, privatePEM(t, elliptic.P384()), 0o600)
		},
		"log key of another": func(t *testing.T, _, logKey, _ string) error {
			skey, _, err := note.GenerateKey(rand.Reader, testOrigin)
			if err != nil {
				return err
			}
			return os.WriteFile(logKey, []byte(skey+"\n"), 0o600)
		},
		"trust damaged": func(t *testing.T, dir, _, _ string) error {
			return os.WriteFile(filepath.Join(dir, "trust.json"), []byte("{}"), 0o600)
		},
		"trust too long": func(t *testing.T, dir, _, _ string) error {
			return os.WriteFile(filepath.Join(dir, "trust.json"), make([]byte, maxKeyFile+1), 0o600)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k, dir := createKeys(t)
			if err := spoil(t, dir, k.path(k.log.public), k.path(k.statement.public)); err != nil {
				t.Fatal(err)
			}
			if _, err := OpenKeys(dir); err == nil {
				t.Error("opened")
			}
		})
	}
}

func relink(path string) error {
	if err := os.Rename(path, path+"2"); err != nil {
		return err
	}
	return os.Symlink(path+"2", path)
}

func privatePEM(t *testing.T, curve elliptic.Curve) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func TestRotate(t *testing.T) {
	t.Parallel()
	for _, role := range []verify.Role{verify.RoleLog, verify.RoleStatement} {
		t.Run(string(role), func(t *testing.T) {
			t.Parallel()
			k, dir := createKeys(t)
			before := k.Trust()
			successor, err := k.Succeed(role)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := successor.From(3); err != nil { // another event got there first
				t.Fatal(err)
			}
			r, err := successor.From(7)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(before, k.Trust()); diff != "" {
				t.Errorf("trust changed before the rotation was adopted:\n%s", diff)
			}
			for range 2 { // the second time does nothing
				if err := k.Adopt(r); err != nil {
					t.Fatal(err)
				}
			}
			if err := r.Verify(k.Trust()); err != nil {
				t.Errorf("Verify = %v", err)
			}
			if err := r.Verify(before); err == nil {
				t.Error("a rotation to an unknown key verifies")
			}
			for i := range r.Signatures {
				spoilt := r
				spoilt.Signatures = slices.Clone(r.Signatures)
				spoilt.Signatures[i].Signature = r.Signatures[1-i].Signature
				if err := spoilt.Verify(k.Trust()); err == nil {
					t.Errorf("signature %d of the other key verifies", i)
				}
			}
			spoilt := r
			spoilt.Statement.FromIndex++
			if err := spoilt.Verify(k.Trust()); err == nil {
				t.Error("another index verifies")
			}
			data, err := r.Marshal()
			if err != nil {
				t.Fatal(err)
			}
			if parsed, err := ParseRotation(data); err != nil || !cmp.Equal(r, parsed) {
				t.Errorf("ParseRotation = %+v, %v", parsed, err)
			}
			opened, err := OpenKeys(dir)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(k.Trust(), opened.Trust()); diff != "" {
				t.Errorf("trust after opening (-rotated +opened):\n%s", diff)
			}
			for _, key := range opened.Trust().Keys {
				switch key.ID {
				case r.Statement.Old:
					if key.Status != verify.StatusRetired || *key.UntilIndex != 7 {
						t.Errorf("old key: %+v", key)
					}
				case r.Statement.New:
					if key.Status != verify.StatusActive || key.FromIndex != 7 || key.UntilIndex != nil {
						t.Errorf("new key: %+v", key)
					}
				}
			}
			again, err := k.Succeed(role)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := again.From(6); tallystick.CodeOf(err) != tallystick.Invalid {
				t.Errorf("rotation backwards = %v", err)
			}
			if err := k.Sweep(); err != nil {
				t.Fatal(err)
			}
			if files, err := os.ReadDir(dir); err != nil || len(files) != 3 {
				t.Errorf("%d files after sweeping, want trust.json and two private keys (%v)", len(files), err)
			}
			if _, err := k.MarkCompromised(r.Statement.New, 9); tallystick.CodeOf(err) != tallystick.Conflict {
				t.Errorf("the key in use was given up: %v", err)
			}
			marked, err := k.MarkCompromised(r.Statement.Old, 5)
			if err != nil || marked.Status != verify.StatusCompromised || *marked.CompromisedFrom != 5 {
				t.Errorf("MarkCompromised = %+v, %v", marked, err)
			}
			if marked, err = k.MarkCompromised(r.Statement.Old, 6); err != nil || *marked.CompromisedFrom != 5 {
				t.Errorf("a later index opened the range again: %+v, %v", marked, err)
			}
			if err := opened.Reload(); err != nil {
				t.Error(err)
			}
			if diff := cmp.Diff(k.Trust(), opened.Trust()); diff != "" {
				t.Errorf("trust after reloading (-marked +reloaded):\n%s", diff)
			}
		})
	}
}

func TestAdoptRefuses(t *testing.T) {
	t.Parallel()
	good := func(t *testing.T) (*Keys, Rotation) {
		k, _ := createKeys(t)
		s, err := k.Succeed(verify.RoleStatement)
		if err != nil {
			t.Fatal(err)
		}
		r, err := s.From(7)
		if err != nil {
			t.Fatal(err)
		}
		return k, r
	}
	for name, spoil := range map[string]func(t *testing.T, k *Keys, r *Rotation){
		"another index":     func(_ *testing.T, _ *Keys, r *Rotation) { r.Statement.FromIndex++ },
		"another origin":    func(_ *testing.T, _ *Keys, r *Rotation) { r.Statement.Origin = "example.org/other" },
		"another role":      func(_ *testing.T, _ *Keys, r *Rotation) { r.Statement.Role = verify.RoleLog },
		"one signature":     func(_ *testing.T, _ *Keys, r *Rotation) { r.Signatures = r.Signatures[1:] },
		"of another ledger": func(t *testing.T, _ *Keys, r *Rotation) { _, *r = good(t) },
		"no private key": func(t *testing.T, k *Keys, _ *Rotation) {
			if err := k.Sweep(); err != nil {
				t.Fatal(err)
			}
		},
		"not in use": func(t *testing.T, k *Keys, r *Rotation) {
			rival, err := k.Succeed(verify.RoleStatement)
			if err != nil {
				t.Fatal(err)
			}
			first, err := rival.From(7)
			if err != nil {
				t.Fatal(err)
			}
			if err := k.Adopt(first); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k, r := good(t)
			spoil(t, k, &r)
			before := k.Trust()
			if err := k.Adopt(r); err == nil {
				t.Error("adopted")
			}
			if diff := cmp.Diff(before, k.Trust()); diff != "" {
				t.Errorf("trust changed:\n%s", diff)
			}
		})
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	k, _ := createKeys(t)
	id := k.Active(verify.RoleLog).ID
	if key, err := k.Find(id[:12]); err != nil || key.ID != id {
		t.Errorf("Find = %s, %v; want %s", key.ID, err, id)
	}
	for _, id := range []string{"", "x", strings.Repeat("0", 65)} {
		if _, err := k.Find(id); tallystick.CodeOf(err) != tallystick.NotFound {
			t.Errorf("Find(%q) = %v, want NotFound", id, err)
		}
	}
}

func TestMarkCompromisedRefuses(t *testing.T) {
	t.Parallel()
	k, _ := createKeys(t)
	for _, id := range []string{"", "x", strings.Repeat("0", 65)} {
		if _, err := k.MarkCompromised(id, 0); err == nil {
			t.Errorf("MarkCompromised(%q) succeeded", id)
		}
	}
}
