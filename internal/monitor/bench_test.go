//go:build unix

package monitor_test

import (
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/monitor"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// BenchmarkRun is the work of the job for models that are monitored at one window a minute: of each what came on record is
// counted, and a window of 200 predictions with 20 numbers and 5 categories is judged and put on the trail. A thousand models
// on one core may take 60 ms of it each.
func BenchmarkRun(b *testing.B) {
	const models, rows = 20, 200
	h, random := open(b), rand.New(rand.NewPCG(1, 2))
	c := catalog.New(h.DB, h.Trail)
	draw := func(model string, at time.Time) prediction.Record {
		var all prediction.Features
		for i := range 20 {
			all = append(all, prediction.Feature{Name: fmt.Sprintf("n%02d", i), Value: prediction.Number(random.NormFloat64())})
		}
		for i := range 5 {
			all = append(all, prediction.Feature{Name: fmt.Sprintf("s%02d", i), Value: prediction.String(fmt.Sprint("value ", random.IntN(12)))})
		}
		r := record(at, all)
		r.Model = model
		return r
	}
	var names []string
	for i := range models {
		name := fmt.Sprintf("model-%d", i)
		names = append(names, name)
		h.do(b, func(tx *state.Tx) (trail.Change, error) {
			return c.RegisterModel(tx, catalog.ModelRegistration{Name: name, ModelDetails: catalog.ModelDetails{State: catalog.Experimental}}, "ada")
		})
		h.do(b, func(tx *state.Tx) (trail.Change, error) {
			return c.RegisterVersion(tx, catalog.VersionRegistration{Model: name, Version: "1"})
		})
		var before []prediction.Record
		for k := range 2000 {
			before = append(before, draw(name, noon.Add(-24*time.Hour+time.Duration(k)*time.Second)))
		}
		h.send(b, before...)
		pinned, _, err := h.PreparePin(b.Context(), monitor.Pin{Model: name, From: noon.Add(-24 * time.Hour), To: noon})
		if err != nil {
			b.Fatal(err)
		}
		h.do(b, func(tx *state.Tx) (trail.Change, error) { return h.ProposePin(tx, pinned) })
		applied, err := h.PrepareApply(b.Context(), name, fmt.Appendf(nil, "apiVersion: tallystick/v1\nkind: Monitor\nname: %s\nmodel: %s\nwindow: 1m\ndelay: 0\n", name, name))
		if err != nil {
			b.Fatal(err)
		}
		h.do(b, func(tx *state.Tx) (trail.Change, error) { return h.ProposeApply(tx, applied) })
	}
	if _, err := h.Run(b.Context()); err != nil {
		b.Fatal(err)
	}
	used, at, rounds := time.Duration(0), noon, 0
	for b.Loop() {
		b.StopTimer()
		var came []prediction.Record
		for _, name := range names {
			for k := range rows {
				came = append(came, draw(name, at.Add(time.Duration(k)*time.Minute/rows)))
			}
		}
		h.send(b, came...)
		at = at.Add(time.Minute)
		h.now = at.Add(time.Minute + time.Second)
		b.StartTimer()
		start := processorTime(b)
		said, err := h.Run(b.Context())
		used += processorTime(b) - start
		rounds++
		if want := fmt.Sprintf("judged %d windows; 0 wait", models); err != nil || said != want {
			b.Fatalf("%q, %v; want %q", said, err, want)
		}
	}
	b.ReportMetric(used.Seconds()*1e3/float64(rounds*models), "cpu-ms/window")
}

// processorTime is what the processor has worked for us.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
