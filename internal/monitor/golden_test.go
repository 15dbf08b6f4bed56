package monitor_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/monitor"
	"github.com/tallystick/tallystick/internal/prediction"
)

var update = flag.Bool("update", false, "write the golden files of this package")

// TestJudgementsKeepTheirBytes judges windows of which each has something wrong and compares the rows of the first seven
// checks, byte for byte, with those that were written before checks had files of their own. A judgement of last year has
// to come out the same when it is made again: who changes a row changes its method's version, and says so.
func TestJudgementsKeepTheirBytes(t *testing.T) {
	t.Parallel()
	h := open(t)
	day := noon.Add(-48 * time.Hour)
	h.send(t, made(day, 24*time.Hour, 3000, usual(1))...)
	h.apply(t, "window: 1h\nchecks:\n  volume: {min: 250, max: 1100}\n  latency: {p50: 10ms, p99: 200ms}\n  errors: {max: 1%}\n")
	var got bytes.Buffer
	write := func(name string, at time.Time) {
		j, _ := h.judge(t, at, time.Time{})
		rows := slices.DeleteFunc(j.Rows, func(r monitor.Row) bool {
			return !slices.Contains([]string{"telemetry", "volume", "drift", "new_values", "missing", "latency", "errors"}, r.Check)
		})
		data, err := json.Marshal(rows)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&got, "%s\n%s\n", name, data)
	}
	write("no reference", day)
	h.pin(t, monitor.Pin{From: day, To: day.Add(24 * time.Hour)})
	for i, c := range []struct {
		name   string
		n      int
		change func(i int, r *prediction.Record)
	}{
		{"nothing", 1000, func(int, *prediction.Record) {}},
		{"shifted", 1200, shift(20)},
		{"few", 150, shift(20)},
		{"new values", 1000, job(10, "pilot")},
		{"missing", 1000, job(50, "")},
		{"slow", 1000, every(10, latency(300_000))},
		{"errors", 700, every(20, func(r *prediction.Record) { r.Status = prediction.TimedOut })},
	} {
		at := day.Add(24*time.Hour + time.Duration(i)*time.Hour)
		records := made(at, time.Hour, c.n, usual(uint64(i)+9))
		for k := range records {
			c.change(k, &records[k])
		}
		h.send(t, records...)
		write(c.name, at)
	}
	write("silence", day.Add(36*time.Hour))

	path := filepath.Join("testdata", "judgements.golden")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range bytes.Split(want, []byte("\n")) {
		if is := bytes.Split(got.Bytes(), []byte("\n")); i >= len(is) || !bytes.Equal(is[i], line) {
			t.Fatalf("line %d was\n%s\nand is\n%s", i+1, line, is[min(i, len(is)-1)])
		}
	}
}
