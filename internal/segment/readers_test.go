package segment_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/tallystick/tallystick/internal/prediction"
)

// TestOtherReaders has PyArrow and DuckDB read files. crosscheck/segment.sh sets SEGMENT_PYTHON to a
// Python that has them.
func TestOtherReaders(t *testing.T) {
	t.Parallel()
	python := os.Getenv("SEGMENT_PYTHON")
	if python == "" {
		t.Skip("needs SEGMENT_PYTHON, a Python with pyarrow: run crosscheck/segment.sh")
	}
	for name, encodings := range map[string][][]byte{"shaped": shaped(t, 9000), "odd": odd(t, 1, 1000)} {
		dir := t.TempDir()
		file, records, leaves := filepath.Join(dir, name+".parquet"), filepath.Join(dir, "records.jsonl"), filepath.Join(dir, "leaves.txt")
		data, _ := written(t, name, encodings)
		var lines []byte
		for _, encoding := range encodings {
			r, err := prediction.Decode(encoding)
			if err != nil {
				t.Fatal(err)
			}
			lines = append(r.AppendJSON(lines), '\n')
		}
		hash := exec.CommandContext(t.Context(), python, "../../crosscheck/prediction_leaf.py")
		hash.Stdin = bytes.NewReader(lines)
		hashes, err := hash.Output()
		if err != nil {
			t.Fatal(err)
		}
		for path, content := range map[string][]byte{file: data, records: lines, leaves: hashes} {
			if err := os.WriteFile(path, content, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		out, err := exec.CommandContext(t.Context(), python, "../../crosscheck/segment.py", file, records, leaves).CombinedOutput()
		t.Logf("%s\n%s", name, out)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
