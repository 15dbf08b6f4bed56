package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/journal"
	"github.com/tallystick/tallystick/internal/prediction"
)

// TestProvePrediction proves a prediction that a server has put into a segment, and checks the proof away from the
// workspace with nothing else than its keys.
func TestProvePrediction(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	h.serve(nil).stop() // makes the workspace
	j, err := journal.Open(t.Context(), journal.Options{Dir: filepath.Join(h.workspace(), "journal")})
	if err != nil {
		t.Fatal(err)
	}
	var ids []prediction.ID
	var payload journal.Payload
	for i := range 300 {
		record := prediction.Record{Model: "credit", Version: "1", Score: prediction.Number(float64(i) / 1000)}
		record.Complete(time.Now())
		encoding, err := record.Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, record.ID)
		payload.Add(encoding)
	}
	if _, err := j.Append(t.Context(), journal.Batch{Payload: &payload}); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	h.serve(nil).stop()

	dir := t.TempDir()
	proof, trust, changed := filepath.Join(dir, "one.prediction-proof"), filepath.Join(dir, "trust.json"), filepath.Join(dir, "changed")
	h.run(0, "prove", "prediction", ids[257].String(), "-o", proof)
	h.run(0, "trust", "-o", trust)
	stranger := newHome(t)
	told := stranger.run(0, "verify", proof, "--trust", trust)
	for _, want := range []string{ids[257].String(), "of credit 1 at ", "is record 257 of 300 in the segment", "verdict: verified", "that every prediction was recorded"} {
		if !strings.Contains(told, want) {
			t.Errorf("%q is not in what verify says:\n%s", want, told)
		}
	}
	if told := stranger.run(1, "verify", proof); !strings.Contains(told, "unknown signer") {
		t.Errorf("without trust: %s", told)
	}
	data, err := os.ReadFile(proof)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(changed, []byte(strings.Replace(string(data), `"score":0.257`, `"score":0.757`, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if told := stranger.run(1, "verify", changed, "--trust", trust); !strings.Contains(told, "it was changed, or is another") {
		t.Errorf("with another score: %s", told)
	}
	if told := h.run(0, "log", "--type", "prediction.read", "--format", "json"); strings.Count(told, ids[257].String()) != 1 {
		t.Errorf("the trail does not say that it was read: %s", told)
	}
	h.run(2, "prove", "prediction", ids[257].String()[:35]+"x")
	h.run(2, "prove", "prediction", prediction.NewID(time.Now()).String())
	h.run(2, "predictions", "retain", "credit", "--for", "400")
	h.run(2, "predictions", "retain", "nobody", "--for", "400d")
	h.run(2, "predictions", "erase", ids[257].String())
	if told := h.run(0, "predictions", "erase", ids[257].String(), ids[3].String(), "--reason", "asked for"); !strings.Contains(told, "erased        2\n") {
		t.Errorf("erase: %s", told)
	}
	h.run(2, "prove", "prediction", ids[257].String())
	h.run(0, "prove", "prediction", ids[258].String(), "-o", changed)
	stranger.run(0, "verify", changed, "--trust", trust)
	stranger.run(0, "verify", proof, "--trust", trust)
	if told := h.run(0, "fsck"); !strings.Contains(told, "1 segments with 300 records in 1 files have the roots that were registered") {
		t.Errorf("fsck: %s", told)
	}
	h.run(0, "verify")
	h.run(0, "backup", filepath.Join(dir, "backup.tar"))
	found, err := filepath.Glob(filepath.Join(h.workspace(), "predictions", "sha256", "*", "*"))
	if err != nil || len(found) != 1 {
		t.Fatalf("files %v, %v", found, err)
	}
	if err := os.Remove(found[0]); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"fsck", "verify"} {
		if told := h.run(1, command); !strings.Contains(told, "is missing; 1 segments are in it, the first registered by event") {
			t.Errorf("%s: %s", command, told)
		}
	}
}
