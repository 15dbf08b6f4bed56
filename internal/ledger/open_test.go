package ledger

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
)

func TestLock(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t)
	l := open(t, cfg)
	again := cfg
	again.Create = false
	link := filepath.Join(t.TempDir(), "link") // the same directory by another name
	if err := os.Symlink(cfg.Dir, link); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{cfg.Dir, link} {
		again.Dir = dir
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		_, err := Open(ctx, again)
		cancel()
		if tallystick.CodeOf(err) != tallystick.Unavailable || !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "this process itself") {
			t.Errorf("second Open of %s: %v", dir, err)
		}
	}
	// A waiting Open gets the directory as soon as the holder lets go.
	opened := make(chan error, 1)
	go func() {
		second, err := Open(t.Context(), again)
		if err == nil {
			err = second.Close(t.Context())
		}
		opened <- err
	}()
	mustAppend(t, l, 5)
	closeLog(t, l)
	if err := <-opened; err != nil {
		t.Errorf("waiting Open: %v", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		change func(t *testing.T, cfg *Config)
		code   tallystick.Code
		says   string
	}{
		{"a missing log", func(t *testing.T, cfg *Config) { cfg.Dir += "elsewhere"; cfg.Anchor = "" }, tallystick.NotFound, "no ledger in"},
		{"creation over a log", func(t *testing.T, cfg *Config) { cfg.Create = true }, tallystick.Conflict, "not empty"},
		{"creation in a full directory", func(t *testing.T, cfg *Config) {
			cfg.Create, cfg.Dir = true, t.TempDir()
			os.WriteFile(filepath.Join(cfg.Dir, "thesis.tex"), nil, 0o600)
		}, tallystick.Conflict, "thesis.tex"},
		{"creation under another log's anchor", func(t *testing.T, cfg *Config) {
			cfg.Create, cfg.Dir = true, t.TempDir()
		}, tallystick.Conflict, "belongs to another log"},
		{"no guard", func(t *testing.T, cfg *Config) { cfg.Guard = nil }, tallystick.Invalid, "guard"},
		{"an origin that is not the key's", func(t *testing.T, cfg *Config) { cfg.Origin = "other" }, tallystick.Invalid, "named"},
		{"an anchor inside", func(t *testing.T, cfg *Config) { cfg.Anchor = filepath.Join(cfg.Dir, "anchor") }, tallystick.Invalid, "inside"},
		{"an interval too short", func(t *testing.T, cfg *Config) { cfg.CheckpointInterval = 1 }, tallystick.Invalid, "shorter"},
		{"a guard that has seen more", func(t *testing.T, cfg *Config) { cfg.Guard = &memoryGuard{size: 1000} }, tallystick.Conflict, "old backup"},
		{"a guard that has seen another tree", func(t *testing.T, cfg *Config) {
			cfg.Guard = &memoryGuard{size: 10, root: make([]byte, 32)}
		}, tallystick.Conflict, "old backup"},
		{"no checkpoint", func(t *testing.T, cfg *Config) { os.Remove(filepath.Join(cfg.Dir, checkpointFile)) }, tallystick.Internal, "checkpoint: it is missing"},
		{"no tree state", func(t *testing.T, cfg *Config) { os.Remove(filepath.Join(cfg.Dir, stateFile)) }, tallystick.Internal, "treeState: it is missing"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			cfg := testConfig(t)
			l := open(t, cfg)
			mustAppend(t, l, 10)
			closeLog(t, l)
			cfg.Create = false
			tc.change(t, &cfg)
			l, err := Open(t.Context(), cfg)
			if err == nil {
				closeLog(t, l)
				t.Fatal("opened")
			}
			if tallystick.CodeOf(err) != tc.code || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("%s: %v", tallystick.CodeOf(err), err)
			}
		})
	}
}

// TestRestoredBackup puts an older copy of the directory in the place of the log.
func TestRestoredBackup(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t)
	l := open(t, cfg)
	cfg.Create = false
	mustAppend(t, l, 20)
	closeLog(t, l)
	backup := filepath.Join(t.TempDir(), "log")
	if err := os.CopyFS(backup, os.DirFS(cfg.Dir)); err != nil {
		t.Fatal(err)
	}
	l = open(t, cfg)
	mustAppend(t, l, 20)
	closeLog(t, l)

	cfg.Dir, cfg.Guard = backup, &memoryGuard{} // the database came from the backup too
	if _, err := Open(t.Context(), cfg); tallystick.CodeOf(err) != tallystick.Conflict || !strings.Contains(err.Error(), "tallystick restore") {
		t.Errorf("an old copy: %v", err)
	}
	r, err := OpenReader(backup, cfg.Origin)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Check(t.Context(), CheckOptions{Anchor: cfg.Anchor}); tallystick.CodeOf(err) != tallystick.Conflict {
		t.Errorf("Check of an old copy: %v", err)
	}
	// A fork: the old copy goes on by itself, without the anchor.
	fork := cfg
	fork.Anchor = ""
	l = open(t, fork)
	if l.AnchorState() != AnchorNone {
		t.Errorf("anchor state %q", l.AnchorState())
	}
	if _, err := l.Append(t.Context(), leavesFrom(1000, 25)); err != nil {
		t.Fatal(err)
	}
	closeLog(t, l)
	cfg.Guard = &memoryGuard{}
	if _, err := Open(t.Context(), cfg); tallystick.CodeOf(err) != tallystick.Conflict || !strings.Contains(err.Error(), "not those") {
		t.Errorf("a fork: %v", err)
	}
}

func TestGuardRefusalIsFatal(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t)
	guard := &memoryGuard{}
	cfg.Guard = guard
	l := open(t, cfg)
	mustAppend(t, l, 3)
	if _, err := l.Checkpoint(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	lost := errors.New("the row has moved on")
	guard.mu.Lock()
	guard.err = lost
	guard.mu.Unlock()
	if _, err := l.Append(t.Context(), leavesFrom(3, 3)); err != nil && !errors.Is(err, ErrFatal) { // the signer may be faster
		t.Fatal(err)
	}
	_, err := l.Checkpoint(t.Context(), 6)
	if !errors.Is(err, ErrFatal) || !errors.Is(err, lost) || tallystick.CodeOf(err) != tallystick.Unavailable {
		t.Fatalf("Checkpoint: %v", err)
	}
	_, again := l.Append(t.Context(), leavesFrom(6, 1))
	_, size := l.Size(t.Context())
	_, leaf := l.Leaf(t.Context(), 0)
	_, cp := l.Checkpoint(t.Context(), 0)
	for name, got := range map[string]error{"Append": again, "Size": size, "Leaf": leaf, "Checkpoint": cp, "Close": l.Close(t.Context())} {
		if !errors.Is(got, ErrFatal) || got.Error() != err.Error() {
			t.Errorf("%s: %v", name, got)
		}
	}
	published, err2 := os.ReadFile(filepath.Join(cfg.Dir, checkpointFile))
	if err2 != nil || !bytes.Contains(published, []byte("\n3\n")) {
		t.Errorf("published %q, %v: want the checkpoint of 3 entries", published, err2)
	}
	guard.err, cfg.Create = nil, false
	l = open(t, cfg) // the lock was let go, and the entries that nobody signed are there
	if n, err := l.Size(t.Context()); n != 6 || err != nil {
		t.Errorf("size %d, %v", n, err)
	}
	closeLog(t, l)
	check(t, cfg)
}

// TestUnwritableAnchor: a checkpoint without its anchor is not acknowledged.
func TestUnwritableAnchor(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t)
	l := open(t, cfg)
	dir := filepath.Dir(cfg.Anchor)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir, nil, 0o600); err != nil { // root may write anywhere but under a file
		t.Fatal(err)
	}
	if _, err := l.Append(t.Context(), leavesFrom(0, 1)); err != nil && !errors.Is(err, ErrFatal) { // the publisher may be faster
		t.Fatal(err)
	}
	if _, err := l.Checkpoint(t.Context(), 1); !errors.Is(err, ErrFatal) || !strings.Contains(err.Error(), "anchor") {
		t.Errorf("Checkpoint: %v", err)
	}
	if err := l.Close(t.Context()); !errors.Is(err, ErrFatal) {
		t.Errorf("Close: %v", err)
	}
}
