package workspace_test

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/trail"
	"github.com/tallystick/tallystick/internal/workspace"
	"github.com/tallystick/tallystick/verify"
)

var alice = trail.Actor{ID: "alice", Kind: "person"}

func config(dir string) workspace.Config {
	return workspace.Config{Dir: filepath.Join(dir, "w"), Anchors: filepath.Join(dir, "anchors"), Actor: alice}
}

func open(t *testing.T, cfg workspace.Config) *workspace.Workspace {
	t.Helper()
	w, err := workspace.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	return w
}

func record(t *testing.T, w *workspace.Workspace, model string) trail.Receipt {
	t.Helper()
	r, err := w.Recorder.Record(t.Context(), trail.Entry{
		Type: trail.ModelRegistered, Actor: alice, Resource: trail.Resource{Type: "model", ID: model}, Outcome: tallystick.Success,
		Data: map[string]any{"model": model, "tier": "low", "owner": "alice"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRecordSealProve(t *testing.T) {
	t.Parallel()
	cfg := config(t.TempDir())
	w := open(t, cfg)
	for range 2 { // the second time on a ledger that exists
		receipt := record(t, w, "credit")
		if _, err := w.Seal(t.Context()); err != nil {
			t.Fatal(err)
		}
		event, err := w.Trail.Event(t.Context(), receipt.ID)
		if err != nil {
			t.Fatal(err)
		}
		prover, err := w.Prover()
		if err != nil {
			t.Fatal(err)
		}
		proof, err := prover.Prove(t.Context(), event)
		if err != nil {
			t.Fatal(err)
		}
		checkpoint, err := verify.OpenCheckpoint(prover.Checkpoint(), w.Trust())
		if err != nil {
			t.Fatal(err)
		}
		if err := proof.Verify(event.Leaf, checkpoint); err != nil {
			t.Error(err)
		}
	}
	// Workspace, two keys, two models.
	if n, err := w.Trail.Count(t.Context(), trail.Filter{}); err != nil || n != 5 {
		t.Errorf("%d events, %v; want 5", n, err)
	}
}

func TestUnsealedEventHasNoProof(t *testing.T) {
	t.Parallel()
	w := open(t, config(t.TempDir()))
	if _, err := w.Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	event, err := w.Trail.Event(t.Context(), record(t, w, "late").ID)
	if err != nil {
		t.Fatal(err)
	}
	prover, err := w.Prover()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := prover.Prove(t.Context(), event); tallystick.CodeOf(err) != tallystick.Conflict {
		t.Errorf("proof of an event that is not sealed: %v", err)
	}
}

// Two programs on one workspace take turns: everything is sealed, and nothing twice.
func TestTwoSealers(t *testing.T) {
	t.Parallel()
	cfg := config(t.TempDir())
	first, second := open(t, cfg), open(t, cfg)
	var group sync.WaitGroup
	for _, w := range []*workspace.Workspace{first, second} {
		group.Go(func() {
			for range 5 {
				record(t, w, "m")
				if _, err := w.Seal(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	reader, err := first.Ledger()
	if err != nil {
		t.Fatal(err)
	}
	if found, err := first.CheckAll(t.Context()); err != nil || !found.OK() {
		t.Errorf("check: %+v, %v", found, err)
	}
	if reader.Size() != 13 {
		t.Errorf("ledger of %d entries, want 3 + 10", reader.Size())
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	t.Run("nothing to ask", func(t *testing.T) {
		t.Parallel()
		cfg := config(t.TempDir())
		cfg.MustExist = true
		if _, err := workspace.Open(t.Context(), cfg); tallystick.CodeOf(err) != tallystick.NotFound || exists(cfg.Dir) {
			t.Errorf("err = %v, made = %v", err, exists(cfg.Dir))
		}
	})
	t.Run("a lost ledger", func(t *testing.T) {
		t.Parallel()
		cfg := config(t.TempDir())
		w := open(t, cfg)
		if _, err := w.Seal(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := os.RemoveAll(filepath.Join(cfg.Dir, "ledger")); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Seal(t.Context()); tallystick.CodeOf(err) != tallystick.Conflict {
			t.Errorf("sealing without the ledger that was there: %v", err)
		}
	})
	t.Run("lost keys", func(t *testing.T) {
		t.Parallel()
		cfg := config(t.TempDir())
		open(t, cfg)
		for _, name := range []string{"workspace.json", "keys"} {
			if err := os.RemoveAll(filepath.Join(cfg.Dir, name)); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := workspace.Open(t.Context(), cfg); tallystick.CodeOf(err) != tallystick.Conflict {
			t.Errorf("opening a database without its keys: %v", err)
		}
	})
	t.Run("damage", func(t *testing.T) {
		t.Parallel()
		cfg := config(t.TempDir())
		open(t, cfg)
		if err := os.WriteFile(filepath.Join(cfg.Dir, "workspace.json"), []byte(`{"schema":"x","origin":"y"}`), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := workspace.Open(t.Context(), cfg); tallystick.CodeOf(err) != tallystick.Invalid {
			t.Errorf("opening a damaged workspace: %v", err)
		}
	})
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// A process that seals all the time, as a server does, and others that want their events sealed.
func TestSealBesideServer(t *testing.T) {
	t.Parallel()
	cfg := config(t.TempDir())
	server := open(t, cfg)
	ctx, stop := context.WithCancel(t.Context())
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- server.KeepSealed(ctx, func() { close(ready) }) }()
	<-ready
	for range 3 {
		w := open(t, cfg)
		record(t, w, "m")
		newest, err := w.Trail.Newest(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		checkpoint, err := w.Seal(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got, err := verify.OpenCheckpoint(checkpoint, w.Trust()); err != nil || got.Size < newest {
			t.Errorf("checkpoint of %d entries, %v; want %d", got.Size, err, newest)
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	sound(t, server)
}
