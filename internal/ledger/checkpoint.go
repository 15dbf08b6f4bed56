package ledger

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	formats "github.com/transparency-dev/formats/log"
	"github.com/transparency-dev/tessera/api/layout"
	"golang.org/x/mod/sumdb/note"

	"github.com/tallystick/tallystick/verify"
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

// parseCheckpoint reads a checkpoint of origin in its one canonical form, so that no bit of it is free
// to change. Signatures are not verified.
func parseCheckpoint(raw []byte, origin string) (checkpoint, error) {
	parsed, err := verify.ParseCheckpoint(raw)
	if err != nil {
		return checkpoint{}, err
	}
	if parsed.Origin != origin {
		return checkpoint{}, fmt.Errorf("it is of the log %q, not %q", parsed.Origin, origin)
	}
	cp := formats.Checkpoint{Origin: parsed.Origin, Size: parsed.Size, Hash: parsed.Root[:]}
	return checkpoint{cp, raw}, nil
}

// parseBody reads the part of a checkpoint that is signed.
func parseBody(text []byte) (cp checkpoint, err error) {
	if _, err := cp.Unmarshal(text); err != nil {
		return checkpoint{}, err
	}
	if len(cp.Hash) != hashSize || !bytes.Equal(cp.Marshal(), text) {
		return checkpoint{}, errors.New("not a checkpoint in canonical form")
	}
	return cp, nil
}

// verify checks that a known key of the origin signed the checkpoint.
func (c checkpoint) verify(known note.Verifiers) error {
	n, err := note.Open(c.raw, known)
	if err != nil {
		return err
	}
	for _, sig := range n.Sigs {
		if sig.Name == c.Origin {
			return nil
		}
	}
	return fmt.Errorf("no known key of %q signed it", c.Origin)
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
func readState(dir string) (treeState, error) {
	raw, err := readFile(filepath.Join(dir, stateFile), nil, maxState)
	if err != nil {
		return treeState{}, err
	}
	var s treeState
	if err := json.Unmarshal(raw, &s); err != nil {
		return treeState{}, damaged(stateFile, "%v", err)
	}
	if again, err := json.Marshal(s); err != nil || !bytes.Equal(raw, again) || len(s.Root) != hashSize {
		return treeState{}, damaged(stateFile, "it is not in the form that the log writes")
	}
	return s, nil
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
