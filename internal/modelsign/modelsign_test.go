package modelsign

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/secure-systems-lab/go-securesystemslib/dsse"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/artifact"
)

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// writeModel writes files, by name, into a new directory.
func writeModel(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "model")
	for name, content := range files {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func newKey(t testing.TB, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func referenceKey(t testing.TB) *ecdsa.PublicKey {
	t.Helper()
	key, err := ParsePublicKey(readFile(t, "testdata/reference/key.pub.pem"))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// signedByReference is the model under the reference implementation's bundles.
func signedByReference(t testing.TB) string {
	return writeModel(t, map[string]string{"signme-1": "signme-1\n", "signme-2": "signme-2", "ignore-me": "", "model.sig": "the bundle"})
}

func TestVerifyReferenceBundles(t *testing.T) {
	t.Parallel()
	key := referenceKey(t)
	for _, c := range []struct {
		bundle string
		file   string // of a one-file model
		ignore []string
		root   tallystick.Digest
	}{
		{bundle: "spec/key.bundle.json", root: "sha256:92745110b1ab4368471cbe31664e10174e954b113a3df333db860317b2c6dec4"},
		{bundle: "reference/v1.1.0.sig", root: "sha256:92745110b1ab4368471cbe31664e10174e954b113a3df333db860317b2c6dec4"},
		// This version did not record what it ignored.
		{bundle: "reference/v1.0.1.sig", ignore: []string{"ignore-me"}, root: "sha256:92745110b1ab4368471cbe31664e10174e954b113a3df333db860317b2c6dec4"},
		{bundle: "reference/v1.0.0.sig", file: "signme-1", root: "sha256:afa48c8674afe334b8a7dea34f7b46ab256e9255edf8da2132792341b667a45b"},
		{bundle: "reference/v0.3.1.sig", file: "signme-1", root: "sha256:afa48c8674afe334b8a7dea34f7b46ab256e9255edf8da2132792341b667a45b"},
	} {
		dir := signedByReference(t)
		m := Model{Path: filepath.Join(dir, c.file), SignaturePath: filepath.Join(dir, "model.sig"), Hash: artifact.HashOptions{Ignore: c.ignore}}
		s, manifest, err := Verify(t.Context(), m, readFile(t, "testdata/"+c.bundle), key)
		if err != nil {
			t.Errorf("%s: %v", c.bundle, err)
			continue
		}
		if s.Root != c.root || manifest.Root() != c.root {
			t.Errorf("%s: root %s, of the files %s, want %s", c.bundle, s.Root, manifest.Root(), c.root)
		}
	}
}

func TestOpenRefusesVectors(t *testing.T) {
	t.Parallel()
	key := referenceKey(t)
	for name, want := range map[string]string{
		"spec/certificate.bundle.json":                           "certificate",
		"spec/sigstore.bundle.json":                              "certificate",
		"spec/invalid-empty.bundle.json":                         "not json",
		"spec/invalid-missing-envelope.bundle.json":              `no "dsseEnvelope"`,
		"spec/invalid-missing-tlog-entries.bundle.json":          "certificate",
		"spec/invalid-missing-verification-material.bundle.json": `no "verificationMaterial"`,
		"spec/invalid-wrong-predicate.bundle.json":               "",
	} {
		_, err := Open(readFile(t, "testdata/"+name), key)
		if tallystick.CodeOf(err) != tallystick.Invalid || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
}

func TestSignAndVerify(t *testing.T) {
	t.Parallel()
	for _, curve := range []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		dir := writeModel(t, map[string]string{"w.bin": "w", "a-b": "1", "a/b": "2", "é<&>": "3", ".git/config": "x", "logs/x": "x", "model.sig": "old"})
		m := Model{Path: dir, SignaturePath: filepath.Join(dir, "model.sig"), Hash: artifact.HashOptions{Ignore: []string{"logs"}}}
		key := newKey(t, curve)
		bundle, signed, err := Sign(t.Context(), m, key, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(m.SignaturePath, bundle, 0o600); err != nil {
			t.Fatal(err)
		}
		m.Hash.Ignore = nil // recorded in the statement
		s, found, err := Verify(t.Context(), m, bundle, &key.PublicKey)
		if err != nil {
			t.Fatal(err)
		}
		want := Statement{Model: "model", Root: signed.Root(), Ignored: []string{".git", ".gitattributes", ".github", ".gitignore", "logs", "model.sig"}}
		for _, f := range signed.Files() {
			want.Files = append(want.Files, SignedFile{f.Name, f.Digest})
		}
		if diff := cmp.Diff(want, s); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(signed.Files(), found.Files()); diff != "" {
			t.Error(diff)
		}
		if s.Files[0].Name != "a-b" || s.Files[1].Name != "a/b" {
			t.Errorf("order of names: %v", s.Files)
		}
	}
}

func TestVerifyNamesTheFile(t *testing.T) {
	t.Parallel()
	dir := writeModel(t, map[string]string{"a": "1", "b": "2"})
	key := newKey(t, elliptic.P256())
	m := Model{Path: dir, SignaturePath: filepath.Join(t.TempDir(), "model.sig")}
	bundle, _, err := Sign(t.Context(), m, key, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	verify := func(want string) {
		t.Helper()
		_, _, err := Verify(t.Context(), m, bundle, &key.PublicKey)
		if tallystick.CodeOf(err) != tallystick.Conflict || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("Verify = %v, want %s", err, want)
		}
	}
	write := func(name, content string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("c", "3")
	verify(`file "c" was not signed`)
	write("b", "changed")
	verify(`file "b" is not the one that was signed`)
	write("b", "2")
	if err := os.Remove(filepath.Join(dir, "a")); err != nil {
		t.Fatal(err)
	}
	verify(`file "a" was signed and is missing`)
}

func TestOneFileModel(t *testing.T) {
	t.Parallel()
	dir := writeModel(t, map[string]string{"w.bin": "w", "other": "x"})
	key := newKey(t, elliptic.P256())
	m := Model{Path: filepath.Join(dir, "w.bin"), SignaturePath: filepath.Join(dir, "w.bin.sig")}
	bundle, manifest, err := Sign(t.Context(), m, key, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s, _, err := Verify(t.Context(), m, bundle, &key.PublicKey)
	if err != nil || s.Files[0].Name != "." || manifest.Files()[0].Name != "w.bin" {
		t.Errorf("%v, %v", s, err)
	}
	// The specification's own form.
	s.Files[0].Name = "w.bin"
	if bundle, err = s.seal(key, rand.Reader); err != nil {
		t.Fatal(err)
	}
	if _, _, err = Verify(t.Context(), m, bundle, &key.PublicKey); err != nil {
		t.Error(err)
	}
	m.Path = filepath.Join(dir, "other")
	if _, _, err = Verify(t.Context(), m, bundle, &key.PublicKey); tallystick.CodeOf(err) != tallystick.Conflict {
		t.Errorf("another file: %v", err)
	}
}

// TestOpenIsStrict edits the statement or the bundle. Edited statements are signed again, so that it is
// the statement that is refused.
func TestOpenIsStrict(t *testing.T) {
	t.Parallel()
	dir := writeModel(t, map[string]string{"a": "1", "b": "2"})
	key := newKey(t, elliptic.P256())
	bundle, _, err := Sign(t.Context(), Model{Path: dir}, key, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	var b bundleJSON
	if err := json.Unmarshal(bundle, &b); err != nil {
		t.Fatal(err)
	}
	payload, err := base64.StdEncoding.DecodeString(b.DSSEEnvelope.Payload)
	if err != nil {
		t.Fatal(err)
	}
	refused := func(name, want string, data []byte) {
		t.Helper()
		if _, err := Open(data, &key.PublicKey); tallystick.CodeOf(err) != tallystick.Invalid || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
	one, two := tallystick.DigestOf([]byte("1")).Hex(), tallystick.DigestOf([]byte("2")).Hex()
	for name, c := range map[string]struct{ old, new, want string }{
		"unknown member of statement":     {`"_type"`, `"x":1,"_type"`, `unknown member "x"`},
		"unknown member of predicate":     {`"resources"`, `"x":1,"resources"`, `unknown member "x"`},
		"unknown member of serialization": {`"method"`, `"x":1,"method"`, `unknown member "x"`},
		"repeated member":                 {`"method"`, `"method":"shards","method"`, `twice`},
		"member in another case":          {`"method"`, `"Method"`, `unknown member "Method"`},
		"statement type":                  {"Statement/v1", "Statement/v0.1", `"_type"`},
		"predicate type":                  {"signature/v1.0", "Digests/v0.1", `"predicateType"`},
		"shards":                          {`"method":"files"`, `"method":"shards","shard_size":10`, `"method" of serialization is "shards"`},
		"shard size":                      {`"method":"files"`, `"method":"files","shard_size":10`, `shard size`},
		"hash":                            {`"hash_type":"sha256"`, `"hash_type":"blake2b"`, `"hash_type"`},
		"algorithm":                       {`"algorithm":"sha256"`, `"algorithm":"md5"`, `"algorithm" of resource "a"`},
		"links":                           {`"allow_symlinks":false`, `"allow_symlinks":"false"`, `"allow_symlinks"`},
		"pattern":                         {`[".git"`, `["*",".git"`, "pattern"},
		"escaping ignore":                 {`[".git"`, `["../x",".git"`, "climbs"},
		"root":                            {`"digest":{"sha256":"`, `"digest":{"sha256":"` + one + `","x":"`, "root digest"},
		"digest":                          {one, two, "root digest"},
		"digest in capitals":              {one, strings.ToUpper(one), "SHA-256"},
		"name that escapes":               {`"name":"a"`, `"name":"../a"`, "climbs"},
		"absolute name":                   {`"name":"a"`, `"name":"/a"`, "absolute"},
		"order":                           {`"name":"a"`, `"name":"c"`, "order"},
		"twice":                           {`"name":"a"`, `"name":"b"`, "twice"},
		"dot among others":                {`"name":"a"`, `"name":"."`, "file name"},
		"no subject":                      {`"subject":[`, `"subject":[],"x":[`, ""},
		"empty subject name":              {`"name":"model"`, `"name":""`, "empty name"},
		"null":                            {`"allow_symlinks":false`, `"allow_symlinks":null`, "null"},
	} {
		edited := bytes.Replace(payload, []byte(c.old), []byte(c.new), 1)
		if bytes.Equal(edited, payload) {
			t.Errorf("%s: nothing to edit", name)
		}
		refused(name, c.want, resign(t, b, edited, key))
	}
	hint, sig := b.VerificationMaterial.PublicKey.Hint, b.DSSEEnvelope.Signatures[0].Sig
	for name, c := range map[string]struct{ old, new, want string }{
		"unknown member of bundle":    {`"mediaType"`, `"x":1,"mediaType"`, `unknown member "x"`},
		"unknown member of material":  {`"tlogEntries"`, `"x":1,"tlogEntries"`, `unknown member "x"`},
		"unknown member of envelope":  {`"payloadType"`, `"x":1,"payloadType"`, `unknown member "x"`},
		"unknown member of signature": {`"keyid"`, `"x":1,"keyid"`, `unknown member "x"`},
		"media type":                  {"v0.3+json", "v0.2+json", `"mediaType"`},
		"payload type":                {"vnd.in-toto", "vnd.in-toto2", `"payloadType"`},
		"hint":                        {hint, strings.Repeat("0", 64), "not with the given key"},
		"no hint":                     {`"hint"`, `"hunt"`, "neither"},
		"key id":                      {`"keyid": ""`, `"keyid": "abc"`, `key id "abc"`},
		"no key":                      {`"publicKey"`, `"certificate"`, "certificate"},
		"signature":                   {sig[:8], "AAAA" + sig[4:8], "signature of the bundle"},
		"loose base64":                {sig, sig + `\n`, "base64"},
		"two signatures":              {`"signatures": [`, `"signatures": [{"sig":"AAAA"},`, "2 signatures"},
		"trailing":                    {"}\n", "}\n{}", "after its json"},
	} {
		edited := bytes.Replace(bundle, []byte(c.old), []byte(c.new), 1)
		if name == "trailing" {
			edited = append(bytes.Clone(bundle), "{}"...)
		}
		if bytes.Equal(edited, bundle) {
			t.Errorf("%s: nothing to edit", name)
		}
		refused(name, c.want, edited)
	}
	for _, id := range []string{`"keyid": null`, `"keyid": "` + hint + `"`} {
		if _, err := Open(bytes.Replace(bundle, []byte(`"keyid": ""`), []byte(id), 1), &key.PublicKey); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
	other := newKey(t, elliptic.P256())
	if _, err := Open(bundle, &other.PublicKey); err == nil || !strings.Contains(err.Error(), "not with the given key") {
		t.Errorf("another key: %v", err)
	}
}

func resign(t *testing.T, b bundleJSON, payload []byte, key *ecdsa.PrivateKey) []byte {
	t.Helper()
	h, err := hashOf(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	sum := h.New()
	sum.Write(dsse.PAE(payloadType, payload))
	sig, err := ecdsa.SignASN1(rand.Reader, key, sum.Sum(nil))
	if err != nil {
		t.Fatal(err)
	}
	b.DSSEEnvelope.Payload = base64.StdEncoding.EncodeToString(payload)
	b.DSSEEnvelope.Signatures = []signatureJSON{{Sig: base64.StdEncoding.EncodeToString(sig)}}
	data, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestParseKeys(t *testing.T) {
	t.Parallel()
	key := newKey(t, elliptic.P256())
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	sec1, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	params := pem.EncodeToMemory(&pem.Block{Type: "EC PARAMETERS", Bytes: []byte{6, 8, 42, 134, 72, 206, 61, 3, 1, 7}})
	private := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
	for _, file := range [][]byte{private, append(params, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: sec1})...)} {
		if got, err := ParsePrivateKey(file); err != nil || !got.Equal(key) {
			t.Errorf("ParsePrivateKey = %v", err)
		}
	}
	p224, err := x509.MarshalPKCS8PrivateKey(newKey(t, elliptic.P224()))
	if err != nil {
		t.Fatal(err)
	}
	for name, file := range map[string][]byte{
		"nothing":   nil,
		"two":       append(bytes.Clone(private), private...),
		"encrypted": pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: pkcs8}),
		"public":    readFile(t, "testdata/reference/key.pub.pem"),
		"curve":     pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: p224}),
		"garbage":   pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte{1}}),
	} {
		if _, err := ParsePrivateKey(file); tallystick.CodeOf(err) != tallystick.Invalid {
			t.Errorf("%s: %v, want an invalid error", name, err)
		}
	}
	if _, err := ParsePublicKey(private); err == nil || !strings.Contains(err.Error(), "PRIVATE KEY") {
		t.Errorf("private for public: %v", err)
	}
}

func FuzzOpen(f *testing.F) {
	key := referenceKey(f)
	for _, name := range []string{"spec/key.bundle.json", "reference/v1.0.1.sig", "spec/sigstore.bundle.json"} {
		f.Add(readFile(f, "testdata/"+name))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := Open(data, key); err != nil && tallystick.CodeOf(err) != tallystick.Invalid {
			t.Fatalf("error %v is not invalid", err)
		}
	})
}

// FuzzParseStatement checks that what is read and written again is read as the same.
func FuzzParseStatement(f *testing.F) {
	s := Statement{Model: "m", Files: []SignedFile{{"a/b", tallystick.DigestOf(nil)}, {"a/é", tallystick.DigestOf(nil)}}, Ignored: []string{".git"}}
	s.Root = rootOf(s.Files)
	data, err := s.marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := parseStatement(data)
		if err != nil {
			if tallystick.CodeOf(err) != tallystick.Invalid {
				t.Fatalf("error %v is not invalid", err)
			}
			return
		}
		s.Root = rootOf(s.Files) // which moves if the order was by element
		data, err = s.marshal()
		if err != nil {
			t.Fatal(err)
		}
		again, err := parseStatement(data)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(s, again); diff != "" {
			t.Fatal(diff)
		}
	})
}
