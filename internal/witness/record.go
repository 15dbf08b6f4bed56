package witness

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	cosignature "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/durable"
)

const (
	logsDir   = "logs"
	recordExt = ".checkpoint"
)

// record is what a witness knows of one log.
type record struct {
	origin string
	known  note.Verifiers // the log's keys
	path   string

	mu   sync.Mutex // held from the check of a checkpoint until it is durable
	held cosigned   // under mu; its note is nil before the first
}

// cosigned is a checkpoint with the signatures of its log and of the witness.
type cosigned struct {
	head
	note []byte
	line []byte // the witness's signature alone
	at   time.Time
}

// originHash names a log where its origin cannot stand: in a path.
func originHash(origin string) string {
	sum := sha256.Sum256([]byte(origin))
	return hex.EncodeToString(sum[:])
}

// openRecord reads what is held of a log. Damage is an error: to begin anew would be to forget.
func openRecord(dir string, log Log, own note.Verifier) (*record, error) {
	r := &record{origin: log.Origin, known: note.VerifierList(log.Keys...), path: filepath.Join(dir, logsDir, originHash(log.Origin)+recordExt)}
	data, err := readRecord(r.path)
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err == nil {
		r.held, err = parseCosigned(data, own)
	}
	if err == nil && r.held.origin != log.Origin {
		err = fmt.Errorf("it is of the log %q", r.held.origin)
	}
	if err != nil {
		return nil, damagedRecord(r.path, err)
	}
	return r, nil
}

func damagedRecord(path string, err error) error {
	return tallystick.Errorf(tallystick.Invalid, "what the witness holds of a log is damaged: %s: %w", path, err).
		WithHint("put the file back from a copy that is not older; a witness that forgets lets a log change its past")
}

func readRecord(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, 2*maxCheckpoint))
}

// parseCosigned reads a checkpoint that the witness whose key is own has cosigned.
func parseCosigned(signed []byte, own note.Verifier) (cosigned, error) {
	n, err := note.Open(signed, note.VerifierList(own))
	if err != nil {
		return cosigned{}, err
	}
	h, err := parseHead(signed)
	if err != nil {
		return cosigned{}, err
	}
	at, err := cosignature.CoSigV1Timestamp(n.Sigs[0])
	if err != nil {
		return cosigned{}, err
	}
	return cosigned{head: h, note: signed, line: signatureLine(n.Sigs[0]), at: at}, nil
}

func signatureLine(s note.Signature) []byte { return fmt.Appendf(nil, "— %s %s\n", s.Name, s.Base64) }

// store makes c durable as what is held. Its caller holds mu.
func (r *record) store(c cosigned) error {
	err := durable.WriteFile(r.path, 0o600, func(w io.Writer) error {
		_, err := io.Copy(w, bytes.NewReader(c.note))
		return err
	})
	if err == nil {
		r.held = c
	}
	return err
}
