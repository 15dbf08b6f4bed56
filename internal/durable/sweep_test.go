package durable

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const killedDir = "DURABLE_KILLED_DIR"

// TestSweep: what a process that was killed has left goes, and nothing else.
func TestSweep(t *testing.T) {
	if dir := os.Getenv(killedDir); dir != "" { // the child
		f, err := Create(dir, 0o400)
		if err == nil {
			_, err = io.WriteString(f, "half")
		}
		if err == nil {
			_, err = os.Stdout.WriteString("written\n")
		}
		if err != nil {
			t.Fatal(err)
		}
		for { // until it is killed; a file that nobody can reach any more would be closed
			time.Sleep(time.Hour)
			runtime.KeepAlive(f)
		}
	}
	t.Parallel()
	if testing.Short() {
		t.Skip("starts a process")
	}
	dir := t.TempDir()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestSweep$")
	child.Env = append(os.Environ(), killedDir+"="+dir)
	out, err := child.StdoutPipe()
	if err == nil {
		err = child.Start()
	}
	if err == nil {
		_, err = io.ReadFull(out, make([]byte, len("written\n")))
	}
	if err != nil {
		t.Fatal(err)
	}
	own, err := Create(dir, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(dir, temporaryPrefix+"directory")
	err = errors.Join(os.WriteFile(filepath.Join(dir, "named"), []byte("content"), 0o600), os.Mkdir(other, 0o700), os.Symlink("named", filepath.Join(dir, temporaryPrefix+"link")))
	if err != nil {
		t.Fatal(err)
	}
	if swept, err := Sweep(dir); err != nil || swept != (Swept{}) {
		t.Errorf("while all write: swept %+v, %v", swept, err)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // it was killed
	if swept, err := Sweep(dir); err != nil || swept != (Swept{Files: 1, Bytes: 4}) {
		t.Errorf("after the kill: swept %+v, %v", swept, err)
	}
	if err := own.Commit(filepath.Join(dir, "own")); err != nil {
		t.Error(err)
	}
	if err := errors.Join(os.Remove(other), os.Remove(filepath.Join(dir, temporaryPrefix+"link"))); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(map[string]string{"named": "content", "own": ""}, contents(t, dir)); diff != "" {
		t.Error(diff)
	}
	if swept, err := Sweep(filepath.Join(dir, "none")); err != nil || swept.Files > 0 {
		t.Errorf("a directory that is not there: %+v, %v", swept, err)
	}
}

// TestSweepWhileWriting: files are written while others sweep, and none is lost.
func TestSweepWhileWriting(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	stop := make(chan bool)
	var sweepers sync.WaitGroup
	for range 2 {
		sweepers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if swept, err := Sweep(dir); err != nil {
					t.Errorf("%+v, %v", swept, err)
					return
				}
			}
		})
	}
	for range 40 {
		path := filepath.Join(dir, "a")
		if err := WriteFile(path, 0o600, text("content")); err != nil {
			t.Fatal(err)
		}
		if err := CreateFile(filepath.Join(dir, "b"), 0o600, text("content")); err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(filepath.Join(dir, "b")); err != nil {
			t.Fatal(err)
		}
	}
	close(stop)
	sweepers.Wait()
	for name := range contents(t, dir) {
		if strings.HasPrefix(name, temporaryPrefix) {
			t.Errorf("%s is left", name)
		}
	}
}
