package segment_test

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/merkle/testonly"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/segment"
)

// odd returns n encodings of records that differ in what they have: names that come and go, values of all kinds, every
// field now and then.
func odd(tb testing.TB, seed uint64, n int) [][]byte {
	tb.Helper()
	random := rand.New(rand.NewPCG(seed, 1))
	value := func() prediction.Value {
		switch random.IntN(12) {
		case 0:
			return prediction.Value{}
		case 1:
			return prediction.Boolean(random.IntN(2) == 0)
		case 2:
			return prediction.Integer(random.Int64() - random.Int64())
		case 3:
			return prediction.String(fmt.Sprint("text ", random.IntN(9)))
		case 4:
			return prediction.String("")
		case 5:
			return prediction.Number([]float64{math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, 5e-324}[random.IntN(5)])
		case 6, 7:
			return prediction.Integer(int64(random.IntN(100)))
		}
		return prediction.Number(random.NormFloat64())
	}
	number := func() prediction.Value {
		if v := value(); v.IsNumber() {
			return v
		}
		return prediction.Value{}
	}
	word := func(what string) string {
		if random.IntN(3) > 0 {
			return ""
		}
		return fmt.Sprintf("%s-%d", what, random.IntN(20))
	}
	var encodings [][]byte
	for i := range n {
		r := prediction.Record{
			ID: madeID(random, began), Time: prediction.TimeOf(began) + prediction.Time(i), Model: "odd",
			VersionRequested: word("v"), Version: word("v"), VersionSource: word("s"), Environment: word("e"), Route: word("r"),
			Actor: word("a"), Subject: word("p"), FeaturesRef: word("s3"), Rule: word("rule"), Rationale: word("\"why\n"),
			Output: value(), Score: number(), Threshold: number(), Status: prediction.Status(word("st")), DecidedBy: prediction.DecidedBy(word("d")),
		}
		fill(random, r.Salt[:])
		if random.IntN(2) == 0 {
			fill(random, r.TraceID[:])
			fill(random, r.SpanID[:])
		}
		if random.IntN(2) == 0 {
			r.InputDigest, r.InputKeyed = digestOf(random), random.IntN(2) == 0
		}
		if random.IntN(2) == 0 {
			r.Latency = prediction.Integer(random.Int64N(1e6))
		}
		features, attributions := map[string]prediction.Value{}, map[string]prediction.Value{}
		for k := range 12 {
			switch random.IntN(4) {
			case 0, 1:
				features[fmt.Sprintf("n%d", k)] = prediction.Number(random.NormFloat64())
			case 2:
				features[fmt.Sprintf("n%d", k)] = value()
			}
			if v := number(); !v.IsNull() && random.IntN(3) == 0 {
				attributions[fmt.Sprintf("n%d", k)] = v
			}
		}
		if random.IntN(40) == 0 {
			features[fmt.Sprintf("rare %d é", i%50)] = value()
		}
		r.Features, r.Attributions = prediction.NewFeatures(features), prediction.NewFeatures(attributions)
		if random.IntN(5) == 0 {
			r.Override = &prediction.Override{By: "u:ada", From: value(), Why: word("because")}
		}
		if random.IntN(3) == 0 {
			r.Flags = []string{"NaN", "a\"b", "z"}[:1+random.IntN(3)]
		}
		if random.IntN(3) == 0 {
			r.Extra = fmt.Appendf(nil, `{"k":%d}`, random.IntN(1000))
		}
		encoding, err := r.Append(nil)
		if err != nil {
			tb.Fatal(err)
		}
		encodings = append(encodings, encoding)
	}
	return encodings
}

// written returns the file of encodings.
func written(tb testing.TB, name string, encodings [][]byte) ([]byte, *segment.Summary) {
	tb.Helper()
	var out bytes.Buffer
	summary, err := segment.Write(&out, name, each(encodings))
	if err != nil {
		tb.Fatal(err)
	}
	return out.Bytes(), summary
}

func opened(tb testing.TB, data []byte) *segment.File {
	tb.Helper()
	f, err := segment.Open(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		tb.Fatal(err)
	}
	return f
}

// entries returns copies of all entries of f.
func entries(tb testing.TB, f *segment.File) []segment.Entry {
	tb.Helper()
	var all []segment.Entry
	for e, err := range f.Entries() {
		if err != nil {
			tb.Fatal(err)
		}
		e.Encoding = bytes.Clone(e.Encoding)
		all = append(all, e)
	}
	return all
}

// rootOf builds the tree with the reference implementation.
func rootOf(encodings [][]byte) string {
	tree := testonly.New(rfc6962.DefaultHasher)
	tree.AppendData(encodings...)
	return fmt.Sprintf("sha256:%x", tree.Hash())
}

func TestWriteAndRead(t *testing.T) {
	t.Parallel()
	sizes := []int{1, 2, 255, 256, 257, 1000, 9000}
	if !testing.Short() {
		sizes = append(sizes, 70_000)
	}
	for _, n := range sizes {
		encodings := odd(t, uint64(n), n)
		data, summary := written(t, "s", encodings)
		again, _ := written(t, "s", encodings)
		if !bytes.Equal(data, again) {
			t.Errorf("%d records: written twice, the files differ", n)
		}
		if summary.Digest != tallystick.DigestOf(data) || summary.Bytes != int64(len(data)) || summary.Count != int64(n) || summary.Model != "odd" {
			t.Errorf("%d records: %+v", n, summary)
		}
		if want := rootOf(encodings); string(summary.Parts[0].Root) != want {
			t.Errorf("%d records: root %s, not %s", n, summary.Parts[0].Root, want)
		}
		if summary.FirstTime != prediction.TimeOf(began) || summary.LastTime != prediction.TimeOf(began)+prediction.Time(n-1) {
			t.Errorf("%d records: from %v to %v", n, summary.FirstTime, summary.LastTime)
		}
		back := entries(t, opened(t, data))
		if len(back) != n {
			t.Fatalf("%d records: %d came back", n, len(back))
		}
		for i, e := range back {
			if !bytes.Equal(e.Encoding, encodings[i]) || e.Leaf != prediction.LeafOf(encodings[i]) {
				t.Fatalf("record %d of %d came back as\n%x, not\n%x", i, n, e.Encoding, encodings[i])
			}
		}
	}
}

// TestSameBytes writes the same records twice, the second time with the pools of the libraries emptied over and over: the
// bytes depend on the records alone.
func TestSameBytes(t *testing.T) {
	t.Parallel()
	encodings := shaped(t, 20_000)
	first, _ := written(t, "s", encodings)
	var second bytes.Buffer
	if _, err := segment.Write(&second, "s", func(yield func([]byte, error) bool) {
		for i, encoding := range encodings {
			if i%3000 == 0 {
				runtime.GC() // twice, because pools keep their victims for one round
				runtime.GC()
			}
			if !yield(encoding, nil) {
				return
			}
		}
	}); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first, second.Bytes()) {
		t.Error("the files differ")
	}
}
