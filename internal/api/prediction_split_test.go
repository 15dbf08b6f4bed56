package api

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/prediction"
)

// FuzzSplitBody takes bodies apart as encoding/json does: of what that can read as an array, or as an object
// with an array of records, the same values come out, and what it cannot read at all is either refused or
// refused by whoever reads the records.
func FuzzSplitBody(f *testing.F) {
	for _, seed := range []string{
		`{"model":"a"}`, `[]`, `[{"model":"a"},{"model":"b"}]`, ` [ 1 , "a]" ,{"b":[{}]}, null ] `, `{"records":[{"model":"a"}],"batch_id":"x"}`,
		`{"model":"a","records_":[1]}`, `{"records":{}}`, `{"records":[],"records":[]}`, `{"records":[1],"x":2}`, `{"batch_id":1,"records":[]}`,
		`[{"a":"\"]"}]`, `[{"a":"\\"}]`, `["\`, `[`, `[1`, `[1 2]`, `[,]`, `[1,]`, `{`, `{]`, `[}]`, `[{"a":1]}]`, `{"a":1}x`, `1`, ``, "\xff", `[[[[`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		sent, err := splitBody(string(body))
		var array []json.RawMessage
		var object struct {
			ID      *string            `json:"batch_id"`
			Records *[]json.RawMessage `json:"records"`
		}
		var members map[string]json.RawMessage
		switch {
		case json.Unmarshal(body, &array) == nil && array != nil:
			same(t, sent.records, array, err)
		case json.Unmarshal(body, &members) == nil && members != nil:
			raw, batch := members["records"]
			if !batch || err != nil {
				break
			}
			if len(sent.records) == 1 && sent.records[0] == string(bytes.TrimSpace(body)) {
				break // the name was written with escapes
			}
			if json.Unmarshal(body, &object) == nil && object.Records != nil {
				same(t, sent.records, *object.Records, err)
			} else {
				t.Errorf("%q is a batch of %q", body, raw)
			}
		case err == nil && len(sent.records) > 0:
			for _, record := range sent.records {
				if !json.Valid([]byte(record)) {
					return // its reader says so
				}
			}
			if sent.id == "" && !bytes.Contains(body, []byte(`"records"`)) {
				t.Errorf("%q is not JSON, but %q are", body, sent.records)
			}
		}
		if err == nil {
			for _, record := range sent.records {
				_, _ = prediction.ParseJSON([]byte(record)) // it does not panic
			}
		}
		lines, err := splitLines(string(body))
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range lines.records {
			if len(line) == 0 || strings.Contains(line, "\n") {
				t.Errorf("%q is a line of %q", line, body)
			}
		}
	})
}

func same(t *testing.T, got []string, want []json.RawMessage, err error) {
	t.Helper()
	if err != nil || len(got) != len(want) {
		t.Fatalf("%d records, %v; want %d", len(got), err, len(want))
	}
	for i := range got {
		if got[i] != string(want[i]) {
			t.Fatalf("record %d is %q, want %q", i, got[i], want[i])
		}
	}
}

func TestSplitBody(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]struct {
		records int
		id      string
	}{
		`{"model":"a"}`: {1, ""}, ` [ {"model":"a"} , {"model":"b"} ] `: {2, ""}, `{"records":[{},{}],"batch_id":"x\u0041"}`: {2, "xA"}, `{"batch_id":null,"records":[{}]}`: {1, ""},
		`[{"a":"]\"}"},1]`: {2, ""}, `{"model":"a","extra":{"records":[1,2]}}`: {1, ""},
	} {
		if sent, err := splitBody(body); err != nil || len(sent.records) != want.records || sent.id != want.id {
			t.Errorf("%s: %q, %q, %v", body, sent.records, sent.id, err)
		}
	}
	for _, body := range []string{``, `1`, `"a"`, `null`, `[`, `[1`, `[1,]`, `[,1]`, `[1 2]`, `[1]2`, `{`, `{"records":1}`, `{"records":[],"records":[]}`, `{"records":[1],"model":"a"}`, `{"records":[],"batch_id":1}`} {
		if sent, err := splitBody(body); err == nil {
			t.Errorf("%s: %q", body, sent.records)
		}
	}
}
