package tallystick_test

import (
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
)

func TestErrorKeepsCodeCauseAndHint(t *testing.T) {
	t.Parallel()
	base := tallystick.Errorf(tallystick.Invalid, "read %q: %w", "a.csv", io.ErrUnexpectedEOF)
	err := fmt.Errorf("audit: %w", base.WithHint("send the whole file"))

	if got := tallystick.CodeOf(err); got != tallystick.Invalid {
		t.Errorf("CodeOf = %q, want invalid", got)
	}
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error("the cause is lost")
	}
	const want = `audit: read "a.csv": unexpected EOF; send the whole file`
	if err.Error() != want {
		t.Errorf("Error() = %q, want %q", err, want)
	}
	if base.Hint != "" {
		t.Error("WithHint changed its receiver")
	}
	if got := tallystick.CodeOf(io.EOF); got != tallystick.Internal {
		t.Errorf("CodeOf of a plain error = %q, want internal", got)
	}
}

func TestDigest(t *testing.T) {
	t.Parallel()
	// SHA-256 of "abc": FIPS 180-2, appendix B.1.
	const abc = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
	if got := tallystick.DigestOf([]byte("abc")); got != abc {
		t.Errorf("DigestOf = %s", got)
	}
	for _, bad := range []string{"", "abc", abc[:70], abc + "0", "sha256:" + "BA" + abc[9:], "md5:" + abc[7:], "sha256:zz" + abc[9:]} {
		if _, err := tallystick.ParseDigest(bad); tallystick.CodeOf(err) != tallystick.Invalid {
			t.Errorf("ParseDigest(%q) = %v, want an invalid error", bad, err)
		}
	}
}

func TestVerdictWorse(t *testing.T) {
	t.Parallel()
	var worst tallystick.Verdict
	for _, v := range []tallystick.Verdict{tallystick.Pass, tallystick.Inconclusive, tallystick.Warn, "nonsense"} {
		worst = worst.Worse(v)
	}
	if worst != tallystick.Inconclusive {
		t.Errorf("worst = %q, want inconclusive", worst)
	}
}

func TestNewIDSortsByTime(t *testing.T) {
	t.Parallel()
	at := time.UnixMilli(1_700_000_000_000)
	first, second := tallystick.NewID(at), tallystick.NewID(at.Add(time.Millisecond))
	if len(first) != 36 || first[14] != '7' || first >= second || first == tallystick.NewID(at) {
		t.Errorf("ids %s, %s", first, second)
	}
}
