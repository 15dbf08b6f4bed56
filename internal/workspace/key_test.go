package workspace_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/evidence"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
	"github.com/tallystick/tallystick/internal/workspace"
	"github.com/tallystick/tallystick/verify"
)

var roles = []verify.Role{verify.RoleLog, verify.RoleStatement}

// attested is a signed statement whose digest is on the trail.
type attested struct {
	envelope []byte
	receipt  trail.Receipt
}

// attest signs a statement with signer and records it.
func attest(t *testing.T, w *workspace.Workspace, signer *evidence.Signer) (attested, error) {
	t.Helper()
	data := tallystick.DigestOf([]byte("predictions"))
	statement, err := evidence.NewTestResult(nil, []evidence.Test{{Name: "rows", Verdict: tallystick.Pass}}).Statement(verify.Resource("data", data))
	if err != nil {
		t.Fatal(err)
	}
	envelope, digest, err := signer.Sign(statement)
	if err != nil {
		t.Fatal(err)
	}
	a := attested{envelope: envelope}
	err = w.DB.Write(t.Context(), func(tx *state.Tx) error {
		if err := w.CheckSigner(tx, signer); err != nil {
			return err
		}
		a.receipt, err = w.Recorder.RecordIn(tx, trail.Entry{
			Type: trail.DataChecked, Actor: alice, Resource: trail.Resource{Type: "data", ID: string(data)}, Outcome: tallystick.Success,
			Data: map[string]any{"data_digest": data, "contract_digest": data, "verdict": "pass", "statements": []tallystick.Digest{digest}},
		})
		return err
	})
	return a, err
}

// bundle seals and exports a statement.
func bundle(t *testing.T, w *workspace.Workspace, a attested) []byte {
	t.Helper()
	if _, err := w.Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	event, err := w.Trail.Event(t.Context(), a.receipt.ID)
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
	var out bytes.Buffer
	_, err = evidence.WriteBundle(&out, evidence.Contents{
		Created: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC), Subject: verify.BundleSubject{Name: "m@1"},
		Events: []evidence.BundleEvent{{Leaf: event.Leaf, Proof: proof}}, Statements: map[string][]byte{"tests": a.envelope},
		Files:      []verify.File{{Name: "policy/p.rego", Data: []byte("package p\n")}},
		Checkpoint: prover.Checkpoint(), Trust: w.Trust(), Signer: w.Keys.Signer(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func verdict(t *testing.T, bundle []byte, trust verify.Trust) (verify.Verdict, string) {
	t.Helper()
	result, err := verify.Bundle(bytes.NewReader(bundle), int64(len(bundle)), trust, verify.Options{})
	if err != nil {
		t.Fatal(err)
	}
	failure, _ := result.FirstFailure()
	return result.Verdict, failure.Detail
}

func sound(t *testing.T, w *workspace.Workspace) {
	t.Helper()
	if found, err := w.CheckAll(t.Context()); err != nil || !found.OK() {
		t.Errorf("check: %+v, %v", found, err)
	}
}

func mustAttest(t *testing.T, w *workspace.Workspace) attested {
	t.Helper()
	signer, err := w.Signer(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	a, err := attest(t, w, signer)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// What was made before a rotation and what is made after it both verify with the new trust.json.
func TestRotateKey(t *testing.T) {
	t.Parallel()
	for _, role := range roles {
		t.Run(string(role), func(t *testing.T) {
			t.Parallel()
			w := open(t, config(t.TempDir()))
			before := w.Trust()
			old := w.Keys.Active(role)
			first := mustAttest(t, w)
			early := bundle(t, w, first)
			next, err := w.RotateKey(t.Context(), role)
			if err != nil {
				t.Fatal(err)
			}
			late := bundle(t, w, mustAttest(t, w))

			events, err := w.Trail.Events(t.Context(), trail.Filter{Type: trail.KeyRotated})
			if err != nil || len(events) != 1 {
				t.Fatalf("%d rotations on the trail, %v", len(events), err)
			}
			if index := *events[0].Index; next.FromIndex != index || next.ID == old.ID {
				t.Errorf("new key %+v, want one that counts from %d on", next, index)
			}
			for name, b := range map[string][]byte{"early": early, "late": late} {
				if got, why := verdict(t, b, w.Trust()); got != verify.Verified {
					t.Errorf("%s bundle: %s, %s", name, got, why)
				}
			}
			if got, why := verdict(t, late, before); got == verify.Verified {
				t.Errorf("bundle of a key that is not trusted: %s, %s", got, why)
			}
			sound(t, w)
			if files, err := filepath.Glob(filepath.Join(w.Dir(), "keys", string(role)+"-*")); err != nil || len(files) != 1 {
				t.Errorf("private keys: %v, %v", files, err)
			}
		})
	}
}

// The checkpoint before the rotation is the old log key's and the one that covers it the new one's.
func TestCheckpointsAroundRotation(t *testing.T) {
	t.Parallel()
	w := open(t, config(t.TempDir()))
	record(t, w, "credit")
	older, err := w.Seal(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	old := w.Keys.Active(verify.RoleLog)
	next, err := w.RotateKey(t.Context(), verify.RoleLog)
	if err != nil {
		t.Fatal(err)
	}
	newer, err := w.Seal(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []struct {
		checkpoint []byte
		key        verify.Key
	}{{older, old}, {newer, next}} {
		got, err := verify.OpenCheckpoint(want.checkpoint, w.Trust())
		if err != nil || len(got.LogKeys) != 1 || got.LogKeys[0].ID != want.key.ID {
			t.Errorf("checkpoint at size %d signed by %+v, %v; want %s", got.Size, got.LogKeys, err, want.key.ID)
		}
	}
}

// A process that has loaded the old keys goes on with the new ones.
func TestRotationBesideAnotherProcess(t *testing.T) {
	t.Parallel()
	cfg := config(t.TempDir())
	w, other := open(t, cfg), open(t, cfg)
	stale := other.Keys.Signer()
	for _, role := range roles {
		if _, err := w.RotateKey(t.Context(), role); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := attest(t, other, stale); tallystick.CodeOf(err) != tallystick.Conflict {
		t.Errorf("a statement of the old key was recorded: %v", err)
	}
	b := bundle(t, other, mustAttest(t, other))
	if got, why := verdict(t, b, w.Trust()); got != verify.Verified {
		t.Errorf("bundle of the other process: %s, %s", got, why)
	}
	if _, err := other.RotateKey(t.Context(), verify.RoleLog); err != nil {
		t.Errorf("rotation by the other process: %v", err)
	}
	sound(t, w)
}

// Two processes that seal and one that rotates: no checkpoint is signed by a key out of its range.
func TestRotateWhileOthersSeal(t *testing.T) {
	t.Parallel()
	cfg := config(t.TempDir())
	rotator := open(t, cfg)
	others := []*workspace.Workspace{open(t, cfg), open(t, cfg)}
	var group sync.WaitGroup
	var checkpoints [2][][]byte
	for i, w := range others {
		group.Go(func() {
			for range 6 {
				record(t, w, "m")
				checkpoint, err := w.Seal(t.Context())
				if err != nil {
					t.Error(err)
				}
				checkpoints[i] = append(checkpoints[i], checkpoint)
			}
		})
	}
	for range 3 {
		if _, err := rotator.RotateKey(t.Context(), verify.RoleLog); err != nil {
			t.Error(err)
		}
	}
	group.Wait()
	for _, checkpoint := range append(checkpoints[0], checkpoints[1]...) {
		if _, err := verify.OpenCheckpoint(checkpoint, rotator.Trust()); err != nil {
			t.Error(err)
		}
	}
	if n := len(rotator.Trust().Keys); n != 5 {
		t.Errorf("%d keys, want two and three that followed", n)
	}
	sound(t, rotator)
}

func TestCompromiseKey(t *testing.T) {
	t.Parallel()
	w := open(t, config(t.TempDir()))
	old := w.Keys.Active(verify.RoleStatement)
	good, bad := mustAttest(t, w), mustAttest(t, w)
	compromise := workspace.Compromise{Key: old.ID[:12], From: bad.receipt.Sequence - 1, Reason: "laptop stolen"}
	if _, err := w.CompromiseKey(t.Context(), compromise); tallystick.CodeOf(err) != tallystick.Conflict {
		t.Errorf("the key in use was given up: %v", err)
	}
	if _, err := w.RotateKey(t.Context(), verify.RoleStatement); err != nil {
		t.Fatal(err)
	}
	// Exported anew, because the manifest of a bundle is in no ledger.
	early, late := bundle(t, w, good), bundle(t, w, bad)
	for _, b := range [][]byte{early, late} {
		if got, why := verdict(t, b, w.Trust()); got != verify.Verified {
			t.Fatalf("before the compromise was known: %s, %s", got, why)
		}
	}
	beyond := compromise
	beyond.From = 1000
	if _, err := w.CompromiseKey(t.Context(), beyond); tallystick.CodeOf(err) != tallystick.Invalid {
		t.Errorf("compromise from an index that does not exist: %v", err)
	}
	key, err := w.CompromiseKey(t.Context(), compromise)
	if err != nil || key.Status != verify.StatusCompromised || *key.CompromisedFrom != compromise.From {
		t.Fatalf("CompromiseKey = %+v, %v", key, err)
	}
	if got, why := verdict(t, early, w.Trust()); got != verify.Verified {
		t.Errorf("recorded before the compromise: %s, %s", got, why)
	}
	if got, why := verdict(t, late, w.Trust()); got != verify.Refused || !strings.Contains(why, "is compromised and not trusted for index") {
		t.Errorf("recorded after the compromise: %s, %s", got, why)
	}
	if _, err := w.CompromiseKey(t.Context(), compromise); tallystick.CodeOf(err) != tallystick.Conflict {
		t.Errorf("a second time: %v", err)
	}
	compromise.From--
	if key, err := w.CompromiseKey(t.Context(), compromise); err != nil || *key.CompromisedFrom != compromise.From {
		t.Errorf("from an earlier index: %+v, %v", key, err)
	}
	sound(t, w)
}

// A compromised log key: the ledger goes on under the new one, and its own checkpoints no longer count.
func TestCompromisedLogKey(t *testing.T) {
	t.Parallel()
	w := open(t, config(t.TempDir()))
	older, err := w.Seal(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	old := w.Keys.Active(verify.RoleLog)
	if _, err := w.RotateKey(t.Context(), verify.RoleLog); err != nil {
		t.Fatal(err)
	}
	if _, err := w.CompromiseKey(t.Context(), workspace.Compromise{Key: old.ID, From: 1, Reason: "leaked"}); err != nil {
		t.Fatal(err)
	}
	if _, err := verify.OpenCheckpoint(older, w.Trust()); err == nil {
		t.Error("a checkpoint of a compromised key counts without a witness")
	}
	record(t, w, "later")
	newer, err := w.Seal(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := verify.OpenCheckpoint(newer, w.Trust()); err != nil {
		t.Error(err)
	}
	sound(t, w)
}

// A backup of a workspace with rotated keys restores, and the restored one rotates again.
func TestRestoreAfterRotation(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w := open(t, config(filepath.Join(dir, "old")))
	for _, role := range roles {
		if _, err := w.RotateKey(t.Context(), role); err != nil {
			t.Fatal(err)
		}
	}
	backup := filepath.Join(dir, "backup.tar")
	if _, err := w.Backup(t.Context(), backup); err != nil {
		t.Fatal(err)
	}
	cfg := config(filepath.Join(dir, "new"))
	if _, err := workspace.Restore(t.Context(), cfg, backup); err != nil {
		t.Fatal(err)
	}
	restored := open(t, cfg)
	for _, role := range roles {
		if _, err := restored.RotateKey(t.Context(), role); err != nil {
			t.Fatal(err)
		}
	}
	sound(t, restored)
}

// fsck compares trust.json with the trail.
func TestCheckFindsForeignKey(t *testing.T) {
	t.Parallel()
	w := open(t, config(t.TempDir()))
	path := filepath.Join(w.Dir(), "keys", "trust.json")
	foreign := open(t, config(t.TempDir())).Keys.Active(verify.RoleStatement)
	foreign.Name, foreign.Status, foreign.UntilIndex = w.Origin(), verify.StatusRetired, new(uint64)
	for name, change := range map[string]func(*verify.Trust){
		"a key that nobody recorded": func(t *verify.Trust) { t.Keys = append(t.Keys, foreign) },
		"another range":              func(t *verify.Trust) { t.Keys[0].FromIndex = 1 },
	} {
		trust := w.Trust()
		change(&trust)
		data, err := trust.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		again := open(t, workspace.Config{Dir: w.Dir(), Anchors: filepath.Join(w.Dir(), "..", "anchors"), Actor: alice})
		found, err := again.CheckAll(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if found.OK() {
			t.Errorf("%s: check found nothing", name)
		}
	}
}
