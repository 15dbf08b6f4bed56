package ledger

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
)

// Batches of the processes that faults are injected into. The first never fill a bundle, so that no
// collector runs and every write below .state but that of the lock files is the batch's own.
const (
	smallBatches = "10,5,60"
	largeBatches = "300,256,7"
)

var (
	injectedCall = regexp.MustCompile(`(?m)^\d+ +(\w+)\((.*)\) += -1 .*\(INJECTED\)$`)
	// What a batch is not durable without. A collector syncs .state as well, so that a failure there says
	// nothing about a batch once there are full bundles.
	essential      = regexp.MustCompile(`log/tile\b|log/\.state/treeState[0-9]`)
	essentialSmall = regexp.MustCompile(`log/tile\b|log/\.state/treeState[0-9]|log/\.state>`)
)

// TestFaults lets one system call of a process that appends fail with EIO, another one in each round.
// After a failed write of a batch nothing more may be acknowledged; after any failure the log must
// open, hold all that was acknowledged and pass its check. strace counts the calls of each thread by
// itself, so that which call fails varies from run to run. LEDGER_FAULT_ROUNDS sets the number of rounds.
func TestFaults(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("needs strace")
	}
	if out, err := exec.Command(strace, "-f", "-e", "trace=fsync", "true").CombinedOutput(); err != nil {
		t.Skipf("strace may not trace here: %v: %s", err, out)
	}
	t.Parallel()
	rounds := 6
	if s := os.Getenv("LEDGER_FAULT_ROUNDS"); s != "" {
		if rounds, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	const renames = "renameat,rename,renameat2"
	for _, tc := range []struct {
		name, calls, batches string
		first                int // the call of a thread that fails in the first round
		fresh                bool
	}{
		{name: "fsync", calls: "fsync", batches: smallBatches, first: 1},
		{name: "rename", calls: renames, batches: smallBatches, first: 1},
		{name: "write", calls: "write", batches: smallBatches, first: 1},    // with O_SYNC: the data of every file
		{name: "openat", calls: "openat", batches: smallBatches, first: 12}, // the runtime makes some before
		{name: "fsync of full bundles", calls: "fsync", batches: largeBatches, first: 1},
		{name: "rename of full bundles", calls: renames, batches: largeBatches, first: 1},
		{name: "fsync of a new log", calls: "fsync", batches: smallBatches, first: 1, fresh: true},
		{name: "rename of a new log", calls: renames, batches: smallBatches, first: 1, fresh: true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			template := t.TempDir()
			if !tc.fresh {
				survey(t, template, 0, 0) // makes a log of two entries
			}
			var failed, strict int
			for n := tc.first; n < tc.first+rounds; n++ {
				base := filepath.Join(t.TempDir(), "base")
				if err := os.CopyFS(base, os.DirFS(template)); err != nil {
					t.Fatal(err)
				}
				call, batch := injectFault(t, strace, base, tc.calls, tc.batches, n)
				if call != "" {
					failed++
				}
				if batch {
					strict++
				}
			}
			t.Logf("%d calls failed, %d of them of a batch's own", failed, strict)
			if failed == 0 {
				t.Error("no call failed")
			}
		})
	}
}

// injectFault runs a child whose n-th call fails, and surveys what it leaves. It returns the call that
// failed, and whether it was one that forbids every later acknowledgement.
func injectFault(t *testing.T, strace, base, calls, batches string, n int) (failed string, strict bool) {
	t.Helper()
	trace := filepath.Join(t.TempDir(), "trace")
	child := childCommand(t, base, batches)
	cmd := exec.Command(strace, append([]string{
		"-f", "-y", "-s", "64", "-o", trace, "-e", "signal=none",
		"-e", "trace=write," + calls, "-e", fmt.Sprintf("inject=%s:error=EIO:when=%d", calls, n),
	}, child.Args...)...)
	cmd.Env = child.Env
	var out, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &stderr
	err := cmd.Run()
	text, readErr := os.ReadFile(trace)
	if readErr != nil {
		t.Fatal(readErr)
	}
	entries, checkpoint := acknowledged(t, out.String())
	at := injectedCall.FindSubmatchIndex(text)
	if at == nil {
		if err != nil && !bytes.Contains(text, []byte("(INJECTED)")) { // on a line that another thread has split
			t.Fatalf("the child failed by itself: %v\n%s", err, stderr.String())
		}
		survey(t, base, entries, checkpoint)
		return "", false
	}
	call := string(text[at[0]:at[1]])
	name, args := string(text[at[2]:at[3]]), string(text[at[4]:at[5]])
	writes := name != "openat" || strings.Contains(args, "O_CREAT") || strings.Contains(args, "O_DIRECTORY")
	pattern := essential
	if batches == smallBatches {
		pattern = essentialSmall
	}
	if strict = writes && pattern.MatchString(args); strict {
		if err == nil {
			t.Errorf("call %d: the child went on after %s", n, call)
		}
		for line := range strings.Lines(string(text[at[1]:])) {
			if strings.Contains(line, " write(1<") && (strings.Contains(line, `"entries `) || strings.Contains(line, `"checkpoint `)) {
				t.Errorf("call %d: acknowledged after %s: %s", n, call, line)
			}
		}
	}
	survey(t, base, entries, checkpoint)
	return call, strict
}

// TestDiskFull has a process fill a small file system that holds all that it writes, then gives it room.
func TestDiskFull(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root to mount a small tmpfs")
	}
	t.Parallel()
	base := t.TempDir()
	if err := syscall.Mount("tmpfs", base, "tmpfs", 0, "size=2m"); err != nil {
		t.Skipf("may not mount a small tmpfs: %v", err)
	}
	defer func() {
		if err := syscall.Unmount(base, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	}()
	cmd := childCommand(t, base, "")
	var out, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &stderr
	if err := cmd.Run(); err == nil || !strings.Contains(stderr.String(), "stopped") {
		t.Fatalf("on a full disk: %v: %s", err, stderr.String())
	}
	entries, checkpoint := acknowledged(t, out.String())
	if entries == 0 {
		t.Fatal("nothing was acknowledged before the disk was full")
	}
	if err := syscall.Mount("tmpfs", base, "tmpfs", syscall.MS_REMOUNT, "size=32m"); err != nil {
		t.Fatal(err)
	}
	survey(t, base, entries, checkpoint)
}

// TestStuckLogKeepsItsLock: while a signed checkpoint may still be on its way to disk, nobody else gets
// the directory, not even after the Log is garbage.
func TestStuckLogKeepsItsLock(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t)
	l := open(t, cfg)
	mustAppend(t, l, 1)
	l.mu.Lock()
	l.stuck = true
	l.mu.Unlock()
	closeLog(t, l)
	l = nil
	runtime.GC()
	runtime.GC()
	cfg.Create = false
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := Open(ctx, cfg); tallystick.CodeOf(err) != tallystick.Unavailable {
		t.Errorf("Open: %v", err)
	}
}
