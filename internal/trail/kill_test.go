package trail

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/tallystick/tallystick/internal/ledger"
	"github.com/tallystick/tallystick/internal/state"
)

const killRounds = 20

// house is a database with its ledger, as a workspace has them.
type house struct {
	db       *state.DB
	log      *ledger.Log
	recorder *Recorder
	sealer   *Sealer
}

// testKey is one fixed key pair, so that a child process and its parent agree.
func testKey() (note.Signer, note.Verifier, error) {
	key := ed25519.NewKeyFromSeed([]byte("the seed of a key for tests only"))
	vkey, err := note.NewEd25519VerifierKey(origin, key.Public().(ed25519.PublicKey))
	if err != nil {
		return nil, nil, err
	}
	signer, err := note.NewSigner("PRIVATE+KEY+" + origin + "+" + strings.Split(vkey, "+")[1] + "+" +
		base64.StdEncoding.EncodeToString(append([]byte{1}, key.Seed()...)))
	if err != nil {
		return nil, nil, err
	}
	verifier, err := note.NewVerifier(vkey)
	return signer, verifier, err
}

func openHouse(ctx context.Context, dir string, create bool) (h house, err error) {
	if h.db, err = state.Open(ctx, state.Config{Path: filepath.Join(dir, "state.db")}); err != nil {
		return h, err
	}
	guard, err := NewGuard(GuardConfig{DB: h.db, Origin: origin})
	if err != nil {
		return h, err
	}
	signer, verifier, err := testKey()
	if err != nil {
		return h, err
	}
	if h.log, err = ledger.Open(ctx, ledger.Config{
		Dir: filepath.Join(dir, "ledger"), Anchor: filepath.Join(dir, "anchor"), Origin: origin,
		Signer: signer, Verifiers: note.VerifierList(verifier), Guard: guard, Create: create,
	}); err != nil {
		return h, err
	}
	if h.recorder, err = NewRecorder(RecorderConfig{DB: h.db, Source: origin}); err != nil {
		return h, err
	}
	if h.sealer, err = NewSealer(SealerConfig{Guard: guard, Ledger: h.log}); err != nil {
		return h, err
	}
	return h, h.sealer.Reconcile(ctx)
}

func (h house) close(ctx context.Context) error { return errors.Join(h.log.Close(ctx), h.db.Close()) }

// recordUntilKilled records and seals, and prints each acknowledgement: "recorded SEQUENCE ID" and
// "sealed SEQUENCE" once a checkpoint covers the events up to that one.
func recordUntilKilled(dir string) error {
	ctx := context.Background()
	h, err := openHouse(ctx, dir, false)
	if err != nil {
		return err
	}
	failed := make(chan error)
	for range 8 {
		go func() {
			for {
				r, err := h.recorder.Record(ctx, registration())
				if err != nil {
					failed <- err
					return
				}
				fmt.Printf("recorded %d %s\n", r.Sequence, r.ID)
			}
		}()
	}
	go func() { failed <- h.sealer.Run(ctx) }()
	go func() {
		for {
			r, err := h.recorder.Record(ctx, entry())
			if err == nil {
				fmt.Printf("recorded %d %s\n", r.Sequence, r.ID)
				_, err = h.sealer.Seal(ctx)
			}
			if err != nil {
				failed <- err
				return
			}
			fmt.Printf("sealed %d\n", r.Sequence)
		}
	}()
	return <-failed
}

// acknowledgements are what children have printed.
type acknowledgements struct {
	mu       sync.Mutex
	recorded map[uint64]string // id by sequence
	sealed   uint64
	faults   []string
}

// read keeps what the child prints, and calls each with every word that begins a line.
func (a *acknowledgements) read(r io.Reader, each func(word string)) {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		word, _, _ := strings.Cut(lines.Text(), " ")
		each(word)
		var sequence uint64
		var id string
		a.mu.Lock()
		if n, _ := fmt.Sscanf(lines.Text(), "recorded %d %s", &sequence, &id); n == 2 {
			if before, twice := a.recorded[sequence]; twice {
				a.faults = append(a.faults, fmt.Sprintf("sequence %d was acknowledged for %s and %s", sequence, before, id))
			}
			a.recorded[sequence] = id
		} else if n, _ := fmt.Sscanf(lines.Text(), "sealed %d", &sequence); n == 1 {
			a.sealed = max(a.sealed, sequence)
		}
		a.mu.Unlock()
	}
}

// TestKill kills a process that records and seals, at random moments, over and over in one directory.
// Every event that was ever acknowledged must be there, in its place, once, and in the ledger; and
// what was sealed must be under the checkpoint that is on disk.
func TestKill(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	t.Parallel()
	dir := t.TempDir()
	h, err := openHouse(t.Context(), dir, true)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.close(t.Context()); err != nil {
		t.Fatal(err)
	}
	acks := &acknowledgements{recorded: make(map[uint64]string)}
	for round := range killRounds {
		killOnce(t, dir, acks, moments[round%len(moments)])
		if t.Failed() {
			t.Fatalf("in round %d", round)
		}
	}
	t.Logf("%d events acknowledged in %d rounds, %d of them sealed", len(acks.recorded), killRounds, acks.sealed)
	if len(acks.recorded) == 0 || acks.sealed == 0 {
		t.Error("nothing was acknowledged: the rounds show nothing")
	}
	for _, fault := range acks.faults {
		t.Error(fault)
	}
	// What was sealed before the last kill, by the files as they were left.
	if reader, err := ledger.OpenReader(filepath.Join(dir, "ledger"), origin); err != nil || reader.Size() < acks.sealed {
		t.Errorf("the checkpoint on disk covers less than %d entries (%v)", acks.sealed, err)
	}

	h, err = openHouse(t.Context(), dir, false)
	if err != nil {
		t.Fatal(err)
	}
	defer h.close(context.WithoutCancel(t.Context()))
	if _, err := h.sealer.Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	events := NewReader(h.db, origin)
	for e, err := range events.All(t.Context(), Filter{Limit: maxLimit}) {
		if err != nil {
			t.Fatal(err)
		}
		if id, acknowledged := acks.recorded[e.Sequence]; acknowledged && id != e.ID {
			t.Errorf("event %d is %s, but %s was acknowledged", e.Sequence, e.ID, id)
		}
		delete(acks.recorded, e.Sequence)
	}
	if len(acks.recorded) > 0 {
		t.Errorf("%d acknowledged events are lost", len(acks.recorded))
	}
	if err := h.db.Check(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := CheckEvents(t.Context(), events); err != nil {
		t.Error(err)
	}
	log, err := ledger.OpenReader(filepath.Join(dir, "ledger"), origin)
	if err != nil {
		t.Fatal(err)
	}
	_, verifier, err := testKey()
	if err != nil {
		t.Fatal(err)
	}
	comparer := NewComparer(t.Context(), ComparerConfig{DB: h.db, Origin: origin})
	report, err := log.Check(t.Context(), ledger.CheckOptions{Verifiers: note.VerifierList(verifier), Leaf: comparer.Leaf})
	if err != nil {
		t.Fatal(err)
	}
	c, err := comparer.Finish()
	if err != nil || c.Beyond != 0 || c.Entries != c.Events || report.Checkpoint != c.Events {
		t.Errorf("comparison %+v, checkpoint of %d, %v", c, report.Checkpoint, err)
	}
}

// moments are the words after which a child is killed, some time later; the empty one is its start. On
// a slow machine most children seal nothing before they are killed for what they have recorded.
var moments = []string{"recorded", "recorded", "sealed", ""}

func killOnce(t *testing.T, dir string, acks *acknowledgements, moment string) {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), childVariable+"="+dir)
	var stderr bytes.Buffer
	child.Stderr = &stderr
	stdout, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	kill := func() { time.AfterFunc(rand.N(250*time.Millisecond), func() { child.Process.Kill() }) }
	var once sync.Once
	if moment == "" { // while it opens and reconciles
		once.Do(kill)
	}
	acks.read(stdout, func(word string) {
		if word == moment {
			once.Do(kill)
		}
	})
	child.Wait()
	if stderr.Len() > 0 {
		t.Errorf("the child ended by itself: %s", stderr.String())
	}
}
