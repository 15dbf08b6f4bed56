package witness

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	cosignature "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/durable"
)

const (
	keyFile = "key"
	maxKey  = 4 << 10
)

// Key is a witness's own key: Ed25519, for signatures of the type cosignature/v1.
type Key struct {
	Signer note.Signer
	VKey   string // C2SP verifier key of type 0x04, to be given to those who trust the witness
}

// CreateKey makes a directory with a new key for a witness of that name. A directory that has a key
// is a Conflict: another key would be another witness.
func CreateKey(dir, name string) (Key, error) {
	private, _, err := note.GenerateKey(rand.Reader, name)
	if err == nil {
		_, err = note.NewSigner(private) // which looks at the name
	}
	if err != nil {
		return Key{}, tallystick.Errorf(tallystick.Invalid, "a witness cannot be named %.80q: %w", name, err).
			WithHint("use a name like witness.example.org/w1, without spaces and +")
	}
	if err := durable.MkdirAll(dir, 0o700); err != nil {
		return Key{}, fmt.Errorf("create witness: %w", err)
	}
	path := filepath.Join(dir, keyFile)
	err = durable.CreateFile(path, 0o600, func(w io.Writer) error {
		_, err := io.WriteString(w, private+"\n")
		return err
	})
	if errors.Is(err, fs.ErrExist) {
		return Key{}, tallystick.Errorf(tallystick.Conflict, "%s has a witness's key already", dir).
			WithHint("show it with: tallystick witness status --dir %s", dir)
	}
	if err != nil {
		return Key{}, fmt.Errorf("create witness: %w", err)
	}
	return OpenKey(dir)
}

// OpenKey reads the key of the witness in dir.
func OpenKey(dir string) (Key, error) {
	path := filepath.Join(dir, keyFile)
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Key{}, tallystick.Errorf(tallystick.NotFound, "there is no witness in %q", dir).
			WithHint("make one with: tallystick witness init --dir %s", dir)
	}
	if err != nil {
		return Key{}, fmt.Errorf("open witness: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return Key{}, fmt.Errorf("open witness: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return Key{}, tallystick.Errorf(tallystick.Invalid, "the witness's key %s can be read by others (mode %o)", path, info.Mode().Perm()).
			WithHint("if nobody has read it: chmod 600 %s", path)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxKey))
	if err != nil {
		return Key{}, fmt.Errorf("open witness: %w", err)
	}
	signer, err := cosignature.NewSignerForCosignatureV1(strings.TrimSuffix(string(data), "\n"))
	if err != nil {
		return Key{}, tallystick.Errorf(tallystick.Invalid, "the witness's key %s is damaged: %w", path, err).WithHint("put it back from a copy")
	}
	vkey, err := publicKey(string(data))
	if err != nil {
		return Key{}, err
	}
	return Key{Signer: signer, VKey: vkey}, nil
}

// publicKey returns the verifier key of a private key in the form that CreateKey writes.
func publicKey(private string) (string, error) {
	fields := strings.SplitN(strings.TrimSuffix(private, "\n"), "+", 5) // PRIVATE+KEY+name+hash+key
	if len(fields) != 5 {
		return "", tallystick.Errorf(tallystick.Invalid, "the witness's key is damaged")
	}
	seed, err := base64.StdEncoding.DecodeString(fields[4])
	if err != nil || len(seed) != 1+ed25519.SeedSize {
		return "", tallystick.Errorf(tallystick.Invalid, "the witness's key is damaged")
	}
	pub := ed25519.NewKeyFromSeed(seed[1:]).Public().(ed25519.PublicKey)
	plain, err := note.NewEd25519VerifierKey(fields[2], pub)
	if err != nil {
		return "", err
	}
	return cosignature.VKeyToCosignatureV1(plain)
}
