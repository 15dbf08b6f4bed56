package cli

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func TestProgressIsWipedAtAnyWidth(t *testing.T) {
	t.Parallel()
	for _, width := range []int{1, 40, 400} {
		var out bytes.Buffer
		p := &progress{out: &out, width: width, started: time.Now().Add(-time.Hour)}
		p.show("reading", 1, 2)
		p.done()
		p.done() // a second time wipes nothing
		if got := out.String(); !strings.Contains(got, "50 %") || !strings.HasSuffix(got, "\r\x1b[K") || strings.Count(got, "\x1b[K") != 2 {
			t.Errorf("width %d: %q", width, got)
		}
	}
}

func TestProgressIsSilent(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	atOnce := &progress{out: &out, width: 80, started: time.Now()}
	atOnce.show("reading", 1, 2)
	atOnce.done()
	nobody := &progress{started: time.Now().Add(-time.Hour)}
	nobody.show("reading", 1, 2)
	nobody.done()
	if out.Len() > 0 {
		t.Errorf("%q", out.String())
	}
}
