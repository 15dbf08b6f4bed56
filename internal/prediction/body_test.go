package prediction_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/prediction"
)

// TestBodiesAreProvedByDigest: the record has the digests of its bodies, and nothing that is written of it has the
// bytes but what its sender writes.
func TestBodiesAreProvedByDigest(t *testing.T) {
	t.Parallel()
	r := records()["bodies"]
	encoding, err := r.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := json.Marshal(r.RequestBody)
	if err != nil {
		t.Fatal(err)
	}
	for _, written := range [][]byte{encoding, r.AppendJSON(nil), plain} {
		if bytes.Contains(written, []byte(`{"x":1}`)) || bytes.Contains(written, []byte(`{\"x\":1}`)) {
			t.Errorf("%q has the bytes of the body", written)
		}
	}
	back, err := prediction.Decode(encoding)
	if err != nil {
		t.Fatal(err)
	}
	want := prediction.Body{Type: "application/json", Digest: tallystick.DigestOf([]byte(`{"x":1}`))}
	if diff := cmp.Diff(want, *back.RequestBody); diff != "" {
		t.Error(diff)
	}
	sent, err := prediction.ParseJSON(r.AppendSent(nil))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(r.Bodies(), sent.Bodies()); diff != "" {
		t.Error(diff)
	}
	if !sent.Equal(&r) || !back.Equal(&r) {
		t.Error("what was sent and what was encoded are not the same record")
	}
	var v prediction.View
	if err := v.Decode(encoding); err != nil {
		t.Fatal(err)
	}
	if err := v.Check(r.Bodies()); err != nil {
		t.Error(err)
	}
	if v.Check(prediction.Bodies{Request: []byte(`{"x":2}`)}) == nil || v.Check(prediction.Bodies{Response: []byte{0xff}}) == nil {
		t.Error("other bytes pass for those of the record")
	}
}

func TestBodyForms(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ sent, want, wrong string }{
		{sent: `"abc"`, want: "abc"},
		{sent: `{"text":"abc","type":"text/plain"}`, want: "abc"},
		{sent: `{"base64":"YWJj"}`, want: "abc"},
		{sent: `{"base64":"YWJ"}`, wrong: "request_body.base64 is not base64"},
		{sent: `{"base64":"YWJj","text":"abc"}`, wrong: "request_body has not one of text, base64 and digest"},
		{sent: `{"type":"text/plain"}`, wrong: "request_body has not one of text, base64 and digest"},
		{sent: `{"text":"a","text":"b"}`, wrong: "request_body.text stands twice"},
		{sent: `{"text":"a","size":1}`, wrong: "request_body.size is not known"},
		{sent: `17`, wrong: "request_body is not an object or a text"},
		{sent: `{"digest":"abc"}`, wrong: "request_body.digest is not sha256: and 64 lower-case hexadecimal digits"},
		{sent: `{"text":"a","type":"text/\nplain"}`, wrong: "request_body.type is no media type of up to 128 printable ASCII characters"},
		{sent: `"` + strings.Repeat("a", prediction.MaxBody+1) + `"`, wrong: "request_body has 262145 bytes, the limit is 262144; keep it elsewhere, and send input_digest and features_ref"},
		{sent: `null`},
	} {
		r, err := prediction.ParseJSON([]byte(`{"model":"m","request_body":` + c.sent + `}`))
		if err == nil {
			r.Complete(received)
			err = r.Validate()
		}
		switch {
		case c.wrong != "":
			if err == nil || err.Error() != c.wrong {
				t.Errorf("%.80s: %v, want %s", c.sent, err, c.wrong)
			}
		case err != nil || string(r.Bodies().Request) != c.want:
			t.Errorf("%.80s: %q, %v", c.sent, r.Bodies().Request, err)
		}
	}
}

// FuzzParseKept: whatever is read has its parts within what there was, and what Append writes comes back.
func FuzzParseKept(f *testing.F) {
	r := records()["bodies"]
	encoding, err := r.Append(nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(prediction.Kept{Encoding: encoding, Bodies: r.Bodies()}.Append(nil))
	f.Add(encoding)
	f.Add([]byte{2, 1, 1, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		k, err := prediction.ParseKept(data)
		if err != nil {
			return
		}
		if n := len(k.Encoding) + len(k.Bodies.Request) + len(k.Bodies.Response); n > len(data) {
			t.Fatalf("%x has parts of %d bytes", data, n)
		}
		back, err := prediction.ParseKept(k.Append(nil))
		if err != nil && len(k.Encoding) > 0 && k.Encoding[0] != 2 {
			t.Fatalf("%x: %v", data, err)
		}
		if diff := cmp.Diff(k, back); diff != "" && len(k.Encoding) > 0 && k.Encoding[0] != 2 {
			t.Fatalf("%x: %s", data, diff)
		}
	})
}
