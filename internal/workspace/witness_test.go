package workspace_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/trail"
	"github.com/tallystick/tallystick/internal/witness"
	"github.com/tallystick/tallystick/internal/workspace"
	"github.com/tallystick/tallystick/verify"
)

// watched makes a witness of w's ledger that listens on this machine.
func watched(t testing.TB, w *workspace.Workspace, name string) witness.Peer {
	t.Helper()
	dir := t.TempDir()
	key, err := witness.CreateKey(dir, name)
	if err != nil {
		t.Fatal(err)
	}
	v, err := note.NewVerifier(w.Keys.Active(verify.RoleLog).PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	wit, err := witness.Open(witness.Config{Dir: dir, Logs: []witness.Log{{Origin: w.Origin(), Keys: []note.Verifier{v}}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { wit.Close() })
	server := httptest.NewServer(wit.Handler())
	t.Cleanup(server.Close)
	return witness.Peer{URL: server.URL, VKey: key.VKey}
}

// cosign asks the workspace's witnesses once.
func cosign(t *testing.T, w *workspace.Workspace) witness.Round {
	t.Helper()
	if _, err := w.Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	group, err := w.WitnessGroup()
	if err != nil {
		t.Fatal(err)
	}
	round, err := w.Cosign(t.Context(), group)
	if err != nil {
		t.Fatal(err)
	}
	return round
}

// TestCosignedProofs gives proofs under cosignatures for what they cover, and under the published
// checkpoint for what came after.
func TestCosignedProofs(t *testing.T) {
	t.Parallel()
	w := open(t, config(t.TempDir()))
	if _, err := w.Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	first, second := watched(t, w, "witness.example.net/1"), watched(t, w, "witness.example.net/2")
	policy := witness.Policy{Quorum: 2, Peers: []witness.Peer{first, second}}
	if err := w.SetWitnesses(t.Context(), policy); err != nil {
		t.Fatal(err)
	}
	if err := w.SetWitnesses(t.Context(), policy); err != nil {
		t.Fatal(err)
	}
	if chosen, err := w.Trail.Events(t.Context(), trail.Filter{Type: trail.WitnessesChosen}); err != nil || len(chosen) != 1 {
		t.Errorf("%d events of one choice, %v", len(chosen), err)
	}
	if round := cosign(t, w); !round.Quorum || round.Cosigned != 2 {
		t.Fatalf("%+v", round)
	}
	cosigned, err := w.CosignedLedger()
	if err != nil {
		t.Fatal(err)
	}
	record(t, w, "credit")
	if _, err := w.Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	trust, err := w.WitnessedTrust()
	if err != nil {
		t.Fatal(err)
	}
	prover, err := w.Prover()
	if err != nil {
		t.Fatal(err)
	}
	newest, err := w.Trail.Newest(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for sequence, want := range map[uint64]int{1: 2, newest: 0} {
		event, err := w.Trail.Event(t.Context(), strconv.FormatUint(sequence, 10))
		if err != nil {
			t.Fatal(err)
		}
		proof, err := prover.Prove(t.Context(), event)
		if err != nil {
			t.Fatal(err)
		}
		c, err := verify.OpenCheckpoint(proof.Checkpoint, trust)
		if err != nil || len(c.Witnesses) != want || (want > 0) != (c.Size == cosigned.Size()) {
			t.Errorf("event %d is proved at size %d with %d cosignatures, want %d: %v", sequence, c.Size, len(c.Witnesses), want, err)
		}
		if err := proof.Verify(event.Leaf, c); err != nil {
			t.Errorf("event %d: %v", sequence, err)
		}
	}

	// With one of them silent, what has a quorum stays until something else has it.
	policy.Peers[1].URL = "http://127.0.0.1:1"
	if err := w.SetWitnesses(t.Context(), policy); err != nil {
		t.Fatal(err)
	}
	if round := cosign(t, w); round.Quorum || round.Cosigned != 1 {
		t.Fatalf("%+v", round)
	}
	if again, err := w.CosignedLedger(); err != nil || again.Size() != cosigned.Size() {
		t.Errorf("the cosigned checkpoint was given up for one without a quorum: %v", err)
	}
	policy.Quorum = 1
	if err := w.SetWitnesses(t.Context(), policy); err != nil {
		t.Fatal(err)
	}
	cosign(t, w)
	if again, err := w.CosignedLedger(); err != nil || again.Size() <= cosigned.Size() {
		t.Errorf("the cosigned checkpoint does not follow: %v", err)
	}
}

// TestWitnessGuard speaks to the hosts of the witnesses and to no others, and follows none elsewhere.
func TestWitnessGuard(t *testing.T) {
	t.Parallel()
	w := open(t, config(t.TempDir()))
	peer := watched(t, w, "witness.example.net/1")
	target := peer.URL
	asked := false
	elsewhere := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { asked = true }))
	t.Cleanup(elsewhere.Close)
	redirect := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		http.Redirect(rw, r, elsewhere.URL, http.StatusTemporaryRedirect)
	}))
	t.Cleanup(redirect.Close)
	peer.URL = redirect.URL
	if err := w.SetWitnesses(t.Context(), witness.Policy{Quorum: 1, Peers: []witness.Peer{peer}}); err != nil {
		t.Fatal(err)
	}
	if round := cosign(t, w); round.Cosigned > 0 || asked {
		t.Errorf("a redirect was followed: %+v", round)
	}
	if _, err := w.CosignedLedger(); tallystick.CodeOf(err) != tallystick.NotFound {
		t.Errorf("something was kept: %v", err)
	}
	peer.URL = target
	if err := w.SetWitnesses(t.Context(), witness.Policy{Quorum: 1, Peers: []witness.Peer{peer}}); err != nil {
		t.Fatal(err)
	}
	if round := cosign(t, w); !round.Quorum {
		t.Errorf("%+v", round)
	}
}

// TestCosignedElsewhere tells a ledger that does not continue what was cosigned.
func TestCosignedElsewhere(t *testing.T) {
	t.Parallel()
	w := open(t, config(t.TempDir()))
	peer := watched(t, w, "witness.example.net/1")
	if err := w.SetWitnesses(t.Context(), witness.Policy{Quorum: 1, Peers: []witness.Peer{peer}}); err != nil {
		t.Fatal(err)
	}
	cosign(t, w)
	path := filepath.Join(w.Dir(), "witness", "checkpoint")
	kept, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	other := []byte(strings.Replace(string(kept), "\n", "\n9", 1)) // a size of ninety and more
	if err := os.WriteFile(path, other, 0o600); err != nil {
		t.Fatal(err)
	}
	var c workspace.Check
	w.CheckWitnesses(&c, w.Trust(), 0)
	if c.OK() || !strings.Contains(c.Lines[0].Detail, "but a checkpoint says 9") {
		t.Errorf("%+v", c)
	}
	if _, err := w.Prover(); err != nil {
		t.Errorf("proofs end with it: %v", err)
	}
}

// BenchmarkSealedWhileCosigned measures the time from an event to a published checkpoint that covers it,
// with and without a witness that cosigns meanwhile: cosigning must not delay it.
func BenchmarkSealedWhileCosigned(b *testing.B) {
	for _, witnesses := range []int{0, 1, 3} {
		b.Run(fmt.Sprintf("witnesses=%d", witnesses), func(b *testing.B) {
			w, err := workspace.Open(b.Context(), config(b.TempDir()))
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { _ = w.Close() })
			var running sync.WaitGroup
			defer running.Wait()
			ctx, stop := context.WithCancel(b.Context())
			defer stop()
			ready := make(chan struct{})
			running.Go(func() {
				if err := w.KeepSealed(ctx, func() { close(ready) }); err != nil {
					b.Error(err)
				}
			})
			<-ready
			policy := witness.Policy{Quorum: witnesses}
			for i := range witnesses {
				policy.Peers = append(policy.Peers, watched(b, w, fmt.Sprint("witness.example.net/", i)))
			}
			if err := w.SetWitnesses(ctx, policy); err != nil {
				b.Fatal(err)
			}
			group, err := w.WitnessGroup()
			if err != nil {
				b.Fatal(err)
			}
			if group != nil {
				running.Go(func() { w.KeepCosigned(ctx, group) })
			}
			var took []time.Duration
			for b.Loop() {
				start := time.Now()
				receipt, err := w.Recorder.Record(ctx, trail.Entry{
					Type: trail.ServerStopped, Actor: alice, Resource: trail.Resource{Type: "workspace", ID: w.Origin()}, Outcome: tallystick.Success,
					Data: map[string]any{"release": "bench"},
				})
				if err != nil {
					b.Fatal(err)
				}
				for {
					if r, err := w.Ledger(); err == nil && r.Size() >= receipt.Sequence {
						break
					}
					time.Sleep(time.Millisecond)
				}
				took = append(took, time.Since(start))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
			if group != nil {
				b.ReportMetric(float64(group.Status().Size), "cosigned-size")
			}
		})
	}
}
