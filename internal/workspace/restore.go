package workspace

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/blob"
	"github.com/tallystick/tallystick/internal/durable"
	"github.com/tallystick/tallystick/internal/evidence"
	"github.com/tallystick/tallystick/internal/ledger"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
	"github.com/tallystick/tallystick/verify"
)

const (
	previousDir = "previous" // ledgers that a restored workspace continues, by the last part of their origin
	maxFiles    = 10_000_000
	maxFileSize = 1 << 40
)

// Restored says what a restored workspace goes on from.
type Restored struct {
	Origin, Previous string
	Checkpoint       verify.Checkpoint // the last of the previous ledger
	Events           uint64
}

// Restore makes a workspace in cfg.Dir, which must not exist or be empty, from a backup. It checks
// the backup whole before anything is kept. The restored workspace always opens a new ledger, whose
// first entry is the last checkpoint of the old one and into which the old events are entered again:
// to append to a copy of a ledger would fork it. The old ledger stays readable beside it.
func Restore(ctx context.Context, cfg Config, backup string) (_ Restored, err error) {
	if cfg.Database != "" {
		return Restored{}, tallystick.Errorf(tallystick.Invalid, "a backup is restored into a workspace with a file for its state").
			WithHint("leave out the database")
	}
	if entries, err := os.ReadDir(cfg.Dir); err == nil && len(entries) > 0 {
		return Restored{}, tallystick.Errorf(tallystick.Conflict, "%q is not empty", cfg.Dir).
			WithHint("restore into a new directory with --workspace DIR")
	}
	digest, err := digestFile(backup)
	if err != nil {
		return Restored{}, tallystick.Errorf(tallystick.Invalid, "restore: %w", err)
	}
	parent := filepath.Dir(cfg.Dir)
	if err := durable.MkdirAll(parent, 0o700); err != nil {
		return Restored{}, fmt.Errorf("restore: %w", err)
	}
	staging, err := os.MkdirTemp(parent, ".restore-*")
	if err != nil {
		return Restored{}, fmt.Errorf("restore: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(staging)) }()
	if err := extract(ctx, backup, staging); err != nil {
		return Restored{}, fmt.Errorf("restore from %q: %w", backup, err)
	}
	old, err := inspect(ctx, staging)
	if err != nil {
		return Restored{}, fmt.Errorf("restore from %q: %w", backup, err)
	}
	fresh, err := old.renew(staging)
	if err != nil {
		return Restored{}, fmt.Errorf("restore: %w", err)
	}
	if err := os.Remove(cfg.Dir); err != nil && !errors.Is(err, os.ErrNotExist) {
		return Restored{}, fmt.Errorf("restore: %w", err)
	}
	if err := os.Rename(staging, cfg.Dir); err != nil {
		return Restored{}, fmt.Errorf("restore: %w", err)
	}
	if err := durable.SyncDir(parent); err != nil {
		return Restored{}, fmt.Errorf("restore: %w", err)
	}
	w, err := Open(ctx, cfg)
	if err != nil {
		return Restored{}, err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	_, err = w.Recorder.Record(ctx, trail.Entry{
		Type: trail.WorkspaceRestored, Actor: cfg.Actor, Resource: trail.Resource{Type: "workspace", ID: fresh.Origin}, Outcome: tallystick.Success,
		Data: map[string]any{
			"origin": fresh.Origin, "previous_origin": old.about.Origin,
			"previous_checkpoint": tallystick.DigestOf(fresh.Prefix[0]), "backup_digest": digest, "path": backup,
		},
	})
	if err != nil {
		return Restored{}, err
	}
	if err := w.recordKeys(ctx); err != nil {
		return Restored{}, err
	}
	if _, err := w.Seal(ctx); err != nil {
		return Restored{}, err
	}
	return Restored{Origin: fresh.Origin, Previous: old.about.Origin, Checkpoint: old.checkpoint, Events: old.events}, nil
}

// extract writes the files of a backup below dir. Names that could leave it, links and doubles are
// refused.
func extract(ctx context.Context, backup, dir string) (err error) {
	f, err := os.Open(backup)
	if err != nil {
		return err
	}
	defer f.Close()
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	tr := tar.NewReader(f)
	for n := 0; ; n++ {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		header, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil || n > maxFiles {
			return tallystick.Errorf(tallystick.Invalid, "it is no whole backup: %v", err)
		}
		if !inBackup(header) {
			return tallystick.Errorf(tallystick.Invalid, "it holds %q, which no backup holds", header.Name)
		}
		if err := extractFile(root, header, tr); err != nil {
			return fmt.Errorf("%s: %w", header.Name, err)
		}
	}
}

func inBackup(h *tar.Header) bool {
	if h.Typeflag != tar.TypeReg || h.Size < 0 || h.Size > maxFileSize || path.Clean(h.Name) != h.Name || !filepath.IsLocal(h.Name) || strings.Contains(h.Name, `\`) {
		return false
	}
	switch h.Name {
	case aboutFile, stateFile, keysDir + "/" + trustFile:
		return true
	}
	return strings.HasPrefix(h.Name, ledgerDir+"/") || strings.HasPrefix(h.Name, evidenceDir+"/") || strings.HasPrefix(h.Name, artifactDir+"/") ||
		strings.HasPrefix(h.Name, predictions+"/")
}

func extractFile(root *os.Root, h *tar.Header, r io.Reader) (err error) {
	if err := root.MkdirAll(path.Dir(h.Name), 0o700); err != nil {
		return err
	}
	f, err := root.OpenFile(h.Name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	_, err = io.CopyN(f, r, h.Size)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return tallystick.Errorf(tallystick.Invalid, "it is no whole backup: %w", err)
	}
	if err != nil {
		return err
	}
	return f.Sync()
}

// inspected is a backup that was found whole.
type inspected struct {
	about      about
	trust      verify.Trust
	checkpoint verify.Checkpoint
	raw        []byte // the checkpoint, signed
	events     uint64
}

// inspect checks the ledger of an extracted backup against its checkpoint, and the database against
// the ledger.
func inspect(ctx context.Context, dir string) (in inspected, err error) {
	if in.about, err = readAbout(dir); err != nil {
		return in, err
	}
	data, err := os.ReadFile(filepath.Join(dir, keysDir, trustFile))
	if err != nil {
		return in, err
	}
	if in.trust, err = verify.ParseTrust(data); err != nil {
		return in, err
	}
	reader, err := ledger.OpenReader(filepath.Join(dir, ledgerDir), in.about.Origin)
	if err != nil {
		return in, err
	}
	in.raw = reader.Checkpoint()
	if in.checkpoint, err = verify.OpenCheckpoint(in.raw, in.trust); err != nil {
		return in, err
	}
	db, err := state.Open(ctx, state.Config{Path: filepath.Join(dir, stateFile)})
	if err != nil {
		return in, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := db.Check(ctx); err != nil {
		return in, err
	}
	if _, err := trail.CheckEvents(ctx, trail.NewReader(db, in.about.Origin)); err != nil {
		return in, err
	}
	if err := errors.Join(
		checkBlobs(ctx, blob.Config{Dir: filepath.Join(dir, evidenceDir)}),
		checkBlobs(ctx, blob.Config{Dir: filepath.Join(dir, artifactDir), MaxSize: maxArtifact}),
		checkBlobs(ctx, blob.Config{Dir: filepath.Join(dir, predictions)}),
	); err != nil {
		return in, err
	}
	comparer := trail.NewComparer(ctx, trail.ComparerConfig{DB: db, Origin: in.about.Origin, Prefix: in.about.Prefix})
	if _, err := reader.Check(ctx, ledger.CheckOptions{Leaf: comparer.Leaf}); err != nil {
		return in, err
	}
	comparison, err := comparer.Finish()
	in.events = comparison.Events
	return in, err
}

// renew puts the old ledger and its public keys aside and gives the workspace new keys and a new
// origin, continuing the old checkpoint.
func (in inspected) renew(dir string) (about, error) {
	aside := filepath.Join(dir, previousDir, path.Base(in.about.Origin))
	if err := durable.MkdirAll(aside, 0o700); err != nil {
		return about{}, err
	}
	for from, to := range map[string]string{ledgerDir: ledgerDir, keysDir: keysDir} {
		if err := os.Rename(filepath.Join(dir, from), filepath.Join(aside, to)); err != nil {
			return about{}, err
		}
	}
	keys, err := evidence.CreateKeys(filepath.Join(dir, keysDir), newOrigin())
	if err != nil {
		return about{}, err
	}
	fresh := about{Schema: aboutSchema, Origin: keys.Trust().Origin, Prefix: [][]byte{in.raw}}
	return fresh, fresh.write(dir)
}
