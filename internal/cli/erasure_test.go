package cli_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/journal"
	"github.com/tallystick/tallystick/internal/segment"
)

// canary is in every value of a record that is erased, and nowhere else.
const canary = "zebrafinch"

// erasedRecord has a word of its own in every field that can hold one, and in both bodies; what people said of it has others.
const erasedRecord = `{"id":"019cb300-0000-7000-8000-000000000001","model":"credit","version":"1","environment":"lab","route":"zebrafinch-route","actor":"zebrafinch-actor","subject":"zebrafinch-subject",` +
	`"features_ref":"zebrafinch-ref","features":{"note":"zebrafinch-feature","mixed":"zebrafinch-mixed"},"attributions":{"note":0.5},"output":"refuse","score":0.25,"threshold":0.5,"rule":"zebrafinch-rule",` +
	`"rationale":"zebrafinch-rationale","flags":["zebrafinch-flag"],"override":{"by":"zebrafinch-by","from":"zebrafinch-from","why":"zebrafinch-why"},"extra":{"note":"zebrafinch-extra"},` +
	`"request_body":"zebrafinch-request","response_body":"zebrafinch-response"}`

// TestErasedLeavesNothing erases a prediction about which a case was opened and decided, a letter drafted and a label given:
// no command gives a value of it, what people said of it stays, its neighbours and their proofs hold, and no file of the
// workspace has a byte of it, however it is packed.
func TestErasedLeavesNothing(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	const gone, neighbour = "019cb300-0000-7000-8000-000000000001", "019cb300-0000-7000-8000-000000000002"
	h.run(0, "model", "register", "credit", "--tier", "high", "--owner", "ana", "--purpose", "score loans")
	h.run(0, "register", "credit@1", "--draft")
	h.run(0, "body", "rule", "define", "credit", "whole", "--share", "1")
	lines := []string{erasedRecord}
	for i := 2; i < 40; i++ { // some have a number where it has a text, which the column then does not hold
		lines = append(lines, fmt.Sprintf(`{"id":"019cb300-0000-7000-8000-0000000000%02d","model":"credit","version":"1","features":{"note":"n%d","mixed":%d},"score":0.%02d,"threshold":0.5,"output":"grant","request_body":"other-%d"}`, i, i, i, i, i))
	}
	if err := os.WriteFile(h.path("sent.ndjson"), []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	h.run(0, "predictions", "record", "sent.ndjson")
	h.run(0, "case", "open", gone, "--reason", "the customer complains")
	one := regexp.MustCompile(`[0-9a-f-]{36}`).FindString(h.run(0, "case", "list", "--prediction", gone))
	h.run(0, "case", "judge", one, "--answer", "grant", "--rationale", "income was read in thousands")
	h.run(0, "explain", gone, "--letter", "letter.md")
	h.run(0, "prove", "prediction", gone, "-o", "gone.proof")
	h.run(0, "prove", "prediction", neighbour, "-o", "neighbour.proof")
	if told := h.run(0, "explain", gone, "--format", "json"); strings.Count(told, canary) < 10 {
		t.Fatalf("the record has not what is looked for: %s", told)
	}
	if before := h.holders(canary); !slices.ContainsFunc(before, func(name string) bool { return strings.HasPrefix(name, "predictions/") }) {
		t.Errorf("before it is erased, %q have it", before)
	}

	h.run(0, "predictions", "erase", gone, "--reason", "asked for")
	for _, command := range []string{"explain " + gone, "explain " + gone + " --letter -", "prove prediction " + gone, "body show " + gone, "body show " + gone + " --response", "case open " + gone + " --reason again"} {
		code, told, complaint := h.exit(strings.Fields(command)...)
		if code != 2 || strings.Contains(told+complaint, canary) || !strings.Contains(complaint, "was erased") {
			t.Errorf("%s: exit code %d\n%s%s", command, code, told, complaint)
		}
	}
	for command, want := range map[string]string{
		"case show " + one:                             "income was read in thousands", // what people said stays
		"case list --all":                              one,
		"case status credit":                           "decided",
		"label show credit " + gone:                    "grant",
		"label coverage credit":                        "",
		"predictions credit --limit 999":               neighbour,
		"predictions stats credit --by f_note,subject": "38",
		"predictions export credit --as ndjson -o -":   neighbour,
		"predictions export credit --as csv -o -":      neighbour,
		"predictions export credit -o all.parquet":     "",
		"log --limit 900 --format json":                "id_hashes",
		"history credit":                               "",
	} {
		if told := h.run(0, strings.Fields(command)...); strings.Contains(told, canary) || !strings.Contains(told, want) {
			t.Errorf("%s: %s", command, told)
		}
	}
	h.run(0, "verify", "gone.proof") // who has kept record and proof can still show them
	h.run(0, "verify", "neighbour.proof")
	h.run(0, "prove", "prediction", neighbour, "-o", "again.proof")
	h.run(0, "verify", "again.proof")
	h.run(0, "fsck")
	if after := h.holders(canary); len(after) > 0 {
		t.Errorf("%q still have something of it", after)
	}
}

// holders returns the files of the workspace and of the anchor beside it that have a word in their bytes, or in what
// these are packed from.
func (h home) holders(word string) (names []string) {
	h.t.Helper()
	workspace := h.workspace()
	err := filepath.WalkDir(workspace, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(workspace, path)
		if err != nil {
			return err
		}
		if bytes.Contains(data, []byte(word)) || strings.HasPrefix(name, "predictions/sha256/") && h.holds(data, word) {
			names = append(names, name)
		}
		return nil
	})
	if err != nil {
		h.t.Fatal(err)
	}
	j, err := journal.Open(h.t.Context(), journal.Options{Dir: filepath.Join(workspace, "journal")})
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = j.Close() }() // it was read only
	for entry, err := range j.Read(h.t.Context(), 0) {
		if err != nil {
			h.t.Fatal(err)
		}
		if bytes.Contains(entry.Payload, []byte(word)) {
			names = append(names, fmt.Sprint("frame ", entry.Sequence))
		}
	}
	return names
}

// holds reports whether a file of predictions has a word in any row of any column.
func (h home) holds(data []byte, word string) bool {
	h.t.Helper()
	f, err := segment.Open(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		h.t.Fatal(err)
	}
	var columns []string
	for _, c := range f.Columns() {
		if strings.Contains(c.Name, word) {
			return true
		}
		columns = append(columns, c.Name)
	}
	for batch, err := range segment.Scan([]*segment.File{f}, columns) {
		if err != nil {
			h.t.Fatal(err)
		}
		for _, c := range batch.Columns {
			if slices.ContainsFunc(c.Bytes, func(b []byte) bool { return bytes.Contains(b, []byte(word)) }) {
				return true
			}
		}
	}
	return false
}
