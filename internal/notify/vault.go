package notify

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/durable"
)

const (
	subscriptionPrefix = "sub_"
	secretPrefix       = "key_"
	addressPrefix      = "adr_"

	maxVaultFile = 64 << 10 // bytes
	orphanAge    = time.Hour
)

// Vault keeps what nobody may read but the server: addresses, which often carry a token, and the
// secrets that sign. Like private keys they are files of mode 0600 in the workspace, in no database
// and in no backup, so that a copy of either can neither sign nor tell anybody anything. A file never
// changes; the rows that name it follow from the trail.
type Vault struct{ dir string }

// NewVault returns a vault in dir, which is made when it is first needed.
func NewVault(dir string) *Vault { return &Vault{dir: dir} }

// Address is where a subscription is told.
type Address struct {
	URL           string   `json:"url,omitempty"`
	Authorization string   `json:"authorization,omitempty"` // header of that name, for ticket systems
	To            []string `json:"to,omitempty"`            // of e-mail
}

var vaultID = regexp.MustCompile(`^(adr|key)_[0-9a-v]{26}$`)

var idAlphabet = base32.NewEncoding("0123456789abcdefghijklmnopqrstuv").WithPadding(base32.NoPadding)

// newID returns prefix and 26 characters: the time in milliseconds, by which ids sort, and 80 random
// bits.
func newID(prefix string, at time.Time) string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], uint64(at.UnixMilli())<<16)
	rand.Read(b[6:]) // never fails
	return prefix + idAlphabet.EncodeToString(b[:])
}

// put keeps content under a new id.
func (v *Vault) put(id string, content []byte) error {
	if err := durable.MkdirAll(v.dir, 0o700); err != nil {
		return fmt.Errorf("keep %s: %w", id, err)
	}
	return durable.CreateFile(filepath.Join(v.dir, id), 0o600, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
}

// get returns what is kept under an id. It is Unavailable if there is nothing: the workspace was
// restored from a backup, or the file was lost.
func (v *Vault) get(id string) ([]byte, error) {
	if !vaultID.MatchString(id) {
		return nil, tallystick.Errorf(tallystick.Invalid, "%.40q is no id of a secret", id)
	}
	f, err := os.Open(filepath.Join(v.dir, id))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, tallystick.Errorf(tallystick.Unavailable, "the file %s with the address or secret is not in this workspace", id).
			WithHint("backups do not hold it: give the address again with `tallystick notify update`, or a new secret with `tallystick notify rotate`")
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", id, err)
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, maxVaultFile+1))
	if err == nil && len(content) > maxVaultFile {
		err = tallystick.Errorf(tallystick.Invalid, "the file %s is longer than %d bytes", id, maxVaultFile)
	}
	return content, err
}

func (v *Vault) address(id string) (a Address, err error) {
	content, err := v.get(id)
	if err != nil {
		return a, err
	}
	if err := json.Unmarshal(content, &a); err != nil {
		return a, tallystick.Errorf(tallystick.Invalid, "the file %s is damaged", id) // not with the cause, which may quote it
	}
	return a, nil
}

func (v *Vault) secret(id string) (Secret, error) {
	content, err := v.get(id)
	if err != nil {
		return Secret{}, err
	}
	s, err := ParseSecret(string(content))
	if err != nil {
		return Secret{}, tallystick.Errorf(tallystick.Invalid, "the file %s is damaged", id)
	}
	return s, nil
}

// Discard forgets what was kept for a command that was not carried out. A file that stays for all that
// is swept later.
func (v *Vault) Discard(ids ...string) {
	for _, id := range ids {
		if vaultID.MatchString(id) {
			_ = os.Remove(filepath.Join(v.dir, id))
		}
	}
}

// sweep removes the files that no row names and that no command under way can be about to name.
func (v *Vault) sweep(named map[string]bool, now time.Time) error {
	entries, err := os.ReadDir(v.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("sweep %q: %w", v.dir, err)
	}
	var errs []error
	for _, entry := range entries {
		name := entry.Name()
		info, err := entry.Info()
		if err != nil || now.Sub(info.ModTime()) < orphanAge || named[name] || !vaultID.MatchString(name) && !durable.IsTemporary(name) {
			continue
		}
		errs = append(errs, os.Remove(filepath.Join(v.dir, name)))
	}
	return errors.Join(errs...)
}
