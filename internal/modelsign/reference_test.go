package modelsign

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/artifact"
)

// referenceTool returns the command line of the reference implementation. MODEL_SIGNING names it;
// if that is set, a tool that is missing fails the test (crosscheck/modelsign.sh sets it).
func referenceTool(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("starts processes")
	}
	if tool := os.Getenv("MODEL_SIGNING"); tool != "" {
		return tool
	}
	tool, err := exec.LookPath("model_signing")
	if err != nil {
		t.Skip("needs the reference tool model_signing 1.1 (run crosscheck/modelsign.sh): ", err)
	}
	return tool
}

func TestReferenceTool(t *testing.T) {
	t.Parallel()
	tool := referenceTool(t)
	run := func(args ...string) (string, error) {
		out, err := exec.CommandContext(t.Context(), tool, args...).CombinedOutput()
		return string(out), err
	}
	for _, curve := range []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		for _, c := range []struct {
			name  string
			files map[string]string
			file  string // of a one-file model
			links bool
		}{
			{name: "directory", files: map[string]string{
				"w.bin": "w", "sub/empty": "", "é/<&>\u2028.json": "3", ".git/config": "x", ".gitignore": "x", "sub/.git/kept": "k", "logs/x": "x",
			}},
			// The two sides order these names differently, see the package.
			{name: "order", files: map[string]string{"a/b": "1", "a-b": "2", "a.c": "3"}},
			{name: "one file", files: map[string]string{"w.bin": "w"}, file: "w.bin"},
			{name: "links", files: map[string]string{"w.bin": "w"}, links: true},
		} {
			t.Run(curve.Params().Name+" "+c.name, func(t *testing.T) {
				dir := writeModel(t, c.files)
				if c.links {
					if err := os.Symlink("w.bin", filepath.Join(dir, "current.bin")); err != nil {
						t.Fatal(err)
					}
				}
				key := newKey(t, curve)
				privateFile, publicFile := writeKeys(t, key)
				m := Model{
					Path: filepath.Join(dir, c.file), SignaturePath: filepath.Join(dir, "model.sig"),
					Hash: artifact.HashOptions{FollowLinks: c.links},
				}
				ignore := []string{}
				if _, ok := c.files["logs/x"]; ok {
					m.Hash.Ignore = []string{"logs"}
					ignore = append(ignore, "--ignore-paths", filepath.Join(dir, "logs"))
				}

				verify := func() (string, error) {
					args := []string{"verify", "key", "--public_key", publicFile, "--signature", m.SignaturePath}
					if c.links { // the tool follows no link that it is not told to, whatever the statement says
						args = append(args, "--allow_symlinks")
					}
					return run(append(args, m.Path)...)
				}

				bundle, _, err := Sign(t.Context(), m, key, rand.Reader)
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(m.SignaturePath, bundle, 0o600); err != nil {
					t.Fatal(err)
				}
				if out, err := verify(); err != nil {
					t.Errorf("the reference tool refuses our signature: %v\n%s", err, out)
				}

				if c.file != "" {
					// The specification's own name for the file: why Sign does not use it.
					s, err := Open(bundle, &key.PublicKey)
					if err != nil {
						t.Fatal(err)
					}
					s.Files[0].Name = c.file
					named, err := s.seal(key, rand.Reader)
					if err != nil {
						t.Fatal(err)
					}
					if err := os.WriteFile(m.SignaturePath, named, 0o600); err != nil {
						t.Fatal(err)
					}
					if out, err := verify(); err == nil {
						t.Errorf("the reference tool takes the name %q, so Sign can use it\n%s", c.file, out)
					}
				}

				args := append([]string{"sign", "key", "--private_key", privateFile, "--signature", m.SignaturePath}, ignore...)
				if c.links {
					args = append(args, "--allow_symlinks")
				}
				if out, err := run(append(args, m.Path)...); err != nil {
					t.Fatalf("the reference tool does not sign: %v\n%s", err, out)
				}
				m.Hash = artifact.HashOptions{}
				s, found, err := Verify(t.Context(), m, readFile(t, m.SignaturePath), &key.PublicKey)
				if err != nil {
					t.Fatalf("we refuse the reference tool's signature: %v", err)
				}
				if c.name != "order" && s.Root != found.Root() {
					t.Errorf("the reference tool's root is %s, ours %s", s.Root, found.Root())
				}

				// Both see a changed file.
				if err := os.WriteFile(filepath.Join(dir, firstFile(c.files)), []byte("tampered"), 0o600); err != nil {
					t.Fatal(err)
				}
				if _, _, err := Verify(t.Context(), m, readFile(t, m.SignaturePath), &key.PublicKey); err == nil {
					t.Error("we accept a changed file")
				}
				if err := os.WriteFile(m.SignaturePath, bundle, 0o600); err != nil {
					t.Fatal(err)
				}
				if out, err := verify(); err == nil || !strings.Contains(out, "mismatch") {
					t.Errorf("the reference tool says of a changed file: %v\n%s", err, out)
				}
			})
		}
	}
}

// firstFile returns a file that is signed.
func firstFile(files map[string]string) string {
	if _, ok := files["w.bin"]; ok {
		return "w.bin"
	}
	return "a/b"
}

// writeKeys writes the two halves of key as the reference tool reads them.
func writeKeys(t *testing.T, key *ecdsa.PrivateKey) (private, public string) {
	t.Helper()
	dir := t.TempDir()
	privateDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	publicDER, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	private, public = filepath.Join(dir, "key.pem"), filepath.Join(dir, "key.pub.pem")
	for file, block := range map[string]*pem.Block{
		private: {Type: "PRIVATE KEY", Bytes: privateDER},
		public:  {Type: "PUBLIC KEY", Bytes: publicDER},
	} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return private, public
}
