package cli_test

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	formats "github.com/transparency-dev/formats/log"
	cosignature "github.com/transparency-dev/formats/note"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/merkle/testonly"
	"golang.org/x/mod/sumdb/note"

	"github.com/tallystick/tallystick/verify"
)

// auditor runs a witness as a process of its own, with its own home.
type auditor struct {
	home
	vkey    string
	logs    []string // ORIGIN=VKEY
	cmd     *exec.Cmd
	address string // URL, which stays the same over restarts
	gone    chan struct{}
}

func newAuditor(t *testing.T) *auditor {
	t.Helper()
	a := &auditor{home: home{t, t.TempDir()}}
	a.vkey = strings.TrimSpace(a.run(0, "witness", "init", "--dir", "w", "--name", "witness.example.net/w1"))
	return a
}

func (a *auditor) start() {
	a.t.Helper()
	listen := "127.0.0.1:0"
	if a.address != "" {
		listen = strings.TrimPrefix(a.address, "http://")
	}
	args := []string{"witness", "serve", "--dir", "w", "--listen", listen}
	for _, log := range a.logs {
		args = append(args, "--log", log)
	}
	a.cmd, a.gone = a.command(args...), make(chan struct{})
	stderr, err := a.cmd.StderrPipe()
	if err != nil {
		a.t.Fatal(err)
	}
	if err := a.cmd.Start(); err != nil {
		a.t.Fatal(err)
	}
	listening := make(chan string, 1)
	go func() {
		defer close(a.gone)
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			var line struct{ Msg, Address string }
			if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "listening" {
				listening <- "http://" + line.Address
			}
		}
		_ = a.cmd.Wait() // the caller looks at the state
	}()
	select {
	case a.address = <-listening:
	case <-a.gone:
		a.t.Fatal("the witness ended before it listened")
	}
}

func (a *auditor) stop() {
	a.t.Helper()
	if err := a.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		a.t.Fatal(err)
	}
	if <-a.gone; a.cmd.ProcessState.ExitCode() != 0 {
		a.t.Errorf("the witness ended with %v", a.cmd.ProcessState)
	}
}

func (a *auditor) peer() string { return a.address + "=" + a.vkey }

// alarms returns the kinds of the alarms, and checks that status ends with 1 if there are any.
func (a *auditor) alarms() (kinds []string) {
	a.t.Helper()
	code, out, complaint := a.exit("witness", "status", "--dir", "w", "--format", "json")
	var r struct{ Alarms []struct{ Kind string } }
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		a.t.Fatalf("status: %v\n%s%s", err, out, complaint)
	}
	for _, alarm := range r.Alarms {
		kinds = append(kinds, alarm.Kind)
	}
	if (code == 1) != (len(kinds) > 0) {
		a.t.Errorf("status ends with %d, with %d alarms", code, len(kinds))
	}
	return kinds
}

// logKey returns ORIGIN=VKEY of the home's workspace.
func (h home) logKey() string {
	h.t.Helper()
	trust, err := verify.ParseTrust([]byte(h.run(0, "trust", "-o", "-")))
	if err != nil {
		h.t.Fatal(err)
	}
	for _, key := range trust.Keys {
		if key.Role == verify.RoleLog {
			return trust.Origin + "=" + key.PublicKey
		}
	}
	h.t.Fatal("no log key")
	return ""
}

// TestWitnessedFork puts an old copy of a workspace back, alone, and then lets it go its own way: the
// witness cosigns neither, both sides raise an alarm, and recording goes on.
func TestWitnessedFork(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the program many times")
	}
	t.Parallel()
	w := newAuditor(t)
	h := newHome(t)
	h.run(0, "model", "register", "first", "--owner", "ada")
	w.logs = []string{h.logKey()}
	w.start()
	if out := h.run(0, "witness", "submit", "--witness", w.peer()); !strings.Contains(out, "witnessed: 1 of 1") {
		t.Fatal(out)
	}
	old, rewritten, longer := h.copy(t), h.copy(t), h.copy(t)
	h.run(0, "model", "register", "second", "--owner", "ada")
	h.run(0, "witness", "submit")

	if out := old.run(1, "witness", "submit"); !strings.Contains(out, "REFUSED") || !strings.Contains(out, "not witnessed") {
		t.Error(out)
	}
	if kinds := strings.Join(w.alarms(), " "); kinds != "rollback" {
		t.Errorf("alarms after the copy was put back: %s", kinds)
	}
	rewritten.run(0, "model", "register", "other", "--owner", "ada") // as large as the true ledger now
	if out := rewritten.run(1, "witness", "submit"); !strings.Contains(out, "REFUSED") {
		t.Error(out)
	}
	if kinds := strings.Join(w.alarms(), " "); kinds != "rollback fork" {
		t.Errorf("alarms after a fork: %s", kinds)
	}
	if listed := rewritten.run(0, "log", "--type", "witness.refused", "--format", "json"); strings.Count(listed, "inconsistent") != 1 {
		t.Errorf("the refusal is not on the trail:\n%s", listed)
	}
	rewritten.run(0, "model", "register", "another", "--owner", "ada")

	// A server over a third copy: it goes on recording, and says what is wrong.
	longer.run(0, "model", "register", "x", "--owner", "ada")
	longer.run(0, "model", "register", "y", "--owner", "ada")
	s := longer.serve(nil)
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		ready, metrics := page(t, s.address+"/readyz"), page(t, s.address+"/metrics")
		if strings.Contains(ready, "witness witness.example.net/w1: REFUSES (inconsistent)") && strings.Contains(metrics, `tallystick_cosignatures_total{result="refused",witness="witness.example.net/w1"}`) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the server does not say that it is refused:\n%s%s", ready, metrics)
		}
	}
	c := s.client(s.firstAdmin(longer))
	s.must(c.Post(t.Context(), "/models", map[string]any{"name": "goes-on", "owner": "ada"}, nil))
	_ = s.cmd.Process.Signal(syscall.SIGTERM) // its log holds the alarm as an error, which stop would mind
	<-s.gone
	if kinds := strings.Join(w.alarms(), " "); kinds != "rollback fork unproved" {
		t.Errorf("alarms after all: %s", kinds)
	}

	// The true ledger is cosigned as ever, after a restart of the witness too.
	w.stop()
	w.start()
	h.run(0, "model", "register", "third", "--owner", "ada")
	h.run(0, "witness", "submit")
	if out := h.run(0, "verify", "--require-witnesses", "1"); !strings.Contains(out, "witnessed by 1 of 1: witness.example.net/w1") {
		t.Error(out)
	}
	w.stop()
}

func page(t *testing.T, url string) string {
	t.Helper()
	answer, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// TestWitnessedServer has what a server publishes cosigned while it runs, with the witness away for
// a time, and gives the cosignatures to whoever asks for a proof.
func TestWitnessedServer(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the program many times")
	}
	t.Parallel()
	w := newAuditor(t)
	h := newHome(t)
	h.run(0, "model", "register", "first", "--owner", "ada")
	w.logs = []string{h.logKey()}
	w.start()
	h.run(0, "witness", "submit", "--witness", w.peer())
	s := h.serve(nil)
	c := s.client(s.firstAdmin(h))
	register := func(name string) {
		s.must(c.Post(t.Context(), "/models", map[string]any{"name": name, "owner": "ada"}, nil))
	}
	await := func() {
		t.Helper()
		for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
			published, cosigned := sizeOf(t, h.path("data/tallystick/ledger/checkpoint")), sizeOf(t, h.path("data/tallystick/witness/checkpoint"))
			if published == cosigned && strings.Contains(page(t, s.address+"/metrics"), fmt.Sprintf("tallystick_witnessed_size %d\n", published)) {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("published are %d entries and cosigned %d", published, cosigned)
			}
		}
	}
	register("second")
	await()
	w.stop()
	register("third")
	w.start()
	await()
	s.stop()

	vkey := h.path("w.vkey")
	if err := os.WriteFile(vkey, []byte(w.vkey+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	h.run(0, "trust", "-o", "trust.json")
	h.run(0, "prove", "1", "-o", "e.tlog-proof")
	h.run(0, "verify", "e.tlog-proof", "--trust", "trust.json", "--key", vkey, "--require-witnesses", "1")
	h.run(1, "verify", "e.tlog-proof", "--trust", "trust.json", "--require-witnesses", "1")
	h.run(0, "audit", "loans.csv", "--label", "defaulted", "--model", "loans", "--version", "1", "--out", "out")
	out := h.run(0, "verify", "out/evidence.tally", "--trust", "trust.json", "--key", vkey, "--require-witnesses", "1")
	if !strings.Contains(out, "witnessed by 1 of 1: witness.example.net/w1 (") {
		t.Errorf("the bundle does not carry the cosigned checkpoint:\n%s", out)
	}
	w.stop()
	if kinds := w.alarms(); len(kinds) > 0 {
		t.Errorf("alarms without a reason: %v", kinds)
	}
}

// sizeOf returns the size that a checkpoint says, 0 if there is none.
func sizeOf(t *testing.T, path string) uint64 {
	t.Helper()
	data, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return 0
	}
	if err != nil {
		t.Fatal(err)
	}
	c, err := verify.ParseCheckpoint(data)
	if err != nil {
		t.Fatal(err)
	}
	return c.Size
}

// TestWitnessKill kills a witness as soon as a checkpoint is on its disk, before the answer has come
// as often as not. What was cosigned is never forgotten, and who asks again gets a cosignature.
func TestWitnessKill(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the program many times")
	}
	t.Parallel()
	const origin = "log.example.org"
	skey, vkey, err := note.GenerateKey(rand.Reader, origin)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	w := newAuditor(t)
	w.logs = []string{origin + "=" + vkey}
	witness, err := cosignature.NewVerifierForCosignatureV1(w.vkey)
	if err != nil {
		t.Fatal(err)
	}
	tree := testonly.New(rfc6962.DefaultHasher)
	request := func(old, size uint64) (body, checkpoint []byte) {
		checkpoint, err := note.Sign(&note.Note{Text: string(formats.Checkpoint{Origin: origin, Size: size, Hash: tree.HashAt(size)}.Marshal())}, signer)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		fmt.Fprintf(&b, "old %d\n", old)
		if old > 0 {
			hashes, err := tree.ConsistencyProof(old, size)
			if err != nil {
				t.Fatal(err)
			}
			for _, hash := range hashes {
				b.WriteString(formatHash(hash))
			}
		}
		b.WriteByte('\n')
		b.Write(checkpoint)
		return b.Bytes(), checkpoint
	}
	sum := sha256.Sum256([]byte(origin))
	record := filepath.Join(w.dir, "w", "logs", hex.EncodeToString(sum[:])+".checkpoint")

	held, answered, unanswered := uint64(0), 0, 0
	for range 20 {
		w.start()
		for range 3 + tree.Size()%5 {
			tree.AppendData(fmt.Appendf(nil, "entry %d", tree.Size()))
		}
		size := tree.Size()
		body, checkpoint := request(held, size)
		got := make(chan []byte, 1)
		go func() {
			defer close(got)
			answer, err := http.Post(w.address+"/add-checkpoint", "text/plain", bytes.NewReader(body))
			if err != nil {
				return
			}
			defer answer.Body.Close()
			if line, err := io.ReadAll(answer.Body); err == nil && answer.StatusCode == http.StatusOK {
				got <- line
			}
		}()
		for sizeOf(t, record) != size {
		}
		if err := w.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		<-w.gone
		first, ok := <-got
		if ok {
			answered++
		} else {
			unanswered++
		}

		w.start()
		status, answer := post(t, w.address, body)
		if status != http.StatusConflict || string(answer) != strconv.FormatUint(size, 10)+"\n" {
			t.Fatalf("after the kill the witness answers %d %q, and %d entries were on its disk", status, answer, size)
		}
		body, _ = request(size, size)
		status, again := post(t, w.address, body)
		if status != http.StatusOK {
			t.Fatalf("asked again it answers %d %q", status, again)
		}
		for _, line := range [][]byte{first, again} {
			if line == nil {
				continue
			}
			if _, err := note.Open(append(checkpoint[:len(checkpoint):len(checkpoint)], line...), note.VerifierList(witness)); err != nil {
				t.Fatalf("cosignature %q: %v", line, err)
			}
		}
		held = size
		w.stop()
	}
	if unanswered == 0 {
		t.Error("every answer came before the kill: the moments do not try what they should")
	}
	if kinds := w.alarms(); len(kinds) > 0 {
		t.Errorf("alarms without a reason: %v", kinds)
	}
	t.Logf("%d of %d kills came before the answer", unanswered, answered+unanswered)
}

func formatHash(hash []byte) string {
	line, _ := json.Marshal(hash) // base64 in quotes
	return strings.Trim(string(line), `"`) + "\n"
}

func post(t *testing.T, address string, body []byte) (status int, answer []byte) {
	t.Helper()
	r, err := http.Post(address+"/add-checkpoint", "text/plain", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if answer, err = io.ReadAll(r.Body); err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, answer
}
