package prediction_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/tallystick/tallystick/internal/prediction"
)

// FuzzDecode: what decodes has been its own one encoding.
func FuzzDecode(f *testing.F) {
	for _, r := range records() {
		encoding, err := r.Append(nil)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(encoding)
	}
	f.Fuzz(func(t *testing.T, encoding []byte) {
		r, err := prediction.Decode(encoding)
		if err != nil {
			return
		}
		again, err := r.Append(nil)
		if err != nil || !bytes.Equal(again, encoding) {
			t.Fatalf("%x is encoded as %x, %v", encoding, again, err)
		}
	})
}

// FuzzParseJSON: what is read is JSON for the standard library too, and a valid record stays the
// same through JSON and through its encoding.
func FuzzParseJSON(f *testing.F) {
	for _, r := range records() {
		f.Add(r.AppendJSON(nil))
	}
	f.Add([]byte(`{"model":"m","x":[1,{"y":"\u0041"}],"features":{"a":1e-7,"b":"\ud83d\ude00"},"flags":["a","a"],"override":{"by":"x"}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := prediction.ParseJSON(text)
		if err != nil {
			return
		}
		if !json.Valid(text) {
			t.Fatalf("%q is no JSON", text)
		}
		if r.ID.IsZero() || r.Time.IsZero() {
			r.Complete(received)
		}
		if r.Validate() != nil {
			return
		}
		encoding, err := r.Append(nil)
		if err != nil {
			t.Fatalf("%q is valid and has no encoding: %v", text, err)
		}
		back, err := prediction.Decode(encoding)
		if err != nil || !back.Equal(&r) {
			t.Fatalf("%q: decoded as %+v, %v", text, back, err)
		}
		out := back.AppendJSON(nil)
		if back, err = prediction.ParseJSON(out); err != nil || !back.Equal(&r) {
			t.Fatalf("%q: written as %q, which reads as %+v, %v", text, out, back, err)
		}
		if !json.Valid(out) {
			t.Fatalf("%q: written as %q, which is no JSON", text, out)
		}
	})
}
