package workspace

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/durable"
	"github.com/tallystick/tallystick/internal/trail"
)

const (
	trustFile     = "trust.json"
	scratchPrefix = ".backup-"
)

// Backup seals what is recorded and writes a copy of the workspace to path, which must not exist: a
// tar file of the database, the ledger, the evidence, the artifacts and the public keys. Private keys are not in
// it: a restored workspace begins a ledger of its own (see Restore), and a copy that cannot sign
// cannot be stolen to forge. Nor are other secrets: the file for the first administrator stays out, and the
// database has digests of tokens alone. Nobody seals while the copy is made; recording goes on.
func (w *Workspace) Backup(ctx context.Context, path string) (digest tallystick.Digest, err error) {
	if err := w.refuseBackup(); err != nil {
		return "", err
	}
	if exists(path) {
		return "", tallystick.Errorf(tallystick.Conflict, "backup %q exists already", path).WithHint("name another file")
	}
	if _, err := w.Seal(ctx); err != nil {
		return "", err
	}
	log, err := w.openLedger(ctx) // holds the ledger still
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, log.Close(context.WithoutCancel(ctx))) }()
	scratch, err := os.MkdirTemp(w.cfg.Dir, scratchPrefix+"*")
	if err != nil {
		return "", fmt.Errorf("back up: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	copied := filepath.Join(scratch, stateFile)
	if err := w.DB.Backup(ctx, copied); err != nil {
		return "", err
	}
	err = durable.CreateFile(path, 0o600, func(out io.Writer) error { return w.archive(ctx, out, copied) })
	if err != nil {
		return "", fmt.Errorf("back up to %q: %w", path, err)
	}
	if digest, err = digestFile(path); err != nil {
		return "", err
	}
	size, err := log.Size(ctx)
	if err != nil {
		return "", err
	}
	_, err = w.Recorder.Record(ctx, trail.Entry{
		Type: trail.BackupCreated, Actor: w.cfg.Actor, Outcome: tallystick.Success,
		Resource: trail.Resource{Type: "backup", ID: string(digest)},
		Data:     map[string]any{"backup_digest": digest, "size": size, "path": path},
	})
	return digest, err
}

func (w *Workspace) archive(ctx context.Context, out io.Writer, database string) error {
	tw := tar.NewWriter(out)
	for _, f := range []struct{ name, path string }{
		{aboutFile, w.path(aboutFile)}, {stateFile, database}, {keysDir + "/" + trustFile, filepath.Join(w.path(keysDir), trustFile)},
	} {
		if err := addFile(tw, f.name, f.path); err != nil {
			return err
		}
	}
	for _, dir := range []string{ledgerDir, evidenceDir, artifactDir, predictions} {
		err := filepath.WalkDir(w.path(dir), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || ctx.Err() != nil {
				return errors.Join(err, ctx.Err())
			}
			name, err := filepath.Rel(w.cfg.Dir, path)
			if err != nil || !entry.Type().IsRegular() || strings.HasSuffix(name, ".lock") || durable.IsTemporary(entry.Name()) {
				return err
			}
			return addFile(tw, filepath.ToSlash(name), path)
		})
		if err != nil {
			return err
		}
	}
	return tw.Close()
}

func addFile(tw *tar.Writer, name, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if err := tw.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: info.Size(), Mode: 0o600, Format: tar.FormatPAX}); err != nil {
		return fmt.Errorf("archive %s: %w", name, err)
	}
	if _, err := io.CopyN(tw, f, info.Size()); err != nil {
		return fmt.Errorf("archive %s: %w", name, err)
	}
	return nil
}

func digestFile(path string) (tallystick.Digest, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	digest, _, err := tallystick.DigestReader(f)
	return digest, err
}
