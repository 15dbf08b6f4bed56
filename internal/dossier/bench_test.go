package dossier_test

import (
	"bytes"
	"io"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/dossier"
	"github.com/tallystick/tallystick/verify"
)

// BenchmarkExport makes packages of 100,000 events of a model among as many of another, and copies the
// bytes of one as a measure. It reports the most memory that was resident meanwhile.
func BenchmarkExport(b *testing.B) {
	const events = 100_000
	h := newHouse(b)
	h.register(b, "credit")
	h.register(b, "other")
	for range 10 {
		h.record(b, events/10, reading("credit"))
		h.record(b, events/10, reading("other"))
	}
	if err := h.Trail.CatchUp(b.Context()); err != nil {
		b.Fatal(err)
	}
	if _, err := h.Seal(b.Context()); err != nil {
		b.Fatal(err)
	}
	*h.now = h.now.Add(time.Hour)
	for name, r := range map[string]dossier.Request{
		"sealed":    {Model: "credit"},
		"disclosed": {Model: "credit", Disclose: true},
	} {
		b.Run(name, func(b *testing.B) {
			var size int64
			var most uint64
			for b.Loop() {
				forget()
				p, err := h.office.Export(b.Context(), h.recorded(r))
				if err != nil {
					b.Fatal(err)
				}
				if size, err = p.WriteTo(io.Discard); err != nil {
					b.Fatal(err)
				}
				most = max(most, resident(b))
				if err := p.Close(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(most)/(1<<20), "MiB-resident")
			b.ReportMetric(float64(size)/(1<<20), "MiB-package")
		})
	}
	b.Run("verify", func(b *testing.B) {
		data := h.export(b, dossier.Request{Model: "credit"})
		for b.Loop() {
			if r := h.check(b, data); r.Verdict != verify.Verified {
				b.Fatal(r.Checks)
			}
		}
	})
	b.Run("copy", func(b *testing.B) {
		data := h.export(b, dossier.Request{Model: "credit"})
		path := b.TempDir() + "/copy"
		for b.Loop() {
			file, err := os.Create(path)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := io.Copy(file, bytes.NewReader(data)); err != nil {
				b.Fatal(err)
			}
			if err := file.Close(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// forget gives memory back and begins to measure again what is resident at most (proc(5), clear_refs).
func forget() {
	debug.FreeOSMemory()
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0o200) // elsewhere than on Linux nothing is measured
}

func resident(b *testing.B) uint64 {
	b.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.ParseUint(strings.Fields(rest)[0], 10, 64)
			if err != nil {
				b.Fatal(err)
			}
			return kib << 10
		}
	}
	return 0
}
