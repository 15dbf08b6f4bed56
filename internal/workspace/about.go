package workspace

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/durable"
	"github.com/tallystick/tallystick/internal/evidence"
)

const (
	aboutFile   = "workspace.json"
	aboutSchema = "https://github.com/tallystick/tallystick/schema/workspace/v1"
	maxAbout    = 1 << 20
)

// about is workspace.json. It is written last when a workspace is made, so a directory that has it
// has keys.
type about struct {
	Schema string `json:"schema"`
	Origin string `json:"origin"` // of the ledger, and name of its key
	// Prefix holds the first entries of the ledger that are no events: in a restored workspace, the
	// last checkpoint of the ledger before.
	Prefix [][]byte `json:"prefix,omitempty"`
	// Database is onServer, or empty if the state is in a file of the workspace.
	Database string `json:"database,omitempty"`
}

func readAbout(dir string) (about, error) {
	f, err := os.Open(filepath.Join(dir, aboutFile))
	if err != nil {
		return about{}, err
	}
	defer f.Close()
	var a about
	dec := json.NewDecoder(io.LimitReader(f, maxAbout))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&a); err != nil {
		return about{}, tallystick.Errorf(tallystick.Invalid, "%s is damaged: %w", aboutFile, err)
	}
	if a.Schema != aboutSchema || a.Origin == "" {
		return about{}, tallystick.Errorf(tallystick.Invalid, "%s is of another kind: schema %q", aboutFile, a.Schema).
			WithHint("use the version of tallystick that made this workspace, or a newer one")
	}
	return a, nil
}

func (a about) write(dir string) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetIndent("", "  ")
	if err := enc.Encode(a); err != nil {
		return err
	}
	return durable.WriteFile(filepath.Join(dir, aboutFile), 0o600, func(w io.Writer) error {
		_, err := w.Write(b.Bytes())
		return err
	})
}

// newOrigin returns an origin that no other workspace has.
func newOrigin() string {
	var id [16]byte
	rand.Read(id[:])
	return "tallystick.local/" + hex.EncodeToString(id[:])
}

// create makes the directory and the keys of a new workspace.
func create(cfg Config) (about, error) {
	if err := durable.MkdirAll(cfg.Dir, 0o700); err != nil {
		return about{}, err
	}
	keys := filepath.Join(cfg.Dir, keysDir)
	k, err := evidence.OpenKeys(keys)
	if tallystick.CodeOf(err) == tallystick.NotFound {
		if exists(filepath.Join(cfg.Dir, stateFile)) || exists(filepath.Join(cfg.Dir, ledgerDir)) {
			return about{}, tallystick.Errorf(tallystick.Conflict, "it holds a database or a ledger, but no keys").
				WithHint("restore it from a backup, or use another directory with --workspace DIR")
		}
		k, err = evidence.CreateKeys(keys, newOrigin())
	}
	if err != nil {
		return about{}, fmt.Errorf("create: %w", err)
	}
	a := about{Schema: aboutSchema, Origin: k.Trust().Origin}
	if cfg.Database != "" {
		a.Database = onServer
	}
	return a, a.write(cfg.Dir)
}
