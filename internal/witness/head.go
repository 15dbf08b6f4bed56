package witness

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"

	"github.com/transparency-dev/formats/log"
	"golang.org/x/mod/sumdb/note"
)

// head is what a checkpoint says: the state of one log at one size. It may come with extension
// lines, about which a witness states nothing.
type head struct {
	origin string
	size   uint64
	root   [sha256.Size]byte
	text   string // all that is signed
}

// parseHead reads a signed note without checking its signatures.
func parseHead(signed []byte) (head, error) {
	if len(signed) > maxCheckpoint {
		return head{}, fmt.Errorf("checkpoint is longer than %d bytes", maxCheckpoint)
	}
	var unverified *note.UnverifiedNoteError
	if _, err := note.Open(signed, note.VerifierList()); !errors.As(err, &unverified) {
		return head{}, fmt.Errorf("checkpoint: %w", err)
	}
	text := unverified.Note.Text
	var c log.Checkpoint
	if _, err := c.Unmarshal([]byte(text)); err != nil {
		return head{}, fmt.Errorf("checkpoint: %w", err)
	}
	if len(c.Hash) != sha256.Size || !bytes.HasPrefix([]byte(text), c.Marshal()) || strings.Contains(text, "\n\n") {
		return head{}, errors.New("checkpoint is not origin, size and root hash on three lines")
	}
	return head{origin: c.Origin, size: c.Size, root: [sha256.Size]byte(c.Hash), text: text}, nil
}

// emptyRoot is the root hash of a tree without entries (RFC 6962 section 2.1).
func emptyRoot() [sha256.Size]byte { return sha256.Sum256(nil) }
