// Package yamldoctest fuzzes the readers of documents that people write.
package yamldoctest

import (
	"bytes"
	"encoding/json"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode"

	"go.yaml.in/yaml/v3"

	"github.com/tallystick/tallystick"
)

const (
	// File is what readers are told that the file is called.
	File = "x.yaml"

	maxError  = 700             // bytes
	maxTime   = 5 * time.Second // for one document, on a machine that does other things too
	maxMemory = 16 << 20        // allocated for any document, and besides
	maxRatio  = 2_000           // bytes for each of the document: a node of YAML takes 200, and is looked at a few times
)

// place is how every error begins: with the file and, unless it is about all of it, the line.
var place = regexp.MustCompile(`^(x\.yaml:[0-9]+: |x\.yaml: (line [0-9]+: )?|[a-z ]+ x\.yaml is (empty|larger than [0-9]+ bytes))`)

// Fuzz shows of a reader that, whatever it is given, it ends in bounded time and memory, and that its error is one line of
// bounded length with the file and the line. What it takes, it takes again and understands in the same way, also when
// the YAML is written otherwise: that comments, quotes and indentation mean nothing. meaning returns what the reader
// has understood, as text.
func Fuzz[D any](f *testing.F, parse func(data []byte, name string) (D, error), meaning func(D) string, seeds ...string) {
	f.Helper()
	r := reader[D]{parse, meaning}
	for _, seed := range seeds {
		if _, err := parse([]byte(seed), File); err != nil {
			f.Errorf("a seed is refused: %v", err)
		}
		f.Add([]byte(seed))
		for _, worse := range []string{strings.ReplaceAll(seed, "\n", "\r\n"), strings.ReplaceAll(seed, ": ", ": &a "), seed + "---\n" + seed} {
			f.Add([]byte(worse))
		}
	}
	for _, hostile := range []string{
		"", "[", "a: *b", "? [a, b]\n: c", "\"a\\nb\": *c", "a: &a [*a, *a]", "<<: {a: b}", "\xff", "a: !!binary x", "a: !!float .nan", "%YAML 1.2\n---\na: b",
		strings.Repeat("[", 60_000), strings.Repeat("{a: ", 20_000), strings.Repeat("- ", 30_000) + "a", strings.Repeat("a", 60_000) + ": b",
		strings.Repeat("a: b\n", 10_000), "a: " + strings.Repeat("9", 60_000), "a: &a b\nc: [" + strings.Repeat("*a, ", 15_000) + "*a]",
	} {
		r.try(f, []byte(hostile)) // not a seed: what is long is mutated slowly
	}
	f.Fuzz(func(t *testing.T, data []byte) { r.try(t, data) })
}

// JSON is the meaning of documents that encode all of theirs.
func JSON[D any](d D) string {
	data, err := json.Marshal(d)
	if err != nil {
		return err.Error()
	}
	return string(data)
}

type reader[D any] struct {
	parse   func(data []byte, name string) (D, error)
	meaning func(D) string
}

func (r reader[D]) try(t testing.TB, data []byte) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	began := time.Now()
	d, err := r.parse(data, File)
	took := time.Since(began)
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; took > maxTime || used > maxMemory+maxRatio*uint64(len(data)) {
		t.Errorf("%d bytes took %v and %d bytes of memory", len(data), took, used)
	}
	if err != nil {
		said := err.Error()
		if tallystick.CodeOf(err) != tallystick.Invalid || !place.MatchString(said) || strings.ContainsFunc(said, unicode.IsControl) || len(said) > maxError {
			t.Errorf("not one line that says where: %q", said)
		}
		return
	}
	means := r.meaning(d)
	for _, again := range [][]byte{data, rewritten(data)} {
		if again == nil {
			continue
		}
		d, err := r.parse(again, File)
		if err != nil {
			t.Fatalf("%q is taken, and then %q refused: %v", data, again, err)
		}
		if got := r.meaning(d); got != means {
			t.Errorf("%q means\n%s\nand %q means\n%s", data, means, again, got)
		}
	}
}

// rewritten returns the same YAML written otherwise: without comments, in the style of the encoder. It returns nil where
// that is not possible, for text that is YAML in part, and where the encoder is at fault.
func rewritten(data []byte) []byte {
	var one, two yaml.Node
	if yaml.Unmarshal(data, &one) != nil {
		return nil
	}
	plain(&one)
	again, err := yaml.Marshal(&one)
	if err != nil || yaml.Unmarshal(again, &two) != nil || !same(&one, &two) || bytes.Equal(again, data) {
		return nil
	}
	return again
}

func plain(n *yaml.Node) {
	n.HeadComment, n.LineComment, n.FootComment = "", "", ""
	n.Style &^= yaml.FlowStyle | yaml.DoubleQuotedStyle | yaml.SingleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle
	for _, child := range n.Content {
		plain(child)
	}
}

func same(a, b *yaml.Node) bool {
	if a.Kind != b.Kind || a.ShortTag() != b.ShortTag() || a.Value != b.Value || len(a.Content) != len(b.Content) {
		return false
	}
	for i := range a.Content {
		if !same(a.Content[i], b.Content[i]) {
			return false
		}
	}
	return true
}
