package witness

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/transparency-dev/formats/log"
	cosignature "github.com/transparency-dev/formats/note"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/merkle/testonly"
	"golang.org/x/mod/sumdb/note"
)

const (
	testOrigin  = "log.example.org"
	testWitness = "witness.example.net/w1"
)

// history is a log in memory, made by the transparency-dev and x/mod packages.
type history struct {
	t      testing.TB
	tree   *testonly.Tree
	signer note.Signer
	vkey   string
}

func newHistory(t testing.TB, origin string) *history {
	t.Helper()
	skey, vkey, err := note.GenerateKey(rand.Reader, origin)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	return &history{t: t, tree: testonly.New(rfc6962.DefaultHasher), signer: signer, vkey: vkey}
}

// fork returns another history of the same log, with its first n entries in common.
func (h *history) fork(n uint64) *history {
	other := &history{t: h.t, tree: testonly.New(rfc6962.DefaultHasher), signer: h.signer, vkey: h.vkey}
	other.grow(n, "entry")
	return other
}

// grow appends entries until there are size.
func (h *history) grow(size uint64, word string) {
	for i := h.tree.Size(); i < size; i++ {
		h.tree.AppendData(fmt.Appendf(nil, "%s %d", word, i))
	}
}

func (h *history) checkpoint(size uint64, signers ...note.Signer) []byte {
	h.t.Helper()
	if signers == nil {
		signers = []note.Signer{h.signer}
	}
	c := log.Checkpoint{Origin: h.signer.Name(), Size: size, Hash: h.tree.HashAt(size)}
	signed, err := note.Sign(&note.Note{Text: string(c.Marshal())}, signers...)
	if err != nil {
		h.t.Fatal(err)
	}
	return signed
}

func (h *history) request(old, size uint64) Request {
	h.t.Helper()
	r := Request{Old: old, Checkpoint: h.checkpoint(size)}
	if old == 0 || old > size {
		return r
	}
	hashes, err := h.tree.ConsistencyProof(old, size)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, hash := range hashes {
		r.Proof = append(r.Proof, [sha256.Size]byte(hash))
	}
	return r
}

func (h *history) verifier() note.Verifier {
	h.t.Helper()
	v, err := note.NewVerifier(h.vkey)
	if err != nil {
		h.t.Fatal(err)
	}
	return v
}

// at is the history as a Ledger of one size.
func (h *history) at(size uint64) Source {
	return func() (Ledger, error) { return snapshot{h, size}, nil }
}

type snapshot struct {
	*history
	size uint64
}

func (s snapshot) Checkpoint() []byte { return s.checkpoint(s.size) }
func (s snapshot) Size() uint64       { return s.size }
func (s snapshot) ConsistencyProof(_ context.Context, from, to uint64) ([][]byte, error) {
	return s.tree.ConsistencyProof(from, to)
}

// bench is a witness with its directory, for the logs of some histories.
type bench struct {
	*Witness
	t    testing.TB
	dir  string
	vkey string
	log  *strings.Builder
}

func newBench(t testing.TB, logs ...*history) *bench {
	t.Helper()
	b := &bench{t: t, dir: t.TempDir(), log: &strings.Builder{}}
	key, err := CreateKey(b.dir, testWitness)
	if err != nil {
		t.Fatal(err)
	}
	b.vkey = key.VKey
	b.open(logs...)
	t.Cleanup(func() { b.Close() })
	return b
}

func (b *bench) open(logs ...*history) {
	b.t.Helper()
	config := Config{Dir: b.dir, Logger: slog.New(slog.NewTextHandler(b.log, nil))}
	for _, h := range logs {
		config.Logs = append(config.Logs, Log{Origin: h.signer.Name(), Keys: []note.Verifier{h.verifier()}})
	}
	var err error
	if b.Witness, err = Open(config); err != nil {
		b.t.Fatal(err)
	}
}

// reopen is what a restart of the process does.
func (b *bench) reopen(logs ...*history) {
	b.t.Helper()
	if err := b.Close(); err != nil {
		b.t.Fatal(err)
	}
	b.open(logs...)
}

// post sends a body to the handler.
func (b *bench) post(body []byte) (status int, kind string, answer []byte) {
	r := httptest.NewRequest(http.MethodPost, "/add-checkpoint", strings.NewReader(string(body)))
	w := httptest.NewRecorder()
	b.Handler().ServeHTTP(w, r)
	return w.Code, w.Header().Get("Content-Type"), w.Body.Bytes()
}

// mustCosign sends a request that must succeed, and checks the cosignature with the library.
func (b *bench) mustCosign(r Request) note.Signature {
	b.t.Helper()
	line, err := b.Add(b.t.Context(), r)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.verify(r.Checkpoint, line)
}

func (b *bench) verify(checkpoint, line []byte) note.Signature {
	b.t.Helper()
	v, err := cosignature.NewVerifierForCosignatureV1(b.vkey)
	if err != nil {
		b.t.Fatal(err)
	}
	n, err := note.Open(append(checkpoint[:len(checkpoint):len(checkpoint)], line...), note.VerifierList(v))
	if err != nil {
		b.t.Fatalf("cosignature %q: %v", line, err)
	}
	return n.Sigs[0]
}
