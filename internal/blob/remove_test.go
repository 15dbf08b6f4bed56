package blob

import (
	"io"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
)

func TestRemove(t *testing.T) {
	t.Parallel()
	s, _ := openStore(t)
	one, two := put(t, s, "one"), put(t, s, "two")
	f, err := s.Open(one)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for range 2 { // a second time there is nothing to do
		if err := s.Remove(one); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Size(one); tallystick.CodeOf(err) != tallystick.NotFound {
		t.Errorf("a removed blob: %v", err)
	}
	if data, err := io.ReadAll(f); err != nil || string(data) != "one" {
		t.Errorf("who had it open reads %q, %v", data, err)
	}
	for at, want := range map[time.Time]int{time.Now().Add(time.Hour): 1, time.Now().Add(-time.Hour): 0} {
		if found, err := s.Before(at); err != nil || len(found) != want || want == 1 && found[0] != two {
			t.Errorf("before %v: %v, %v", at, found, err)
		}
	}
	if err := s.Remove("sha256:../x"); tallystick.CodeOf(err) != tallystick.Invalid {
		t.Errorf("no digest: %v", err)
	}
}
