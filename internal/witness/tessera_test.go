package witness

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/transparency-dev/tessera"
	"github.com/transparency-dev/tessera/storage/posix"
	"golang.org/x/mod/sumdb/note"
)

// TestTessera lets Tessera's own client of the protocol feed the witness.
func TestTessera(t *testing.T) {
	t.Parallel()
	h := newHistory(t, testOrigin)
	b := newBench(t, h)
	server := httptest.NewServer(b.Handler())
	t.Cleanup(server.Close)
	at, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	peer, err := tessera.NewWitness(b.vkey, at)
	if err != nil {
		t.Fatal(err)
	}
	driver, err := posix.New(t.Context(), posix.Config{Path: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	appender, shutdown, reader, err := tessera.NewAppender(t.Context(), driver, tessera.NewAppendOptions().
		WithCheckpointSigner(h.signer).WithBatching(1, time.Millisecond).WithCheckpointInterval(100*time.Millisecond).
		WithWitnesses(tessera.NewWitnessGroup(1, peer), &tessera.WitnessOptions{Timeout: time.Minute}))
	if err != nil {
		t.Fatal(err)
	}
	awaiter := tessera.NewPublicationAwaiter(t.Context(), reader.ReadCheckpoint, 10*time.Millisecond)
	for _, entry := range []string{"one", "two", "three"} {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
		_, checkpoint, err := awaiter.Await(ctx, appender.Add(ctx, tessera.NewEntry([]byte(entry))))
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		if n, err := note.Open(checkpoint, note.VerifierList(h.verifier(), b.verifier())); err != nil || len(n.Sigs) != 2 {
			t.Fatalf("published without both signatures: %v\n%s", err, checkpoint)
		}
	}
	if err := shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	answer, err := http.Get(server.URL + "/" + originHash(testOrigin) + "/checkpoint")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Errorf("monitor: %s", answer.Status)
	}
}
