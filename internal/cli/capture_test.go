package cli_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/journal"
	"github.com/tallystick/tallystick/internal/prediction"
)

// TestServeCuts leaves a prediction in the journal of a workspace: a server that ends in good order has put it
// into a segment, which stands on the trail and which fsck finds sound.
func TestServeCuts(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	h.serve(nil).stop() // makes the workspace
	dir := filepath.Join(h.workspace(), "journal")
	record := prediction.Record{Model: "credit", Version: "1"}
	record.Complete(time.Now())
	encoding, err := record.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	j, err := journal.Open(t.Context(), journal.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	var payload journal.Payload
	payload.Add(encoding)
	if _, err := j.Append(t.Context(), journal.Batch{Payload: &payload}); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	h.serve(nil).stop()
	if j, err = journal.Open(t.Context(), journal.Options{Dir: dir}); err != nil {
		t.Fatal(err)
	}
	is, err := j.Status()
	if err != nil || is.Trimmed != is.Head.Sequence {
		t.Errorf("the journal holds %+v, %v", is, err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if told := h.run(0, "log", "--type", "prediction.segment.sealed"); strings.Count(told, "prediction.segment.sealed") != 1 {
		t.Errorf("the trail says %q", told)
	}
	h.run(0, "fsck")
}
