package access

import (
	"crypto/sha256"
	"fmt"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
)

// TestAttemptsInADay tries one name as fast as the limit lets through, for a day.
func TestAttemptsInADay(t *testing.T) {
	t.Parallel()
	a := newAttempts()
	tried := 0
	for second := range 24 * 60 * 60 {
		now := noon.Add(time.Duration(second) * time.Second)
		switch err := a.begin("ada", now); tallystick.CodeOf(err) {
		case "":
			tried++
		case tallystick.Unavailable:
		default:
			t.Fatal(err)
		}
		if second == 0 {
			for range 100 { // at one moment
				if a.begin("ada", now) == nil {
					tried++
				}
			}
			if tried != freeAttempts {
				t.Fatalf("%d attempts at one moment, want %d", tried, freeAttempts)
			}
		}
	}
	if tried < 90 || tried > 115 {
		t.Errorf("%d attempts in a day", tried)
	}
}

func TestAttemptsAreForgotten(t *testing.T) {
	t.Parallel()
	a := newAttempts()
	exhaust := func(now time.Time) (n int) {
		for a.begin("ada", now) == nil {
			n++
		}
		return n
	}
	if n := exhaust(noon); n != freeAttempts {
		t.Fatalf("%d attempts", n)
	}
	if err := a.begin("grace", noon); err != nil {
		t.Errorf("another name: %v", err)
	}
	if err := a.begin("ada", noon.Add(firstDelay-1)); err == nil {
		t.Error("an attempt just before its time")
	}
	if err := a.begin("ada", noon.Add(firstDelay)); err != nil {
		t.Errorf("an attempt at its time: %v", err)
	}
	a.succeed("ada")
	if n := exhaust(noon.Add(firstDelay)); n != freeAttempts {
		t.Errorf("%d attempts after a success", n)
	}
	if n := exhaust(noon.Add(firstDelay + attemptMemory)); n != freeAttempts {
		t.Errorf("%d attempts after a day", n)
	}
}

func TestAttemptsForgetTheLeast(t *testing.T) {
	t.Parallel()
	for range 50 { // the order of a map is random
		a := newAttempts()
		for _, name := range []string{"ada", "ada", "grace", "alan"} {
			if err := a.begin(name, noon.Add(time.Duration(len(a.names))*time.Second)); err != nil {
				t.Fatal(err)
			}
		}
		a.forgetLeast()
		a.forgetLeast()
		if is := a.names[sha256.Sum256([]byte("ada"))]; len(a.names) != 1 || is.failures != 2 {
			t.Fatalf("%d names are left, ada has %d failures", len(a.names), is.failures)
		}
	}
}

func TestAttemptsAreBounded(t *testing.T) {
	t.Parallel()
	a := newAttempts()
	for a.begin("ada", noon) == nil {
	}
	for i := range maxAttempts + 500 {
		if err := a.begin(fmt.Sprint("name-", i), noon.Add(time.Duration(i)*time.Millisecond)); err != nil {
			t.Fatal(err)
		}
	}
	if len(a.names) != maxAttempts {
		t.Errorf("%d names are remembered", len(a.names))
	}
	if err := a.begin("ada", noon); err == nil {
		t.Error("trying many names has lifted the limit of one")
	}
}
