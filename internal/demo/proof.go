package demo

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// The files of the play that a stranger verifies, what he believes, and the draft of a letter.
const (
	packageFile = "credit.zip"
	proofFile   = "one.prediction-proof"
	trustFile   = "trust.json"
	letterFile  = "letter.md"
)

// exported hands the auditor the package, which a stranger verifies with nothing but the keys to believe.
func (s *stage) exported(ctx context.Context) (sentence, page string, err error) {
	file, trust := s.path(packageFile), s.path(trustFile)
	today := time.Now().UTC()
	if err := s.must(ctx, auditor, nil, "bundle", "export", "credit", "--from", today.AddDate(0, 0, -1).Format(time.DateOnly), "--to", today.AddDate(0, 0, 1).Format(time.DateOnly),
		"--for", auditor, "--output", file, "--purpose", "annual audit"); err != nil {
		return "", "", err
	}
	got, err := s.run(ctx, "stranger", "verify", file, "--trust", trust)
	if err != nil {
		return "", "", err
	}
	if got.code != 0 {
		return "", "", fmt.Errorf("the package does not verify: %s%s", got.out, got.err)
	}
	return "The auditor exports the package, and a stranger without a server verifies it: " + file, historyPage, nil
}

// flipped changes one byte of a copy of the workspace's ledger, and lets the program look at both.
func (s *stage) flipped(ctx context.Context) (sentence, page string, err error) {
	if err := s.stop(); err != nil {
		return "", "", err
	}
	original, forged := s.path("workspace"), s.path("forged")
	if err := copied(original, forged); err != nil {
		return "", "", fmt.Errorf("copy the workspace: %w", err)
	}
	sound, err := s.run(ctx, "server", "fsck", "--workspace", original)
	if err != nil {
		return "", "", err
	}
	if sound.code != 0 {
		return "", "", fmt.Errorf("the workspace is not sound: %s%s", sound.out, sound.err)
	}
	name, err := flip(filepath.Join(forged, "ledger", "tile", "entries"))
	if err != nil {
		return "", "", err
	}
	got, err := s.run(ctx, "server", "fsck", "--workspace", forged)
	if err != nil {
		return "", "", err
	}
	line := ""
	for said := range strings.Lines(got.out + got.err) {
		if strings.Contains(said, "✗") || strings.Contains(said, "ledger") && line == "" {
			line = strings.TrimSpace(said)
		}
	}
	if got.code != 1 || line == "" {
		return "", "", fmt.Errorf("a changed byte of %s was not noticed: exit code %d: %s%s", name, got.code, got.out, got.err)
	}
	return "One byte of a copy of the ledger is changed, and caught: " + line, "", s.start(ctx)
}

// copied copies a directory with its permissions: keys that others could read would be refused first.
func copied(from, to string) error {
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		return err
	}
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		return os.Chmod(filepath.Join(to, name), info.Mode().Perm())
	})
}

// flip changes the last bit of the middle byte of the largest file below dir.
func flip(dir string) (name string, err error) {
	size := int64(-1)
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		info, err := entry.Info()
		if err == nil && info.Size() > size {
			name, size = path, info.Size()
		}
		return err
	})
	if err != nil || size < 1 {
		return "", fmt.Errorf("look for a file of the ledger in %s: %w", dir, err)
	}
	raw, err := os.ReadFile(name)
	if err != nil {
		return "", err
	}
	changed := slices.Clone(raw)
	changed[len(changed)/2] ^= 1
	return name, os.WriteFile(name, changed, 0o600)
}

// rewritten writes a copy of a file in which something else stands.
func rewritten(from, to, before, after string) error {
	raw, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	forged := bytes.Replace(raw, []byte(before), []byte(after), 1)
	if bytes.Equal(raw, forged) {
		return fmt.Errorf("%s does not say %s", from, before)
	}
	return os.WriteFile(to, forged, 0o600)
}
