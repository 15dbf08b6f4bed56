// Package workspace is the directory of one installation: its database, ledger, keys and evidence,
// opened together and in the right order, sealed, checked, backed up and restored.
//
//	workspace.json   origin, and what it was restored from
//	state.db         trail and catalog (package state), unless they are on a PostgreSQL server
//	ledger/          Merkle log (package ledger)
//	keys/            private keys and trust.json (package evidence)
//	evidence/        statements, reports and policies by digest (package blob)
//	artifacts/       files of versions that were uploaded, by digest (package blob)
//	predictions/     segments of predictions by digest (package blob)
//	journal/         predictions that are not in segments yet (package journal); a server's
//	witness/         who cosigns the ledger, and the newest checkpoint that they have cosigned
//
// The anchor, the newest checkpoint, lies outside in a directory of its own, so that putting back an
// old copy of the workspace is noticed.
package workspace

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/blob"
	"github.com/tallystick/tallystick/internal/evidence"
	"github.com/tallystick/tallystick/internal/ledger"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
	"github.com/tallystick/tallystick/verify"
)

const (
	stateFile   = "state.db"
	ledgerDir   = "ledger"
	keysDir     = "keys"
	evidenceDir = "evidence"
	artifactDir = "artifacts"
	predictions = "predictions"
	maxArtifact = 1 << 40          // bytes of one file
	lockWait    = 30 * time.Second // for another process that is sealing
	lastWait    = 20 * time.Second // for what is left to be sealed at the end
	sealPoll    = 20 * time.Millisecond
)

// Config says where a workspace lies and who opens it. Dir, Anchors and Actor are required.
type Config struct {
	Dir     string
	Anchors string // directory of anchors, outside Dir
	Actor   trail.Actor
	// Database is the URL of a PostgreSQL database for the state, postgres://...; empty means a file
	// among the others. A workspace keeps to what it was made with.
	Database string
	Now      func() time.Time // nil means time.Now
	Logger   *slog.Logger     // nil discards
	// MustExist refuses to make a workspace where there is none: asking questions creates nothing.
	MustExist bool
}

// Workspace is an open workspace. Several processes may have one open; they take turns at sealing.
type Workspace struct {
	DB       *state.DB
	Recorder *trail.Recorder
	Trail    *trail.Reader
	Keys     *evidence.Keys
	Evidence *evidence.Store
	// Artifacts keeps files of versions. It is empty unless somebody has uploaded any.
	Artifacts *blob.Store
	// Segments keeps predictions, in files of package segment.
	Segments *blob.Store

	cfg       Config
	about     about
	blobs     *blob.Store   // of Evidence
	published chan struct{} // wakes KeepCosigned
}

// Open opens the workspace in cfg.Dir, and makes it first where there is none. A workspace that was
// made only in part, because the program died, is finished.
func Open(ctx context.Context, cfg Config) (_ *Workspace, err error) {
	cfg.Logger = cmp.Or(cfg.Logger, slog.New(slog.DiscardHandler))
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	w := &Workspace{cfg: cfg, published: make(chan struct{}, 1)}
	if w.about, err = readAbout(cfg.Dir); errors.Is(err, fs.ErrNotExist) {
		if cfg.MustExist {
			return nil, tallystick.Errorf(tallystick.NotFound, "there is no workspace in %q", cfg.Dir).
				WithHint("an audit makes one; or name another with --workspace DIR")
		}
		w.about, err = create(cfg)
	}
	if err != nil {
		return nil, fmt.Errorf("open workspace %q: %w", cfg.Dir, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.Close())
		}
	}()
	if w.Keys, err = evidence.OpenKeys(w.path(keysDir)); err != nil {
		return nil, err
	}
	if w.blobs, err = blob.Open(blob.Config{Dir: w.path(evidenceDir)}); err != nil {
		return nil, err
	}
	w.Evidence = evidence.NewStore(w.blobs)
	if w.Artifacts, err = blob.Open(blob.Config{Dir: w.path(artifactDir), MaxSize: maxArtifact}); err != nil {
		return nil, err
	}
	if w.Segments, err = blob.Open(blob.Config{Dir: w.path(predictions)}); err != nil {
		return nil, err
	}
	if w.DB, err = w.openState(ctx); err != nil {
		return nil, err
	}
	if w.Recorder, err = trail.NewRecorder(trail.RecorderConfig{DB: w.DB, Source: w.about.Origin, Now: cfg.Now}); err != nil {
		return nil, err
	}
	w.Trail = trail.NewReader(w.DB, w.about.Origin)
	if err := w.begin(ctx); err != nil {
		return nil, err
	}
	return w, w.followKeys(ctx)
}

// Close lets the database go. Nothing that was acknowledged depends on it.
func (w *Workspace) Close() error {
	if w.DB == nil {
		return nil
	}
	return w.DB.Close()
}

// Dir returns the workspace's directory.
func (w *Workspace) Dir() string { return w.cfg.Dir }

// Origin returns the origin of the workspace's ledger.
func (w *Workspace) Origin() string { return w.about.Origin }

// Actor returns who has opened the workspace.
func (w *Workspace) Actor() trail.Actor { return w.cfg.Actor }

// Trust returns whom a verifier of this workspace believes: its own keys.
func (w *Workspace) Trust() verify.Trust { return w.Keys.Trust() }

// Ledger returns a reader of the ledger as of its published checkpoint.
func (w *Workspace) Ledger() (*ledger.Reader, error) {
	return ledger.OpenReader(w.path(ledgerDir), w.about.Origin)
}

func (w *Workspace) path(name string) string { return filepath.Join(w.cfg.Dir, name) }

// anchor returns the path of the ledger's anchor. Origins end in a random id that is a file name.
func (w *Workspace) anchor() string {
	return filepath.Join(w.cfg.Anchors, filepath.Base(w.about.Origin)+".checkpoint")
}

// begin records the workspace's own beginning, once.
func (w *Workspace) begin(ctx context.Context) error {
	return w.DB.Write(ctx, func(tx *state.Tx) error {
		if err := w.checkTrail(tx); err != nil {
			return err
		}
		var events int
		if err := tx.QueryRow("SELECT count(*) FROM (SELECT 1 FROM events LIMIT 1) AS t").Scan(&events); err != nil {
			return fmt.Errorf("read the trail: %w", err)
		}
		if events > 0 {
			return nil
		}
		var ids []string
		for _, key := range w.Trust().Keys {
			ids = append(ids, key.ID)
		}
		_, err := w.Recorder.RecordIn(tx, trail.Entry{
			Type: trail.WorkspaceCreated, Actor: w.cfg.Actor, Resource: trail.Resource{Type: "workspace", ID: w.about.Origin},
			Outcome: tallystick.Success, Data: map[string]any{"origin": w.about.Origin, "keys": ids, "path": w.cfg.Dir},
		})
		if err != nil {
			return err
		}
		return w.recordKeysIn(tx)
	})
}

// recordKeys records the keys of a workspace that has got new ones.
func (w *Workspace) recordKeys(ctx context.Context) error {
	return w.DB.Write(ctx, w.recordKeysIn)
}

func (w *Workspace) recordKeysIn(tx *state.Tx) error {
	for _, key := range w.Trust().Keys {
		_, err := w.Recorder.RecordIn(tx, trail.Entry{
			Type: trail.KeyCreated, Actor: w.cfg.Actor, Resource: trail.Resource{Type: keyResource, ID: key.ID}, Outcome: tallystick.Success,
			Data: map[string]any{"key": key.ID, "role": string(key.Role), "algorithm": string(key.Algorithm), "public_key": key.PublicKey},
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// exists reports whether there is something at path.
func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
