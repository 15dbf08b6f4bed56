package otlp_test

import (
	"net/http"
	"strconv"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/tallystick/tallystick/internal/journal"
)

// Whatever is sent, the answer is one of the sender's own faults or that what could be taken was, and each
// record is one that can be read.
func FuzzExport(f *testing.F) {
	spans, err := proto.Marshal(exported(attribute("tallystick.model", "credit"), attribute("tallystick.features", `{"a":1}`), attribute("tallystick.score", "x")))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(spans, true, false, false)
	f.Add(logs(scored), false, true, false)
	f.Add(packed(f, logs(scored, scored)), false, true, true)
	f.Add([]byte("\x1f\x8b"), false, false, true)
	h := open(f, journal.Options{MaxStored: 1 << 40})
	f.Fuzz(func(t *testing.T, body []byte, traces, asJSON, isPacked bool) {
		path, kind, encoding := "/v1/logs", protoType, ""
		if traces {
			path = "/v1/traces"
		}
		if asJSON {
			kind = jsonType
		}
		if isPacked {
			encoding = "gzip"
		}
		head := h.journal.Head().Sequence
		w := h.post(t, path, body, contentType, kind, "Content-Encoding", encoding)
		if w.Code != http.StatusOK && w.Code != http.StatusBadRequest && w.Code != http.StatusRequestEntityTooLarge {
			t.Errorf("%d: %s", w.Code, strconv.Quote(w.Body.String()))
		}
		if w.Code != http.StatusOK && h.journal.Head().Sequence != head {
			t.Errorf("%d, but something was taken", w.Code)
		}
	})
}
