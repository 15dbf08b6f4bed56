package prediction_test

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/prediction"
)

var received = time.Date(2026, 3, 4, 5, 6, 7, 891_234_567, time.UTC)

// full returns a record in which every field is set.
func full() prediction.Record {
	r := prediction.Record{
		Time: prediction.TimeOf(received), Model: "credit-risk",
		VersionRequested: "champion", Version: "4.2.0", VersionSource: "alias", Environment: "production",
		Route: "/v1/score", Actor: "svc:loans", Subject: "p:7f3a", InputKeyed: true,
		InputDigest: tallystick.DigestOf([]byte("input")),
		Features: prediction.NewFeatures(map[string]prediction.Value{
			"income": prediction.Number(51_000), "ratio": prediction.Number(0.1), "größe": prediction.Number(-1.75),
			"owner": prediction.Boolean(true), "region": prediction.String("north"), "age": prediction.Integer(44),
			"score_2": {}, "big": prediction.Integer(1<<53 + 1), "odd": prediction.Number(math.NaN()),
			"top": prediction.Number(math.Inf(1)), "low": prediction.Number(math.Inf(-1)), "empty": prediction.String(""),
		}),
		FeaturesRef: "s3://features/2026/7f3a", Output: prediction.String("refuse"),
		Score: prediction.Number(0.731), Threshold: prediction.Number(0.5), Rule: "score >= threshold",
		Rationale: "ratio is \"high\"\n",
		Attributions: prediction.NewFeatures(map[string]prediction.Value{
			"income": prediction.Number(-0.25), "ratio": prediction.Number(1e-7),
		}),
		Latency: prediction.Integer(1830), Status: prediction.OK, DecidedBy: prediction.Human,
		Override: &prediction.Override{By: "u:ada", From: prediction.String("accept"), Why: "income is not proved"},
		Flags:    []string{"reviewed", "sampled"},
		Extra:    json.RawMessage(`{"channel":"web","nested":{"a":[1,2.5,"x",null]}}`),
	}
	for i := range r.ID {
		r.ID[i], r.Salt[i], r.TraceID[i], r.SpanID[i/2] = byte(i), byte(0xf0+i), byte(0x10+i), byte(0x20+i)
	}
	r.ID[6], r.ID[8] = 0x71, 0x82
	return r
}

// least returns a record with no more than it must have.
func least() prediction.Record {
	r := prediction.Record{Model: "m"}
	r.Complete(received)
	return r
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]prediction.Record{"full": full(), "least": least()} {
		if err := r.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		encoding, err := r.Append([]byte("before"))
		if err != nil {
			t.Fatal(err)
		}
		encoding = encoding[len("before"):]
		back, err := prediction.Decode(encoding)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(r, back, cmp.AllowUnexported(prediction.Value{})); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		text := r.AppendJSON(nil)
		fromText, err := prediction.ParseJSON(text)
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, text)
		}
		if diff := cmp.Diff(r, fromText, cmp.AllowUnexported(prediction.Value{})); diff != "" {
			t.Errorf("%s through JSON: %s", name, diff)
		}
		if !json.Valid(text) {
			t.Errorf("%s: %s is not JSON", name, text)
		}
	}
}

// TestView decodes into a view that held another record, and writes what it holds.
func TestView(t *testing.T) {
	t.Parallel()
	a, b := full(), least()
	encodingA, _ := a.Append(nil)
	encodingB, _ := b.Append(nil)
	var v prediction.View
	for _, encoding := range [][]byte{encodingA, encodingB, encodingA} {
		if err := v.Decode(encoding); err != nil {
			t.Fatal(err)
		}
		if again, err := v.Append(nil); err != nil || !bytes.Equal(again, encoding) {
			t.Errorf("%x is written as %x, %v", encoding, again, err)
		}
	}
}

// TestOneForm holds numbers that are the same against each other.
func TestOneForm(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text string
		want prediction.Value
		out  string
	}{
		{"5", prediction.Integer(5), "5"}, {"5.0", prediction.Integer(5), "5"}, {"5e0", prediction.Integer(5), "5"}, {"0.5E1", prediction.Number(5), "5"},
		{"-0", prediction.Integer(0), "0"}, {"-0.0", prediction.Integer(0), "0"},
		{"9007199254740993", prediction.Integer(1<<53 + 1), "9007199254740993"},
		{"-9223372036854775808", prediction.Integer(math.MinInt64), "-9223372036854775808"},
		{"9223372036854775807", prediction.Integer(math.MaxInt64), "9223372036854775807"},
		{"9223372036854775808", prediction.Number(1 << 63), "9223372036854776000"},
		{"1e21", prediction.Number(1e21), "1e+21"}, {"1e-7", prediction.Number(1e-7), "1e-7"}, {"1.5e-10", prediction.Number(1.5e-10), "1.5e-10"},
		{`"NaN"`, prediction.Number(-math.NaN()), `"NaN"`}, {`"Infinity"`, prediction.Number(math.Inf(1)), `"Infinity"`},
		{`"-Infinity"`, prediction.String("-Infinity"), `"-Infinity"`}, {`"nan"`, prediction.String("nan"), `"nan"`},
		{`"\ud83d\ude00\u00e9\/"`, prediction.String("😀é/"), `"😀é/"`},
	} {
		r, err := prediction.ParseJSON([]byte(`{"output":` + c.text + `}`))
		if err != nil || r.Output != c.want {
			t.Errorf("%s is %v, %v", c.text, r.Output, err)
			continue
		}
		if got, _ := r.Output.MarshalJSON(); string(got) != c.out {
			t.Errorf("%s is written as %s, not %s", c.text, got, c.out)
		}
	}
}

func TestParseJSON(t *testing.T) {
	t.Parallel()
	r, err := prediction.ParseJSON([]byte(` {"model":"m", "zeta":[1e2], "extra":{"alpha":{"b":1,"a":"\u0041"}}, "features":{"b":1,"a":null},
		"flags":["y","x","y"], "time":"2026-03-04T06:06:07.8912345+01:00", "subject":null} `))
	if err != nil {
		t.Fatal(err)
	}
	want := prediction.Record{
		Model: "m", Time: prediction.TimeOf(received), Flags: []string{"x", "y"},
		Extra:    json.RawMessage(`{"alpha":{"a":"A","b":1},"zeta":[100]}`),
		Features: prediction.Features{{Name: "a"}, {Name: "b", Value: prediction.Integer(1)}},
	}
	if diff := cmp.Diff(want, r, cmp.AllowUnexported(prediction.Value{})); diff != "" {
		t.Error(diff)
	}
}

// TestReadJSONAgain reads into a record that was used before: nothing of that stays.
func TestReadJSONAgain(t *testing.T) {
	t.Parallel()
	whole, small := full(), least()
	r := full()
	for _, want := range []*prediction.Record{&small, &whole, &small} {
		text := string(want.AppendJSON(nil))
		if err := r.ReadJSON(text); err != nil {
			t.Fatal(err)
		}
		if got := string(r.AppendJSON(nil)); got != text {
			t.Errorf("%s was read as %s", text, got)
		}
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, want string }{
		{``, "not a JSON object"}, {`[]`, "not a JSON object"}, {`{`, "not JSON"}, {`{}x`, "followed by something else"},
		{`{"model":"m","model":"m"}`, "model stands twice"}, {`{"a":1,"a":2}`, "a stands twice"}, {`{"a":1,"extra":{"a":2}}`, "a stands twice"},
		{`{"extra":[]}`, "extra is not an object"}, {`{"a":{"b":1,"b":1}}`, "stands twice in one object"},
		{`{"features":{"x":1,"x":2}}`, "features.x stands twice"}, {`{"features":{"b":1,"a":2,"b":3}}`, "features.b stands twice"},
		{`{"features":{"x":[1]}}`, "features.x is an object or array"}, {`{"features":3}`, "features is not an object"},
		{`{"model":3}`, "model is not a text"}, {`{"score":"high"}`, "score is not a number"}, {`{"output":{}}`, "output is an object or array"},
		{`{"id":"x"}`, "not a UUID of version 7"}, {`{"time":"yesterday"}`, "not a moment of RFC 3339"},
		{`{"trace_id":"00000000000000000000000000000000"}`, "trace id"}, {`{"span_id":"AAAAAAAAAAAAAAAA"}`, "span id"},
		{`{"override":{"who":"x"}}`, "override.who is not known"}, {`{"override":{"why":"x"}}`, "override.by is missing"},
		{`{"flags":[1]}`, "flags has something else than a text"}, {`{"flags":[""]}`, "flags has an empty word"},
		{`{"score":1e999}`, "out of range"}, {`{"score":01}`, "not JSON"}, {`{"score":+1}`, "not JSON"}, {`{"score":1.}`, "not JSON"},
		{`{"model":"\ud800"}`, "half a surrogate pair"}, {"{\"model\":\"\n\"}", "control character"}, {"{\"model\":\"\xff\"}", "not text in UTF-8"},
		{`{"model":"a b"}`, "model name"}, {`{"status":"odd"}`, "status is not one of"}, {`{"decided_by":"odd"}`, "decided_by is not"},
		{`{"latency_us":-1}`, "latency_us is not"}, {`{"latency_us":1.5}`, "latency_us is not"}, {`{"attributions":{"x":"y"}}`, "attributions.x is not a number"},
		{`{"input_keyed":true}`, "input_keyed is set"}, {`{"input_digest":"md5:1"}`, "input_digest is not"},
		{`{"features":{"":1}}`, "features has an empty name"}, {`{"rule":"` + strings.Repeat("x", 257) + `"}`, "rule is 257 bytes long"},
		{`{"features":{"x":"` + strings.Repeat("x", 4097) + `"}}`, "features.x is 4097 bytes long"},
		{`{"subject":"\u0000"}`, "subject is not text"}, {`{"a":` + strings.Repeat("[", 20) + strings.Repeat("]", 20) + `}`, "nested deeper"},
		{`{"a":"` + strings.Repeat("x", 16_384) + `"}`, "extra takes"},
		{`{"features":{` + manyTexts(20) + `}}`, "the record takes"},
	} {
		r, err := prediction.ParseJSON([]byte(c.text))
		if err == nil {
			if r.Model == "" {
				r.Model = "m"
			}
			r.Complete(received)
			err = r.Validate()
		}
		if tallystick.CodeOf(err) != tallystick.Invalid || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%.80s: got %v, want %s", c.text, err, c.want)
		}
	}
}

func manyTexts(n int) string {
	var parts []string
	for i := range n {
		parts = append(parts, `"`+string(rune('a'+i))+`":"`+strings.Repeat("x", 4000)+`"`)
	}
	return strings.Join(parts, ",")
}

// TestFlippedBits flips every bit of an encoding: what is still a record is another one, with
// another leaf.
func TestFlippedBits(t *testing.T) {
	t.Parallel()
	r := full()
	encoding, err := r.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	leaf := prediction.LeafOf(encoding)
	for bit := range 8 * len(encoding) {
		flipped := bytes.Clone(encoding)
		flipped[bit/8] ^= 1 << (bit % 8)
		back, err := prediction.Decode(flipped)
		if err != nil {
			continue
		}
		again, err := back.Append(nil)
		if err != nil || !bytes.Equal(again, flipped) {
			t.Errorf("bit %d: decodes to what is encoded otherwise, %v", bit, err)
		}
		if prediction.LeafOf(flipped) == leaf {
			t.Errorf("bit %d: same leaf", bit)
		}
	}
	for n := range len(encoding) {
		if back, err := prediction.Decode(encoding[:n]); err == nil {
			if again, _ := back.Append(nil); !bytes.Equal(again, encoding[:n]) {
				t.Errorf("the first %d bytes decode to something else", n)
			}
		}
	}
}

// TestNames holds our rule for names against that of the house.
func TestNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "a", "-a", "a-", ".a", "a.b_c-9", "A", "é", "a b", strings.Repeat("a", 128), strings.Repeat("a", 129)} {
		r := least()
		r.Model = name
		got, want := r.Validate() == nil, tallystick.ValidateName("model", name) == nil
		if got != want {
			t.Errorf("%q: %v, the house says %v", name, got, want)
		}
	}
}
