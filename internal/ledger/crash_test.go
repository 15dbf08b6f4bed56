package ledger

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/durable"
)

// childEnv makes the test binary a process that appends to the log of the directory that it names
// and writes an acknowledgement to standard output after every call that returned without an error:
// "entries FIRST COUNT" and "checkpoint SIZE".
const childEnv = "LEDGER_TEST_CHILD"

// childBatches, if set, makes the child append batches of these sizes, each followed by a checkpoint,
// and close. Otherwise it appends until it is killed.
const childBatches = "LEDGER_TEST_BATCHES"

// fileGuard keeps the newest checkpoint in a file, under the contract of Guard.
type fileGuard struct{ path string }

func (g fileGuard) Advance(ctx context.Context, origin string, size uint64, root []byte) error {
	var m memoryGuard
	old, err := os.ReadFile(g.path)
	if err == nil {
		var s treeState
		if err := json.Unmarshal(old, &s); err != nil {
			return err
		}
		m.size, m.root = s.Size, s.Root
	} else if !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := m.Advance(ctx, origin, size, root); err != nil {
		return err
	}
	state, err := json.Marshal(treeState{m.size, m.root})
	if err != nil {
		return err
	}
	f, err := durable.Create(filepath.Dir(g.path), 0o600)
	if err != nil {
		return err
	}
	if _, err := f.Write(state); err != nil {
		return errors.Join(err, f.Discard())
	}
	return f.Commit(g.path)
}

// crashConfig is the same in child and parent: base holds the log, its anchor and its guard.
func crashConfig(t testing.TB, base string) Config {
	signer, verifier := testKeys(t)
	return Config{
		Dir: filepath.Join(base, "log"), Anchor: filepath.Join(base, "anchor"), Origin: testOrigin,
		Signer: signer, Verifiers: note.VerifierList(verifier), Guard: fileGuard{filepath.Join(base, "guard")},
	}
}

// openOrCreate is what a program does that may be the first to run.
func openOrCreate(ctx context.Context, cfg Config) (*Log, error) {
	l, err := Open(ctx, cfg)
	if tallystick.CodeOf(err) == tallystick.NotFound {
		cfg.Create = true
		return Open(ctx, cfg)
	}
	return l, err
}

// TestChild is no test: it is what a child process runs.
func TestChild(t *testing.T) {
	base := os.Getenv(childEnv)
	if base == "" {
		t.Skip("the body of the child processes of other tests")
	}
	if err := runChild(t, base); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
	os.Exit(0)
}

func runChild(t *testing.T, base string) error {
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	l, err := openOrCreate(ctx, crashConfig(t, base))
	if err != nil {
		return err
	}
	sizes := func(yield func(int) bool) {
		for i := 0; yield([]int{1, 200, 56, 700, 3, 256}[i%6]); i++ {
		}
	}
	if fixed := os.Getenv(childBatches); fixed != "" {
		sizes = func(yield func(int) bool) {
			for s := range strings.SplitSeq(fixed, ",") {
				if n, err := strconv.Atoi(s); err != nil || !yield(n) {
					return
				}
			}
		}
	}
	for n := range sizes {
		size, err := l.Size(ctx)
		if err != nil {
			return err
		}
		first, err := l.Append(ctx, leavesFrom(size, n))
		if err != nil {
			return err
		}
		fmt.Fprintf(os.Stdout, "entries %d %d\n", first, n)
		if os.Getenv(childBatches) == "" && n != 3 {
			continue
		}
		if _, err := l.Checkpoint(ctx, first+uint64(n)); err != nil {
			return err
		}
		fmt.Fprintf(os.Stdout, "checkpoint %d\n", first+uint64(n))
	}
	return l.Close(ctx)
}

func childCommand(t *testing.T, base string, batches string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestChild$")
	cmd.Env = append(os.Environ(), childEnv+"="+base, childBatches+"="+batches)
	return cmd
}

// acknowledged is the number of entries that the output of children promises.
func acknowledged(t *testing.T, output string) (entries, checkpoint uint64) {
	t.Helper()
	for line := range strings.Lines(output) {
		var first, n uint64
		if _, err := fmt.Sscanf(line, "entries %d %d\n", &first, &n); err == nil {
			if first < entries {
				t.Errorf("%q after %d acknowledged entries", line, entries)
			}
			entries = first + n
		} else if _, err := fmt.Sscanf(line, "checkpoint %d\n", &n); err == nil {
			checkpoint = n
		}
	}
	return entries, checkpoint
}

// survey opens the log after a crash and checks that all that was acknowledged is there, every entry at
// its index and none twice, and that it goes on.
func survey(t *testing.T, base string, entries, checkpoint uint64) {
	t.Helper()
	cfg := crashConfig(t, base)
	l, err := openOrCreate(t.Context(), cfg)
	if err != nil {
		t.Fatalf("open after a crash: %v", err)
	}
	size, err := l.Size(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if size < max(entries, checkpoint) {
		t.Fatalf("%d entries after a crash; %d were acknowledged, %d in a checkpoint", size, entries, checkpoint)
	}
	mustAppend(t, l, 2)
	closeLog(t, l)
	r, err := OpenReader(cfg.Dir, cfg.Origin)
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.Check(t.Context(), CheckOptions{Verifiers: cfg.Verifiers, Anchor: cfg.Anchor, Leaf: func(index uint64, leaf []byte) error {
		if want := leavesFrom(index, 1)[0]; !bytes.Equal(leaf, want) {
			return fmt.Errorf("entry %d is %.40q, not %.40q", index, leaf, want)
		}
		return nil
	}})
	if err != nil {
		t.Fatalf("check after a crash: %v", err)
	}
	if r.Size() != size+2 {
		t.Fatalf("%d entries after two more than %d", r.Size(), size)
	}
}

// TestKill kills a process that appends with SIGKILL, again and again on one log. LEDGER_CRASH_ROUNDS
// sets how often.
func TestKill(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	t.Parallel()
	rounds := 8
	if s := os.Getenv("LEDGER_CRASH_ROUNDS"); s != "" {
		var err error
		if rounds, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	base := t.TempDir()
	var total uint64
	for round := range rounds {
		entries, checkpoint := killOnce(t, base, rand.IntN(12), time.Duration(rand.IntN(30_000))*time.Microsecond)
		survey(t, base, entries, checkpoint)
		t.Logf("round %d: %d entries acknowledged, %d in a checkpoint", round, entries, checkpoint)
		if entries > 0 && entries <= total {
			t.Errorf("round %d ended at %d after %d", round, entries, total)
		}
		total = max(total, entries)
	}
	if total == 0 {
		t.Error("no child ever acknowledged anything")
	}
}

// TestKillCreation kills a process while it creates a log.
func TestKillCreation(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	t.Parallel()
	for range 4 {
		base := t.TempDir()
		entries, checkpoint := killOnce(t, base, 0, time.Duration(rand.IntN(60_000))*time.Microsecond)
		survey(t, base, entries, checkpoint)
	}
}

// killOnce runs a child and kills it some time after its n-th acknowledgement.
func killOnce(t *testing.T, base string, n int, after time.Duration) (entries, checkpoint uint64) {
	t.Helper()
	cmd := childCommand(t, base, "")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill := func() { _ = cmd.Process.Kill() }
	var seen strings.Builder
	lines := bufio.NewScanner(out)
	for i := 0; ; i++ {
		if i == n {
			time.AfterFunc(after, kill)
		}
		if !lines.Scan() {
			break
		}
		fmt.Fprintln(&seen, lines.Text())
	}
	if err := cmd.Wait(); err == nil {
		t.Error("the child ended by itself")
	}
	return acknowledged(t, seen.String())
}
