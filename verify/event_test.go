package verify

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gowebpki/jcs"
	"github.com/tallystick/tallystick"
)

func public(pointers ...string) func(string) bool {
	return func(p string) bool { return slices.Contains(pointers, p) }
}

func allPublic(string) bool  { return true }
func nonePublic(string) bool { return false }

var eventTime = time.Date(2026, 3, 4, 5, 6, 7, 89_999_999, time.FixedZone("", 3600))

func testEvent(data map[string]any) Event {
	return Event{ID: "e-1", Source: "tallystick:test", Type: "test.happened.v1", Subject: "model/m",
		Time: eventTime, Sequence: 7, Data: data}
}

func mustEncode(t testing.TB, e Event, public func(string) bool) ([]byte, []Disclosure) {
	t.Helper()
	leaf, ds, err := EncodeEvent(e, public, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return leaf, ds
}

func TestEncodeEventLeaf(t *testing.T) {
	t.Parallel()
	e := testEvent(map[string]any{
		"action":  "audit",
		"actor":   map[string]any{"id": "ada", "kind": "person"},
		"big":     uint64(math.MaxUint64),
		"columns": []any{"a", 1.0},
		"digest":  tallystick.DigestOf(nil),
		"purpose": nil,
	})
	// Salts are the bytes 0x00.. in order, so that the whole leaf is known. The commitments are
	// recomputed below from the written form of the preimage.
	salts := make([]byte, 16*4)
	for i := range salts {
		salts[i] = byte(i)
	}
	leaf, ds, err := EncodeEvent(e, public("/action", "/actor/kind", "/digest"), bytes.NewReader(salts))
	if err != nil {
		t.Fatal(err)
	}
	commit := func(preimage string) string {
		return fmt.Sprintf(`{"commitment":"sha256:%x"}`, sha256.Sum256([]byte(preimage)))
	}
	want := `{"data":{"action":"audit","actor":{"id":` + commit(`["AAECAwQFBgcICQoLDA0ODw","/actor/id","ada"]`) +
		`,"kind":"person"},"big":` + commit(`["EBESExQVFhcYGRobHB0eHw","/big","18446744073709551615"]`) +
		`,"columns":` + commit(`["ICEiIyQlJicoKSorLC0uLw","/columns",["a",1]]`) +
		`,"digest":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"` +
		`,"purpose":` + commit(`["MDEyMzQ1Njc4OTo7PD0-Pw","/purpose",null]`) +
		`},"datacontenttype":"application/json","id":"e-1","sequence":"7","source":"tallystick:test","specversion":"1.0"` +
		`,"subject":"model/m","time":"2026-03-04T04:06:07.089Z","type":"test.happened.v1"}`
	if diff := cmp.Diff(want, string(leaf)); diff != "" {
		t.Errorf("leaf (-want +got):\n%s", diff)
	}
	var pointers []string
	for _, d := range ds {
		pointers = append(pointers, d.Pointer)
	}
	if diff := cmp.Diff([]string{"/actor/id", "/big", "/columns", "/purpose"}, pointers); diff != "" {
		t.Errorf("disclosures (-want +got):\n%s", diff)
	}

	sealed, err := DecodeEvent(leaf)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(pointers, sealed.Commitments()); diff != "" {
		t.Errorf("Commitments (-want +got):\n%s", diff)
	}
	if want := eventTime.UTC().Truncate(time.Millisecond); !sealed.Time.Equal(want) || sealed.Sequence != 7 || sealed.Subject != "model/m" {
		t.Errorf("DecodeEvent = %+v", sealed.Event)
	}
	opened, err := sealed.Open(ds)
	if err != nil {
		t.Fatal(err)
	}
	wantData := map[string]any{
		"action": "audit", "actor": map[string]any{"id": "ada", "kind": "person"},
		"big": "18446744073709551615", "columns": []any{"a", 1.0},
		"digest":  "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		"purpose": nil,
	}
	if diff := cmp.Diff(wantData, opened); diff != "" {
		t.Errorf("Open (-want +got):\n%s", diff)
	}
	partly, err := sealed.Open(ds[:1])
	if err != nil {
		t.Fatal(err)
	}
	if _, sealed := commitmentOf(partly["big"].(map[string]any)); !sealed {
		t.Errorf("Open with one disclosure opened another field: %v", partly)
	}
}

func TestCheckRefuses(t *testing.T) {
	t.Parallel()
	leaf, ds := mustEncode(t, testEvent(map[string]any{"a": "x", "b": "x"}), nonePublic)
	sealed, err := DecodeEvent(leaf)
	if err != nil {
		t.Fatal(err)
	}
	a, b := ds[0], ds[1]
	for name, d := range map[string]Disclosure{
		"other value":      {a.Pointer, a.Salt, json.RawMessage(`"y"`)},
		"other salt":       {a.Pointer, b.Salt, a.Value},
		"other field":      {b.Pointer, a.Salt, a.Value},
		"no such field":    {"/c", a.Salt, a.Value},
		"short salt":       {a.Pointer, a.Salt[:20], a.Value},
		"padded salt":      {a.Pointer, a.Salt + "==", a.Value},
		"salt with spare":  {a.Pointer, a.Salt[:21] + "B", a.Value},
		"salt with break":  {a.Pointer, a.Salt + "\n", a.Value},
		"value not json":   {a.Pointer, a.Salt, json.RawMessage(`x`)},
		"value and more":   {a.Pointer, a.Salt, json.RawMessage(`"x"]`)},
		"value without":    {a.Pointer, a.Salt, nil},
		"value with twins": {a.Pointer, a.Salt, json.RawMessage(`{"a":1,"a":1}`)},
	} {
		if err := sealed.Check(d); tallystick.CodeOf(err) != tallystick.Invalid {
			t.Errorf("%s: Check = %v, want Invalid", name, err)
		}
	}
	if _, err := sealed.Open([]Disclosure{a, a}); err == nil {
		t.Error("Open took one field twice")
	}
	for name, ds := range map[string][]Disclosure{"one field twice": {a, a}, "a value that is wrong": {{a.Pointer, a.Salt, json.RawMessage(`"y"`)}}, "a field that is not there": {{"/c", a.Salt, a.Value}}, "a bad salt": {{a.Pointer, "", a.Value}}} {
		if _, err := AppendOpened(nil, leaf, ds); tallystick.CodeOf(err) != tallystick.Invalid {
			t.Errorf("AppendOpened took %s: %v", name, err)
		}
	}
	if err := sealed.Check(Disclosure{a.Pointer, a.Salt, json.RawMessage(` "x" `)}); err != nil {
		t.Errorf("white space around a value that is right: %v", err)
	}
}

func TestEncodeEventRefuses(t *testing.T) {
	t.Parallel()
	posing := map[string]any{"commitment": string(tallystick.DigestOf(nil))}
	deep := any(1.0)
	for range 100 {
		deep = map[string]any{"d": deep}
	}
	ok := map[string]any{"a": 1.0}
	for name, tc := range map[string]struct {
		change func(*Event)
		public func(string) bool
	}{
		"no id":             {func(e *Event) { e.ID = "" }, allPublic},
		"no source":         {func(e *Event) { e.Source = "" }, allPublic},
		"no type":           {func(e *Event) { e.Type = "" }, allPublic},
		"control character": {func(e *Event) { e.Subject = "a\nb" }, allPublic},
		"broken UTF-8 id":   {func(e *Event) { e.ID = "\xff" }, allPublic},
		"no time":           {func(e *Event) { e.Time = time.Time{} }, allPublic},
		"year 10000":        {func(e *Event) { e.Time = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) }, allPublic},
		"NaN":               {func(e *Event) { e.Data = map[string]any{"x": math.NaN()} }, nonePublic},
		"broken UTF-8":      {func(e *Event) { e.Data = map[string]any{"x": "\xff"} }, nonePublic},
		"broken name":       {func(e *Event) { e.Data = map[string]any{"\xff": 1} }, nonePublic},
		"a channel":         {func(e *Event) { e.Data = map[string]any{"x": make(chan int)} }, nonePublic},
		"too long":          {func(e *Event) { e.Data = map[string]any{"x": strings.Repeat("x", MaxLeaf)} }, allPublic},
		"sealed too long":   {func(e *Event) { e.Data = map[string]any{"x": strings.Repeat("x", MaxLeaf)} }, nonePublic},
		"too deep":          {func(e *Event) { e.Data = map[string]any{"x": deep} }, nonePublic},
		"too deep, public":  {func(e *Event) { e.Data = map[string]any{"x": deep} }, allPublic},
		"posing, public":    {func(e *Event) { e.Data = map[string]any{"x": posing} }, allPublic},
		"posing, walked":    {func(e *Event) { e.Data = map[string]any{"x": posing} }, public("/x/commitment")},
		"posing, deeper":    {func(e *Event) { e.Data = map[string]any{"x": map[string]any{"y": posing}} }, public("/x")},
	} {
		e := testEvent(ok)
		tc.change(&e)
		if _, _, err := EncodeEvent(e, tc.public, rand.Reader); tallystick.CodeOf(err) != tallystick.Invalid {
			t.Errorf("%s: EncodeEvent = %v, want Invalid", name, err)
		}
	}
	_, _, err := EncodeEvent(testEvent(ok), nonePublic, strings.NewReader("short"))
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("too few random bytes: %v", err)
	}
}

func TestDecodeEventRefuses(t *testing.T) {
	t.Parallel()
	leaf, _ := mustEncode(t, testEvent(map[string]any{"a": 1.5, "b": "ü"}), allPublic)
	for name, tc := range map[string]struct{ from, to string }{
		"white space":       {`{"data"`, `{ "data"`},
		"trailing byte":     {`v1"}`, "v1\"}\n"},
		"order":             {`"a":1.5,"b":"ü"`, `"b":"ü","a":1.5`},
		"repeated member":   {`"a":1.5`, `"a":1.5,"a":1.5`},
		"number spelling":   {`1.5`, `1.50`},
		"text spelling":     {`ü`, `\u00fc`},
		"lone surrogate":    {`ü`, `\ud800`},
		"unsafe integer":    {`1.5`, `9007199254740993`},
		"unknown member":    {`,"datacontenttype"`, `,"dataschema":"x","datacontenttype"`},
		"spec version":      {`"1.0"`, `"0.3"`},
		"content type":      {`application/json`, `text/plain`},
		"sequence sign":     {`"7"`, `"+7"`},
		"sequence zero":     {`"7"`, `"07"`},
		"sequence type":     {`"7"`, `7`},
		"time zone":         {`.089Z`, `.089+00:00`},
		"time digits":       {`.089Z`, `.0891Z`},
		"day of month":      {`2026-03-04`, `2026-02-30`},
		"empty subject":     {`"model/m"`, `""`},
		"no type":           {`,"type":"test.happened.v1"`, ``},
		"data not object":   {`{"a":1.5,"b":"ü"}`, `[]`},
		"data null":         {`{"a":1.5,"b":"ü"}`, `null`},
		"cut off":           {`v1"}`, `v1"`},
		"id of other kind":  {`"e-1"`, `null`},
		"member other case": {`"id"`, `"Id"`},
	} {
		if !strings.Contains(string(leaf), tc.from) {
			t.Fatalf("%s: %s is not in the leaf", name, tc.from)
		}
		if _, err := DecodeEvent([]byte(strings.Replace(string(leaf), tc.from, tc.to, 1))); tallystick.CodeOf(err) != tallystick.Invalid {
			t.Errorf("%s: DecodeEvent = %v, want Invalid", name, err)
		}
	}
	if _, err := DecodeEvent(bytes.Repeat([]byte(" "), MaxLeaf+1)); err == nil {
		t.Error("a leaf that is too long was read")
	}
}

func TestDraftLeaf(t *testing.T) {
	t.Parallel()
	draft, err := new(Drafter).Draft(testEvent(nil), []Member{{Name: "a", Value: 1, Public: true}}, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, sequence := range []uint64{0, 1, math.MaxUint64} {
		leaf, err := draft.Leaf(sequence)
		if err != nil {
			t.Fatal(err)
		}
		sealed, err := DecodeEvent(leaf)
		if err != nil || sealed.Sequence != sequence {
			t.Errorf("Leaf(%d): sequence %d, %v", sequence, sealed.Sequence, err)
		}
	}
}

func TestDraftRefuses(t *testing.T) {
	t.Parallel()
	digest := string(tallystick.DigestOf(nil))
	deep := []Member{{Name: "a", Value: 1}}
	for range maxDepth + 1 {
		deep = []Member{{Name: "a", Members: deep}}
	}
	for name, members := range map[string][]Member{
		"not in order":           {{Name: "b"}, {Name: "a"}},
		"twice":                  {{Name: "a"}, {Name: "a", Public: true}},
		"nested not in order":    {{Name: "a", Members: []Member{{Name: "c"}, {Name: "b"}}}},
		"poses as sealed":        {{Name: "a", Members: []Member{{Name: "commitment", Value: digest, Public: true}}}},
		"digest poses as sealed": {{Name: "a", Value: map[string]any{"commitment": tallystick.DigestOf(nil)}, Public: true}},
		"map poses as sealed":    {{Name: "a", Value: map[string]any{"commitment": digest}, Public: true}},
		"too deep":               deep,
		"too large":              {{Name: "a", Value: strings.Repeat("x", MaxLeaf+1)}},
		"not UTF-8":              {{Name: "a\xff"}},
	} {
		if _, err := new(Drafter).Draft(testEvent(nil), members, rand.Reader); tallystick.CodeOf(err) != tallystick.Invalid {
			t.Errorf("%s: Draft = %v, want Invalid", name, err)
		}
	}
}

// membersOf says in members what public says of the fields of data.
func membersOf(pointer string, data map[string]any, public func(string) bool) []Member {
	members := []Member{}
	for _, name := range sortedNames(nil, data) {
		at := string(appendPointer([]byte(pointer), name))
		m := Member{Name: name, Value: data[name], Public: public(at)}
		if object, ok := m.Value.(map[string]any); ok && !m.Public {
			m.Members = membersOf(at, object, public)
		}
		members = append(members, m)
	}
	return members
}

// FuzzEncodeEvent: whatever JSON object is encoded, with any choice of public fields, decodes and
// opens to the same object, and is the same as a draft.
func FuzzEncodeEvent(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"a":1,"b":[1,{"c":null}],"d":{"e":{},"f":"x"}}`, `{"a/b":{"~":1},"":2}`,
		`{"\ue000":1,"\ud83d\ude00":2}`, `{"commitment":{"commitment":1}}`, `{"x":1e-7,"y":-0,"z":1e21}`,
	} {
		f.Add([]byte(seed), uint64(5))
	}
	f.Fuzz(func(t *testing.T, data []byte, mask uint64) {
		var members map[string]any
		if len(data) > 4096 || json.Unmarshal(data, &members) != nil || members == nil {
			return
		}
		public := func(p string) bool { return mask>>(len(p)%64)&1 == 1 }
		salts := bytes.Repeat([]byte("0123456789abcde"), 4096)
		leaf, ds, err := EncodeEvent(testEvent(members), public, bytes.NewReader(salts))
		if err != nil {
			return
		}
		var drafter Drafter
		draft, err := drafter.Draft(testEvent(nil), membersOf("", members, public), bytes.NewReader(salts))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = drafter.Draft(testEvent(nil), []Member{{Name: "b", Value: "another"}}, rand.Reader) // must leave the first alone
		if same, err := draft.Leaf(testEvent(nil).Sequence); err != nil || !bytes.Equal(same, leaf) {
			t.Fatalf("draft has the leaf\n%s (%v), want\n%s", same, err, leaf)
		}
		if canonical, err := jcs.Transform(draft.Openings()); err != nil || !bytes.Equal(canonical, draft.Openings()) {
			t.Fatalf("openings are not canonical (%v): %s", err, draft.Openings())
		}
		openings, err := ParseOpenings(draft.Openings())
		if diff := cmp.Diff(ds, openings); err != nil || diff != "" {
			t.Fatalf("openings: %v, (-disclosures +openings):\n%s", err, diff)
		}
		sealed, err := DecodeEvent(leaf)
		if err != nil {
			t.Fatalf("EncodeEvent wrote what DecodeEvent refuses: %v\n%s", err, leaf)
		}
		if len(sealed.Commitments()) != len(ds) {
			t.Fatalf("%d commitments, %d disclosures\n%s", len(sealed.Commitments()), len(ds), leaf)
		}
		opened, err := sealed.Open(ds)
		if err != nil {
			t.Fatal(err)
		}
		want, _ := Canonical(members)
		got, err := Canonical(opened)
		if err != nil || !bytes.Equal(want, got) {
			t.Fatalf("opened %s, want %s (%v)", got, want, err)
		}
		for _, some := range [][]Disclosure{ds, ds[:len(ds)/2]} {
			opened, err := sealed.Open(some)
			if err != nil {
				t.Fatal(err)
			}
			if same, err := OpenEvent(leaf, some); err != nil || !cmp.Equal(opened, same) {
				t.Fatalf("OpenEvent says %v (%v), Open %v", same, err, opened)
			}
			want, _ := Canonical(opened)
			if got, err := AppendOpened(nil, leaf, some); err != nil || !bytes.Equal(want, got) {
				t.Fatalf("appended %s, want %s (%v)", got, want, err)
			}
		}
	})
}

// FuzzParseOpenings: what is accepted says the same when it is written again.
func FuzzParseOpenings(f *testing.F) {
	f.Add([]byte(`[]`))
	f.Add([]byte(`[["AAECAwQFBgcICQoLDA0ODw","/actor/id","ada"],["AAECAwQFBgcICQoLDA0ODw","/a\"b",{"x":[1,null]}]]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		ds, err := ParseOpenings(data)
		if err != nil {
			return
		}
		again := []byte{'['}
		for i, d := range ds {
			if i > 0 {
				again = append(again, ',')
			}
			salt, _ := json.Marshal(d.Salt)
			pointer, _ := json.Marshal(d.Pointer)
			again = fmt.Appendf(again, "[%s,%s,%s]", salt, pointer, d.Value)
		}
		same, err := ParseOpenings(append(again, ']'))
		if diff := cmp.Diff(ds, same); err != nil || diff != "" {
			t.Fatalf("%v (-first +again):\n%s", err, diff)
		}
	})
}

// FuzzDecodeEvent: what is accepted is canonical by the judgement of another implementation.
func FuzzDecodeEvent(f *testing.F) {
	leaf, _ := mustEncode(f, testEvent(map[string]any{"a": 1.5, "b": map[string]any{"c": "x"}}), public("/a"))
	f.Add(leaf)
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, leaf []byte) {
		sealed, err := DecodeEvent(leaf)
		head, headErr := ReadEvent(leaf, "b")
		if (err == nil) != (headErr == nil) {
			t.Fatalf("DecodeEvent says %v, ReadEvent %v, of %s", err, headErr, leaf)
		}
		if err != nil {
			return
		}
		want := sealed.Event
		want.Data = map[string]any{}
		if b, there := sealed.Data["b"]; there {
			want.Data["b"] = b
		}
		if diff := cmp.Diff(want, head); diff != "" {
			t.Fatalf("ReadEvent (-want +got):\n%s", diff)
		}
		again, err := jcs.Transform(leaf)
		if err != nil || !bytes.Equal(again, leaf) {
			t.Fatalf("accepted a leaf that is not canonical (%v):\n%s\n%s", err, leaf, again)
		}
		for _, p := range sealed.Commitments() {
			if sealed.Check(Disclosure{Pointer: p, Salt: strings.Repeat("A", 22), Value: json.RawMessage("0")}) == nil {
				t.Fatalf("a guess opened %q", p)
			}
		}
	})
}

func benchmarkEvent() (Event, func(string) bool) {
	data := map[string]any{
		"action": "audit.completed", "resource": map[string]any{"type": "model_version", "id": "credit-risk/2.4.1"},
		"outcome": "success", "verdict": "pass", "digest": string(tallystick.DigestOf([]byte("data"))),
		"policy":      string(tallystick.DigestOf([]byte("policy"))),
		"actor":       map[string]any{"id": "ada.lovelace@example.org"},
		"purpose":     "quarterly review of the champion",
		"description": "audit of 72,000 rows with reference 2026-01",
		"file":        "predictions/2026-03.parquet",
	}
	return testEvent(data), public("/action", "/resource/type", "/resource/id", "/outcome", "/verdict", "/digest", "/policy")
}

// BenchmarkEncodeEvent encodes events of eleven fields, four of them sealed, beside SHA-256 of the
// bytes that an event makes anyone hash: its leaf and the preimages of its commitments.
func BenchmarkEncodeEvent(b *testing.B) {
	e, public := benchmarkEvent()
	leaf, ds := mustEncode(b, e, public)
	b.Run("encode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, _, err := EncodeEvent(e, public, rand.Reader); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
	})
	b.Run("sha256", func(b *testing.B) {
		var preimages [][]byte
		for _, d := range ds {
			p, _ := appendPreimage(nil, d.Salt, d.Pointer, d.Value)
			preimages = append(preimages, p)
		}
		for b.Loop() {
			sha256.Sum256(leaf)
			for _, p := range preimages {
				sha256.Sum256(p)
			}
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
	})
	b.Run("decode", func(b *testing.B) {
		b.SetBytes(int64(len(leaf)))
		for b.Loop() {
			if _, err := DecodeEvent(leaf); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
	})
	openings := []byte{'['}
	for i, d := range ds {
		if i > 0 {
			openings = append(openings, ',')
		}
		openings, _ = appendPreimage(openings, d.Salt, d.Pointer, d.Value)
	}
	openings = append(openings, ']')
	b.Run("open", func(b *testing.B) {
		for b.Loop() {
			sealed, err := DecodeEvent(leaf)
			if err != nil {
				b.Fatal(err)
			}
			ds, err := ParseOpenings(openings)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := sealed.Open(ds); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
	})
}
