package prediction_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/prediction"
)

var update = flag.Bool("update", false, "write testdata/vectors.json")

// vector is a record with its encoding and leaf, for those who write a verifier.
type vector struct {
	Name     string             `json:"name"`
	Record   *prediction.Record `json:"record"`
	Encoding string             `json:"encoding"`
	Leaf     string             `json:"leaf"`
}

const vectorFile = "testdata/vectors.json"

// records returns what the vectors are made of: nothing in it is random.
func records() map[string]prediction.Record {
	small := func(change func(r *prediction.Record)) prediction.Record {
		r := full()
		r = prediction.Record{ID: r.ID, Salt: r.Salt, Time: r.Time, Model: "m"}
		change(&r)
		return r
	}
	features := func(values ...prediction.Value) prediction.Record {
		return small(func(r *prediction.Record) {
			for i, v := range values {
				r.Features = append(r.Features, prediction.Feature{Name: fmt.Sprintf("f%02d", i), Value: v})
			}
		})
	}
	return map[string]prediction.Record{
		"full":  full(),
		"least": small(func(*prediction.Record) {}),
		"integers": features(prediction.Integer(0), prediction.Integer(-1), prediction.Integer(63), prediction.Integer(64), prediction.Integer(-64),
			prediction.Integer(-65), prediction.Integer(1<<53), prediction.Integer(1<<53+1), prediction.Integer(math.MaxInt64), prediction.Integer(math.MinInt64)),
		"numbers": features(prediction.Number(0.1), prediction.Number(-0.5), prediction.Number(1<<63), prediction.Number(math.MaxFloat64),
			prediction.Number(math.SmallestNonzeroFloat64), prediction.Number(math.NaN()), prediction.Number(math.Inf(1)), prediction.Number(math.Inf(-1)), prediction.Number(1e21)),
		"texts":       features(prediction.String(""), prediction.String(strings.Repeat("é", 64)), prediction.String("\"\\\n\u2028😀"), prediction.Boolean(false), prediction.Value{}),
		"before 1970": small(func(r *prediction.Record) { r.Time = -1 }),
		"bodies": small(func(r *prediction.Record) {
			r.BodyRule = "risky"
			r.RequestBody = &prediction.Body{Type: "application/json", Data: []byte(`{"x":1}`)}
			r.ResponseBody = &prediction.Body{Data: []byte{0xff, 0}}
		}),
		"names": small(func(r *prediction.Record) {
			r.Features = prediction.NewFeatures(map[string]prediction.Value{"b": {}, "B": {}, "ﬁ": {}, "😀": {}, "é": {}, "a b": {}})
		}),
	}
}

func TestVectors(t *testing.T) {
	t.Parallel()
	if *update {
		var vectors []vector
		for _, name := range []string{"full", "least", "integers", "numbers", "texts", "before 1970", "names", "bodies"} {
			r := records()[name]
			encoding, err := r.Append(nil)
			if err != nil {
				t.Fatal(err)
			}
			leaf := prediction.LeafOf(encoding)
			vectors = append(vectors, vector{name, &r, hex.EncodeToString(encoding), hex.EncodeToString(leaf[:])})
		}
		var out bytes.Buffer
		encoder := json.NewEncoder(&out)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", " ")
		if err := encoder.Encode(vectors); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(vectorFile, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want := records()
	vectors := readVectors(t)
	if len(vectors) != len(want) {
		t.Errorf("%d vectors, not %d", len(vectors), len(want))
	}
	for _, v := range vectors {
		r := want[v.Name]
		if !r.Equal(v.Record) {
			t.Errorf("%s: the file has another record", v.Name)
		}
		encoding, err := v.Record.Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		leaf := prediction.LeafOf(encoding)
		if hex.EncodeToString(encoding) != v.Encoding || hex.EncodeToString(leaf[:]) != v.Leaf {
			t.Errorf("%s: encoded as %x, leaf %x", v.Name, encoding, leaf)
		}
	}
}

// TestVectorsInPython has the encodings made again by a script that knows the document alone.
func TestVectorsInPython(t *testing.T) {
	t.Parallel()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skipf("needs python3: %v", err)
	}
	var in, want bytes.Buffer
	for _, v := range readVectors(t) {
		in.Write(v.Record.AppendJSON(nil))
		in.WriteByte('\n')
		fmt.Fprintln(&want, v.Encoding, v.Leaf)
	}
	cmd := exec.CommandContext(t.Context(), python, "../../crosscheck/prediction_leaf.py")
	cmd.Stdin, cmd.Env = &in, append(os.Environ(), "PYTHONIOENCODING=utf-8")
	got, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, got)
	}
	if string(got) != want.String() {
		t.Errorf("python says\n%s\nnot\n%s", got, want.String())
	}
}

func readVectors(t *testing.T) []vector {
	t.Helper()
	data, err := os.ReadFile(vectorFile)
	if err != nil {
		t.Fatal(err)
	}
	var vectors []vector
	if err := json.Unmarshal(data, &vectors); err != nil {
		t.Fatal(err)
	}
	return vectors
}
