package api_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/evidence"
	"github.com/tallystick/tallystick/verify"
)

// BenchmarkGate asks the gate through the API about a version of tier high with 200 pieces of evidence, each signed, and an audit. It
// reports the time of the slowest in a hundred beside what the disk alone takes for it, and, for a machine that others use too, the
// processor time of each. The server's collector is that of GOGC=800.
func BenchmarkGate(b *testing.B) {
	h := newHouse(b)
	handler := h.as("ada", access.Operator, access.Scientist, access.Admin)
	post := func(path string, body any) answer { return ask(b, handler, "POST", path, body).want(b, 200) }
	ask(b, handler, "PUT", "/environments/production", map[string]any{"strictness": "gated", "position": 10}).want(b, 200)
	post("/models", map[string]any{"name": "credit", "intended_purpose": "score", "tier_stated": "high", "owner": "ada"})
	for i := range 256 { // as they are after the first few hundred decisions
		if err := os.MkdirAll(filepath.Join(h.dir, "evidence", "sha256", fmt.Sprintf("%02x", i)), 0o700); err != nil {
			b.Fatal(err)
		}
	}
	file := tallystick.DigestOf([]byte("weights"))
	post("/models/credit/versions", map[string]any{
		"version": "1", "manifest": []any{map[string]any{"name": "weights.bin", "digest": file, "size": 7}}, "changelog": "first", "justification": "new", "training_cutoff": "2026-06-30",
		"code_commit": "0123456789012345678901234567890123456789", "image_digest": file,
		"metadata": map[string]any{
			"metrics": map[string]any{"auc": map[string]any{"value": 0.8, "n": 100}}, "sample_sizes": map[string]any{"train": 100}, "libraries": map[string]any{"numpy": "2.1.0"},
			"seeds": map[string]any{"python": "7"}, "hardware": "8 cores", "thresholds": map[string]any{"auc": map[string]any{"direction": "below", "warn": 0.7, "fail": 0.6, "window": "168h"}},
		},
	})
	version := read[catalog.Version](b, ask(b, handler, "GET", "/models/credit/versions/1", nil).want(b, 200)).Digest
	signer, err := h.Workspace.Signer(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	keep := func(body []byte) tallystick.Digest {
		d, err := h.Workspace.Evidence.Put(b.Context(), body)
		if err != nil {
			b.Fatal(err)
		}
		return d
	}
	sign := func(s verify.Statement, err error) tallystick.Digest {
		if err != nil {
			b.Fatal(err)
		}
		envelope, _, err := signer.Sign(s)
		if err != nil {
			b.Fatal(err)
		}
		return keep(envelope)
	}
	document, err := os.ReadFile("../policy/testdata/recorded/v1/release.input.json")
	if err != nil {
		b.Fatal(err)
	}
	var input map[string]any
	if err := json.Unmarshal(document, &input); err != nil {
		b.Fatal(err)
	}
	input["model"] = map[string]any{"name": "credit", "version": "1", "owner": "ada", "tier": "high"}
	input["release"] = nil
	if document, err = json.Marshal(input); err != nil {
		b.Fatal(err)
	}
	gate := evidence.Gate{Verdict: tallystick.Pass, Tier: tallystick.TierHigh, Decided: evidence.Timestamp(time.Now()), Input: keep(document)}
	for _, kind := range []string{"evaluation", "data_check"} {
		post("/models/credit/versions/1/evidence", map[string]any{"kind": kind, "name": "audit", "evidence_digest": sign(gate.Statement(verify.Resource("data", file)))})
	}
	kinds := []string{"baseline", "scan", "document"}
	for i := range 198 {
		kind, name := kinds[i%len(kinds)], ""
		if kind == "document" {
			name = []string{"model-card", "risk-record", "impact-assessment", "monitoring-plan"}[i/3%4]
		}
		says := evidence.Vouched{Model: "credit", Version: "1", Kind: kind, Name: name, Evidence: keep(fmt.Appendf(nil, "piece %d", i)), Produced: evidence.Timestamp(time.Now())}
		post("/models/credit/versions/1/evidence", map[string]any{"kind": kind, "name": name, "evidence_digest": sign(says.Statement(version))})
	}
	question := map[string]any{"model": "credit", "version": "1", "environment": "production"}
	post("/gate", question)
	disk := b.TempDir()
	var times, limits []time.Duration
	var used time.Duration
	for b.Loop() {
		before, start := processor(b), time.Now()
		post("/gate", question)
		times, used = append(times, time.Since(start)), used+processor(b)-before
		start = time.Now()
		flush(b, disk)
		limits = append(limits, time.Since(start))
	}
	b.ReportMetric(percentile(times, 50), "p50_ms")
	b.ReportMetric(percentile(times, 99), "p99_ms")
	b.ReportMetric(percentile(limits, 50), "disk_p50_ms")
	b.ReportMetric(percentile(limits, 99), "disk_p99_ms")
	b.ReportMetric(float64(used.Microseconds())/1000/float64(len(times)), "cpu_ms/op")
}

// flush does what the disk has to do for a decision that can be taken again: one commit, with the document in it.
func flush(b *testing.B, dir string) {
	b.Helper()
	log, err := os.OpenFile(filepath.Join(dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		b.Fatal(err)
	}
	defer log.Close()
	if _, err := log.Write(make([]byte, 48<<10)); err != nil {
		b.Fatal(err)
	}
	if err := log.Sync(); err != nil {
		b.Fatal(err)
	}
}

// percentile returns the time in milliseconds that p of a hundred do not exceed.
func percentile(times []time.Duration, p int) float64 {
	slices.Sort(times)
	return float64(times[len(times)*p/100].Microseconds()) / 1000
}

// processor returns the time that the processor has spent on this process.
func processor(b *testing.B) time.Duration {
	b.Helper()
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		b.Fatal(err)
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}
