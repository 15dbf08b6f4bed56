package cli_test

import (
	"encoding/csv"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// TestDiskFullJudgement judges windows and evaluates alerts while the file system of the workspace has less and less space
// left. What fails says so in one line and leaves nothing behind; with space again it is done as if that had not been, so
// that in the end every window was judged once, and every alert fired and resolved once.
func TestDiskFullJudgement(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("runs the program many times")
	}
	h := newHome(t)
	disk := mountDisk(t, h, "16m")
	tallystick := func(args ...string) string { return h.run(0, append(args, "--workspace", "disk/workspace")...) }
	const days = 10
	h.writePredictions(t, days)
	h.writeFile(t, "watch.yaml", "apiVersion: tallystick/v1\nkind: Monitor\nname: watch\nmodel: credit\nwindow: 24h\n")
	h.writeFile(t, "policy.yaml", "apiVersion: tallystick/v1\nkind: AlertPolicy\nname: credit\nmodel: credit\nrules: [{match: {rule: 'monitor/*/new_values'}, fires: 1, clears: 1}]\n")
	tallystick("model", "register", "credit", "--tier", "low", "--owner", "ana", "--purpose", "score loans")
	tallystick("register", "credit@1", "--draft")
	tallystick("predictions", "import", "predictions.csv", "--model", "credit", "--version", "1", "--map", "time=time,score=score")
	tallystick("reference", "pin", "credit", "--from", "2026-02-01", "--to", "2026-03-01")
	tallystick("monitor", "apply", "-f", "watch.yaml")
	tallystick("alert", "policy", "apply", "-f", "policy.yaml")

	count := func(kind string) int {
		return strings.Count(tallystick("log", "--type", kind, "--limit", "1000", "--format", "json"), `"`+kind+`"`)
	}
	failed, passed := 0, 0
	attempt := func(kib int64, kind string, args ...string) {
		t.Helper()
		before := count(kind)
		release := fill(t, disk, kib<<10)
		code, stdout, stderr := h.exit(append(args, "--workspace", "disk/workspace")...)
		release()
		switch now := count(kind); {
		case code != 0 && now == before:
			failed++
			if code != 3 || stdout != "" || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, "disk") {
				t.Errorf("with %d KiB left, %v: exit code %d\n%s%s", kib, args, code, stdout, stderr)
			}
		case code == 3 && now == before+1 && strings.Contains(stderr, "sealing stopped"): // it is on record, whole, and sealed by the next
			failed++
		case code == 0 && now == before+1:
			passed++
		default:
			t.Errorf("with %d KiB left, %v: exit code %d, %d events %s, %d before\n%s%s", kib, args, code, now, kind, before, stdout, stderr)
		}
	}
	for day := range days {
		window := fmt.Sprintf("2026-03-%02d", 1+day)
		kib := []int64{0, 4, 12, 30, 60, 100, 150, 250, 500, 2000}[day]
		attempt(kib, "window.judged", "monitor", "run", "watch", "--window", window)
		tallystick("monitor", "run", "watch", "--window", window)
		kind := []string{"alert.fired", "alert.resolved"}[day%2]
		attempt(kib, kind, "alert", "evaluate")
		tallystick("alert", "evaluate")
		tallystick("fsck")
	}
	if n := count("window.judged"); n != days {
		t.Errorf("%d windows were judged %d times", days, n)
	}
	alerts := tallystick("alert", "list", "--all", "--format", "json")
	if n := strings.Count(alerts, `"rule": "monitor/watch/new_values"`); n != days/2 {
		t.Errorf("%d alerts, want %d:\n%s", n, days/2, alerts)
	}
	if failed < 4 || passed < 4 {
		t.Errorf("%d attempts failed and %d passed: the sizes do not try what they should", failed, passed)
	}
	t.Logf("%d attempts failed and %d passed", failed, passed)
}

// writePredictions writes 1,200 predictions of February and 300 of each of the first days of March, of which every other has
// a region that was never there.
func (h home) writePredictions(t *testing.T, days int) {
	t.Helper()
	rows := [][]string{{"time", "score", "age", "region"}}
	add := func(at time.Time, i int, region string) {
		rows = append(rows, []string{at.Format(time.RFC3339), fmt.Sprintf("0.%03d", i*619%1000), fmt.Sprint(20 + i*37%50), region})
	}
	regions := []string{"north", "south"}
	for i := range 1200 {
		add(time.Date(2026, 2, 10, 0, i, 0, 0, time.UTC), i, regions[i%2])
	}
	for day := range days {
		for i := range 300 {
			region := regions[i%2]
			if day%2 == 0 && i%4 == 1 {
				region = "east"
			}
			add(time.Date(2026, 3, 1+day, 0, i, 0, 0, time.UTC), i, region)
		}
	}
	var b strings.Builder
	if err := csv.NewWriter(&b).WriteAll(rows); err != nil {
		t.Fatal(err)
	}
	h.writeFile(t, "predictions.csv", b.String())
}

func (h home) writeFile(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(h.path(name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
