package blob

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/tallystick/tallystick"
)

func openStore(t *testing.T) (*Store, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "blobs")
	s, err := Open(Config{Dir: dir, MaxSize: 1 << 10})
	if err != nil {
		t.Fatal(err)
	}
	return s, dir
}

func put(t *testing.T, s *Store, content string) tallystick.Digest {
	t.Helper()
	d, n, err := s.Put(t.Context(), strings.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	if n != int64(len(content)) {
		t.Fatalf("Put of %d bytes says %d", len(content), n)
	}
	return d
}

func get(ctx context.Context, s *Store, d tallystick.Digest) (string, error) {
	r, err := s.Get(ctx, d)
	if err != nil {
		return "", err
	}
	data, err := io.ReadAll(r)
	return string(data), errors.Join(err, r.Close())
}

func TestPutGet(t *testing.T) {
	t.Parallel()
	s, dir := openStore(t)
	for _, content := range []string{"", "a", strings.Repeat("x", 1<<10)} {
		d := put(t, s, content)
		if want := tallystick.DigestOf([]byte(content)); d != want {
			t.Errorf("Put = %s, want %s", d, want)
		}
		if again := put(t, s, content); again != d {
			t.Errorf("second Put = %s, want %s", again, d)
		}
		got, err := get(t.Context(), s, d)
		if err != nil || got != content {
			t.Errorf("Get = %q, %v", got, err)
		}
		if n, err := s.Size(d); err != nil || n != int64(len(content)) {
			t.Errorf("Size = %d, %v", n, err)
		}
	}
	other, err := Open(Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := get(t.Context(), other, tallystick.DigestOf([]byte("a"))); err != nil || got != "a" {
		t.Errorf("Get after opening again = %q, %v", got, err)
	}
}

func TestGetRefuses(t *testing.T) {
	t.Parallel()
	s, _ := openStore(t)
	if _, err := s.Get(t.Context(), tallystick.DigestOf([]byte("none"))); tallystick.CodeOf(err) != tallystick.NotFound {
		t.Errorf("missing blob: %v", err)
	}
	if _, err := s.Get(t.Context(), "sha256:../../etc/passwd"); tallystick.CodeOf(err) != tallystick.Invalid {
		t.Errorf("no digest: %v", err)
	}
}

func TestPutRefuses(t *testing.T) {
	t.Parallel()
	s, dir := openStore(t)
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for name, tc := range map[string]struct {
		ctx  context.Context
		r    io.Reader
		want error
	}{
		"reader fails": {t.Context(), io.MultiReader(strings.NewReader("half"), iotest.ErrReader(fs.ErrClosed)), fs.ErrClosed},
		"cancelled":    {cancelled, strings.NewReader("a"), context.Canceled},
	} {
		if _, _, err := s.Put(tc.ctx, tc.r); !errors.Is(err, tc.want) {
			t.Errorf("%s: Put = %v, want %v", name, err, tc.want)
		}
	}
	if _, _, err := s.Put(t.Context(), bytes.NewReader(make([]byte, 1<<10+1))); tallystick.CodeOf(err) != tallystick.Invalid {
		t.Errorf("too large: %v", err)
	}
	entries, err := os.ReadDir(filepath.Join(dir, "sha256"))
	if err != nil || len(entries) != 0 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

func TestDamage(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(path string) error{
		"flipped bit": func(path string) error { return os.WriteFile(path, []byte("contenu"), 0o600) },
		"truncated":   func(path string) error { return os.WriteFile(path, []byte("cont"), 0o600) },
		"empty":       func(path string) error { return os.WriteFile(path, nil, 0o600) },
		"longer":      func(path string) error { return os.WriteFile(path, []byte("content!"), 0o600) },
		"much longer": func(path string) error { return os.WriteFile(path, make([]byte, 1<<12), 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, dir := openStore(t)
			d := put(t, s, "content")
			put(t, s, "other")
			path := filepath.Join("sha256", d.Hex()[:2], d.Hex())
			if err := os.Chmod(filepath.Join(dir, path), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := damage(filepath.Join(dir, path)); err != nil {
				t.Fatal(err)
			}
			if _, err := get(t.Context(), s, d); !errors.Is(err, ErrDamaged) {
				t.Errorf("Get = %v, want ErrDamaged", err)
			}
			report, err := s.Check(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{path}, report.Damaged); diff != "" {
				t.Errorf("Damaged (-want +got):\n%s", diff)
			}
			put(t, s, "content") // repairs
			if got, err := get(t.Context(), s, d); err != nil || got != "content" {
				t.Errorf("Get after repair = %q, %v", got, err)
			}
		})
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	s, dir := openStore(t)
	d := put(t, s, "content")
	shard := filepath.Join(dir, "sha256", d.Hex()[:2])
	for _, path := range []string{
		filepath.Join(dir, "sha256", ".durable-1"),
		filepath.Join(dir, "sha256", d.Hex()), // in no shard
		filepath.Join(shard, "notes.txt"),
	} {
		if err := os.WriteFile(path, []byte("content"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join(shard, d.Hex()), filepath.Join(shard, tallystick.DigestOf(nil).Hex())); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(shard, "ab"), 0o700); err != nil {
		t.Fatal(err)
	}
	report, err := s.Check(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	below := filepath.Join("sha256", d.Hex()[:2])
	want := Report{
		Blobs: 1, Bytes: 7,
		Strange: []string{filepath.Join(below, "ab"), filepath.Join(below, tallystick.DigestOf(nil).Hex()), filepath.Join(below, "notes.txt"), filepath.Join("sha256", d.Hex())},
		Left:    []string{filepath.Join("sha256", ".durable-1")},
	}
	if diff := cmp.Diff(want, report, sortStrings); diff != "" {
		t.Errorf("Check (-want +got):\n%s", diff)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Check(cancelled); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled Check = %v", err)
	}
}

var sortStrings = cmp.Transformer("set", func(in []string) map[string]bool {
	set := map[string]bool{}
	for _, s := range in {
		set[s] = true
	}
	return set
})

func TestConcurrentPut(t *testing.T) {
	t.Parallel()
	s, _ := openStore(t)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			if _, _, err := s.Put(t.Context(), strings.NewReader("same")); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	report, err := s.Check(t.Context())
	if err != nil || report.Blobs != 1 || len(report.Damaged)+len(report.Left)+len(report.Strange) != 0 {
		t.Errorf("Check = %+v, %v", report, err)
	}
}
