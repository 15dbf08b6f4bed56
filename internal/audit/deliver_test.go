package audit

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/verify"
)

// delivered are the files of an audit whose every file says which audit it is of.
func delivered(audit string) (reports []verify.File, bundle []byte) {
	for _, name := range []string{JSONFile, MarkdownFile, HTMLFile} {
		reports = append(reports, verify.File{Name: "reports/" + name, Data: []byte(audit)})
	}
	return reports, []byte(audit)
}

// contents reads the files that a reader sees in dir.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	entries, err := os.ReadDir(dir)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			continue
		}
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		found[e.Name()] = string(data)
	}
	return found
}

// whole reports whether dir holds one audit's files, all four.
func whole(found map[string]string, audit string) bool {
	n := 0
	for _, name := range []string{JSONFile, MarkdownFile, HTMLFile, EvidenceFile} {
		if found[name] == audit {
			n++
		}
	}
	return n == 4
}

// TestDeliverKilled kills a process before each step of a delivery. Whoever then finds report.json
// finds one whole audit, the old or the new; and the next delivery makes all well.
func TestDeliverKilled(t *testing.T) {
	if at, err := strconv.Atoi(os.Getenv("TALLYSTICK_TEST_DELIVER_STEP")); err == nil {
		reports, bundle := delivered("new")
		err := deliver(os.Getenv("TALLYSTICK_TEST_DELIVER_DIR"), reports, bundle, func() {
			if at--; at < 0 {
				self, err := os.FindProcess(os.Getpid())
				if err == nil {
					err = self.Kill()
				}
				t.Fatal("still alive: ", err)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Parallel()
	if testing.Short() {
		t.Skip("starts processes")
	}
	for _, old := range []bool{false, true} {
		incomplete, killed := 0, 0
		for at := range 10 {
			parent := t.TempDir()
			dir := filepath.Join(parent, "deep", "out")
			want := map[string]string{}
			if old {
				reports, bundle := delivered("old")
				if err := deliver(dir, reports, bundle, func() {}); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(dir, "notes.txt"), []byte("mine"), 0o600); err != nil {
					t.Fatal(err)
				}
				want["notes.txt"] = "mine"
			}
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestDeliverKilled$")
			cmd.Env = append(os.Environ(), "TALLYSTICK_TEST_DELIVER_STEP="+strconv.Itoa(at), "TALLYSTICK_TEST_DELIVER_DIR="+dir)
			err := cmd.Run()
			found := contents(t, dir)
			switch _, complete := found[JSONFile]; {
			case err == nil && !whole(found, "new"):
				t.Errorf("step %d: delivered, and there is %v", at, found)
			case complete && !whole(found, "old") && !whole(found, "new"):
				t.Errorf("step %d: %s is there beside other files: %v", at, JSONFile, found)
			case !complete && !old && len(found) > 0:
				t.Errorf("step %d: a part of a first delivery: %v", at, found)
			case !complete:
				incomplete++
			}
			if err != nil {
				killed++
			}
			reports, bundle := delivered("next")
			if err := deliver(dir, reports, bundle, func() {}); err != nil {
				t.Fatal(err)
			}
			if found := contents(t, dir); !whole(found, "next") || found["notes.txt"] != want["notes.txt"] {
				t.Errorf("step %d, then the next: %v", at, found)
			}
			for _, place := range []string{dir, filepath.Dir(dir)} {
				if left, _ := filepath.Glob(filepath.Join(place, ".*")); len(left) > 0 {
					t.Errorf("step %d: the next delivery leaves %q", at, left)
				}
			}
		}
		// Five visible changes where there was an audit, one where there was none.
		if want := map[bool]int{true: 5, false: 1}[old]; killed != want {
			t.Errorf("killed %d times, want %d", killed, want)
		}
		if old && incomplete == 0 {
			t.Error("no kill left the directory without its report.json: the steps are not where they should be")
		}
	}
}

// A directory that somebody else has made is not swept away.
func TestDeliverSparesOthersFiles(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	other := filepath.Join(parent, ".tallystick-out.partial", "thesis.txt")
	if err := os.Mkdir(filepath.Dir(other), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(other, []byte("years of work"), 0o600); err != nil {
		t.Fatal(err)
	}
	reports, bundle := delivered("new")
	if err := deliver(filepath.Join(parent, "out"), reports, bundle, func() {}); err == nil {
		t.Error("delivered over another's directory")
	}
	if _, err := os.Stat(other); err != nil {
		t.Error(err)
	}
}
