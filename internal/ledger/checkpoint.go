package ledger

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	formats "github.com/transparency-dev/formats/log"
	"github.com/transparency-dev/tessera/api/layout"
	"golang.org/x/mod/sumdb/note"
)

const (
	checkpointFile = layout.CheckpointPath
	stateDir       = ".state"
	stateFile      = stateDir + "/treeState"
	versionFile    = stateDir + "/version"

	maxCheckpoint = 1 << 20 // bytes; room for any number of cosignatures
	maxState      = 1 << 10
	hashSize      = 32
)

// checkpoint is a parsed checkpoint beside its bytes.
type checkpoint struct {
	formats.Checkpoint
	raw []byte
}

// parseCheckpoint reads a tlog-checkpoint of origin in its one canonical form: no extension lines,
// and base64 that encodes back to itself, so that no bit of it is free to change. Signatures are
// not verified.
func parseCheckpoint(raw []byte, origin string) (checkpoint, error) {
	text, _, ok := bytes.Cut(raw, []byte("\n\n"))
	if !ok {
		return checkpoint{}, errors.New("not a signed note")
	}
	cp := checkpoint{raw: raw}
	if err := cp.parseBody(append(bytes.Clone(text), '\n')); err != nil {
		return checkpoint{}, err
	}
	if cp.Origin != origin {
		return checkpoint{}, fmt.Errorf("it is of the log %q, not %q", cp.Origin, origin)
	}
	return cp, nil
}

func (c *checkpoint) parseBody(text []byte) error {
	if _, err := c.Unmarshal(text); err != nil {
		return err
	}
	if len(c.Hash) != hashSize || !bytes.Equal(c.Marshal(), text) {
		return errors.New("not a checkpoint in canonical form")
	}
	return nil
}

// verify checks that the origin's own key is among the known ones and signed the checkpoint.
func (c checkpoint) verify(known note.Verifiers) error {
	n, err := note.Open(c.raw, known)
	if err != nil {
		return err
	}
	var signed bool
	for _, sig := range n.Sigs {
		signed = signed || sig.Name == c.Origin
	}
	if !signed {
		return fmt.Errorf("no known key of %q signed it", c.Origin)
	}
	if n.Text != string(c.Marshal()) {
		return errors.New("what is signed is not a checkpoint in canonical form")
	}
	for sig := range bytes.Lines(c.raw[len(n.Text)+1:]) {
		_, b64, _ := bytes.Cut(bytes.TrimPrefix(bytes.TrimSuffix(sig, []byte("\n")), []byte("— ")), []byte(" "))
		decoded, err := base64.StdEncoding.Strict().DecodeString(string(b64))
		if err != nil || base64.StdEncoding.EncodeToString(decoded) != string(b64) {
			return errors.New("a signature is not in canonical form")
		}
	}
	return nil
}

// readCheckpoint reads the published checkpoint of the log in dir.
func readCheckpoint(dir, origin string) (checkpoint, error) {
	raw, err := readFile(filepath.Join(dir, checkpointFile), nil, maxCheckpoint)
	if err != nil {
		return checkpoint{}, err
	}
	cp, err := parseCheckpoint(raw, origin)
	if err != nil {
		return checkpoint{}, damaged(checkpointFile, "%v", err)
	}
	return cp, nil
}

// treeState is Tessera's own record of the tree, which runs ahead of the checkpoint.
type treeState struct {
	Size uint64 `json:"size"`
	Root []byte `json:"root"`
}

// readState reads the tree state of the log in dir, in the one form that Tessera writes.
func readState(dir string) (treeState, []byte, error) {
	raw, err := readFile(filepath.Join(dir, stateFile), nil, maxState)
	if err != nil {
		return treeState{}, nil, err
	}
	var s treeState
	if err := json.Unmarshal(raw, &s); err != nil {
		return treeState{}, nil, damaged(stateFile, "%v", err)
	}
	if again, err := json.Marshal(s); err != nil || !bytes.Equal(raw, again) || len(s.Root) != hashSize {
		return treeState{}, nil, damaged(stateFile, "it is not in the form that the log writes")
	}
	return s, raw, nil
}

// readVersion makes sure that the directory has the one layout that this package knows.
func readVersion(dir string) error {
	raw, err := readFile(filepath.Join(dir, versionFile), nil, maxState)
	if errors.Is(err, os.ErrNotExist) {
		return damaged(versionFile, "it is missing")
	}
	if err != nil {
		return err
	}
	if string(raw) != "1" {
		return damaged(versionFile, "it says %q, not 1", raw)
	}
	return nil
}
