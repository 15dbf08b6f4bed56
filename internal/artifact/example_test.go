package artifact_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"strings"

	"github.com/tallystick/tallystick/internal/artifact"
)

// newModel writes a small model and returns its directory.
func newModel() string {
	dir, err := os.MkdirTemp("", "model")
	if err != nil {
		log.Fatal(err)
	}
	for name, content := range map[string]string{"config.json": `{"hidden_size": 8}`, "labels.txt": "good\nbad\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			log.Fatal(err)
		}
	}
	return dir
}

// A version is identified by the digest of its manifest, and a file that changes later is named.
func ExampleHash() {
	ctx, dir := context.Background(), newModel()
	defer os.RemoveAll(dir)
	m, err := artifact.Hash(ctx, []string{dir}, artifact.HashOptions{})
	if err != nil {
		log.Fatal(err)
	}
	identity, err := m.Digest()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(identity.Short(), m.Root().Short(), m.Len(), "files,", m.Size(), "bytes")

	if err := os.WriteFile(filepath.Join(dir, "labels.txt"), []byte("bad\ngood\n"), 0o600); err != nil {
		log.Fatal(err)
	}
	err = artifact.Check(ctx, dir, m, artifact.HashOptions{})
	what, _, _ := strings.Cut(err.Error(), ":")
	fmt.Println(what)
	// Output:
	// 71fe74d3540d 34e7080903a9 2 files, 27 bytes
	// file "labels.txt" has changed
}

// An upload is hashed as it streams by.
func ExampleHashStream() {
	var stored strings.Builder // where the bytes go
	upload := strings.NewReader("weights")
	f, err := artifact.HashStream(context.Background(), "model.bin", io.TeeReader(upload, &stored), nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(f.Name, f.Size, f.Digest.Short(), stored.Len())
	// Output: model.bin 7 9a129038d9a0 7
}

// A pickle is judged by what it names, without being loaded.
func ExampleInspect() {
	pickle := "\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x02id\x85R."
	i, err := artifact.Inspect(context.Background(), "model.pkl", strings.NewReader(pickle), int64(len(pickle)))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(i.Format, i.Verdict)
	for _, f := range i.Findings {
		fmt.Printf("%s %s (%s): %s\n", f.Severity, f.Rule, f.Where, f.Message)
	}
	// Output:
	// pickle fail
	// critical pickle.global (model.pkl, byte 17): names "posix.system", which starts programs
	// low pickle.format (model.pkl): is a pickle, which runs what it names when it is loaded; safetensors, ONNX and GGUF do not
}
