package cli_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"
	"github.com/secure-systems-lab/go-securesystemslib/signerverifier"
	"github.com/transparency-dev/formats/log"
	tlog "github.com/transparency-dev/formats/proof"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"
)

// strangerTrust is what a stranger reads of trust.json.
type strangerTrust struct {
	Origin string `json:"origin"`
	Keys   []struct {
		ID        string `json:"id"`
		Role      string `json:"role"`
		PublicKey string `json:"public_key"`
	} `json:"keys"`
}

func (s strangerTrust) key(t *testing.T, role string) (id, public string) {
	t.Helper()
	for _, k := range s.Keys {
		if k.Role == role {
			return k.ID, k.PublicKey
		}
	}
	t.Fatalf("trust.json has no key of role %s", role)
	return "", ""
}

// TestStranger checks a bundle with programs that are not ours: archive/zip, the signed notes of
// golang.org/x/mod, checkpoint, tlog-proof and Merkle packages of transparency-dev, and the DSSE of
// secure-systems-lab. Nothing of ours is imported.
func TestStranger(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("runs the program")
	}
	h := newHome(t)
	h.run(1, "audit", "loans.csv", "--label", "defaulted", "--score", "probability", "--group", "sex", "--model", "loans", "--version", "1", "--out", "out")
	h.run(0, "trust", "-o", "trust.json")
	archive, err := zip.NewReader(bytes.NewReader(h.read("out/evidence.tally")), int64(len(h.read("out/evidence.tally"))))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, f := range archive.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if files[f.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
	var trust strangerTrust
	if err := json.Unmarshal(h.read("trust.json"), &trust); err != nil {
		t.Fatal(err)
	}

	// The checkpoint is a note that the log key has signed.
	_, public := trust.key(t, "log")
	verifier, err := note.NewVerifier(public)
	if err != nil {
		t.Fatal(err)
	}
	if signed, err := note.Open(files["checkpoint"], note.VerifierList(verifier)); err != nil || len(signed.Sigs) != 1 {
		t.Fatalf("signed note: %v", err)
	}
	checkpoint, _, _, err := log.ParseCheckpoint(files["checkpoint"], trust.Origin, verifier)
	if err != nil {
		t.Fatal(err)
	}

	// Every event is a leaf of its tree.
	events, indexes := map[string][]byte{}, []uint64{}
	for name, leaf := range files {
		number, ok := strings.CutSuffix(name, ".json")
		if !ok || !strings.HasPrefix(name, "events/") {
			continue
		}
		var p tlog.TLogProof
		if err := p.Unmarshal(files[number+".tlog-proof"]); err != nil {
			t.Fatalf("%s.tlog-proof: %v", number, err)
		}
		if !bytes.Equal(p.Checkpoint, files["checkpoint"]) {
			t.Errorf("%s.tlog-proof is under another checkpoint", number)
		}
		hashes := make([][]byte, len(p.Hashes))
		for i, hash := range p.Hashes {
			hashes[i] = hash[:]
		}
		leafHash := rfc6962.DefaultHasher.HashLeaf(leaf)
		if err := proof.VerifyInclusion(rfc6962.DefaultHasher, p.Index, checkpoint.Size, leafHash, hashes, checkpoint.Hash); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		leafHash[0] ^= 1
		if proof.VerifyInclusion(rfc6962.DefaultHasher, p.Index, checkpoint.Size, leafHash, hashes, checkpoint.Hash) == nil {
			t.Errorf("%s: its proof holds for another leaf", name)
		}
		events[name], indexes = leaf, append(indexes, p.Index)
	}
	slices.Sort(indexes)
	if len(events) != 6 || len(slices.Compact(indexes)) != 6 {
		t.Errorf("%d events at indexes %v", len(events), indexes)
	}

	// Every statement is a DSSE envelope by the statement key, and the audit's event names it.
	id, public := trust.key(t, "statement")
	der, err := base64.StdEncoding.DecodeString(public)
	if err != nil {
		t.Fatal(err)
	}
	key, err := signerverifier.NewECDSASignerVerifierFromSSLibKey(&signerverifier.SSLibKey{
		KeyID: id, KeyType: signerverifier.ECDSAKeyType, Scheme: signerverifier.ECDSAKeyScheme,
		KeyVal: signerverifier.KeyVal{Public: string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))},
	})
	if err != nil {
		t.Fatal(err)
	}
	envelopes, err := dsse.NewEnvelopeVerifier(key)
	if err != nil {
		t.Fatal(err)
	}
	types := map[string]bool{}
	for name, data := range files {
		if !strings.HasSuffix(name, ".dsse.json") {
			continue
		}
		var envelope dsse.Envelope
		if err := json.Unmarshal(data, &envelope); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		_, payload, err := envelopes.VerifyAndDecode(t.Context(), &envelope)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var statement struct {
			Type          string `json:"_type"`
			PredicateType string `json:"predicateType"`
			Subject       []struct {
				Name   string            `json:"name"`
				Digest map[string]string `json:"digest"`
			} `json:"subject"`
		}
		if err := json.Unmarshal(payload, &statement); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		types[statement.PredicateType] = true
		if statement.Type != "https://in-toto.io/Statement/v1" || len(statement.Subject) == 0 {
			t.Errorf("%s: %+v", name, statement)
		}
		for _, s := range statement.Subject { // those that lie in the bundle
			if content, ok := files[s.Name]; ok && digest(content) != s.Digest["sha256"] {
				t.Errorf("%s: subject %s has another digest", name, s.Name)
			}
		}
		if strings.HasPrefix(name, "statements/") && !bytes.Contains(events["events/6.json"], []byte(digest(data))) {
			t.Errorf("%s: the event of the audit does not name it", name)
		}
		envelope.Payload = base64.StdEncoding.EncodeToString(append(payload, ' '))
		if _, err := envelopes.Verify(t.Context(), &envelope); err == nil {
			t.Errorf("%s: the signature holds for another payload", name)
		}
	}
	for _, want := range []string{"https://in-toto.io/attestation/test-result/v0.1", "https://in-toto.io/attestation/svr/v0.2"} {
		if !types[want] {
			t.Errorf("there is no statement of type %s", want)
		}
	}

	// The manifest, which is signed too, has the digest of every other file.
	var manifest struct {
		Files []struct{ Name, Digest string }
	}
	if err := json.Unmarshal(files["manifest.json"], &manifest); err != nil {
		t.Fatal(err)
	}
	for _, f := range manifest.Files {
		if "sha256:"+digest(files[f.Name]) != f.Digest {
			t.Errorf("the manifest has another digest of %s", f.Name)
		}
	}
	if len(manifest.Files) != len(files)-2 {
		t.Errorf("the manifest lists %d of %d files", len(manifest.Files), len(files))
	}
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
