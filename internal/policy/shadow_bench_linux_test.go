package policy_test

import (
	"encoding/json"
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/policy"
)

// BenchmarkShadow tries a policy with another limit and another rule on past decisions: of each version ten, at different times and for
// different requests, over an audit with figures of its own. It reports the processor time of each, for a machine that others use too.
func BenchmarkShadow(b *testing.B) {
	recorded, err := os.ReadFile("testdata/recorded/v1/release.input.json")
	if err != nil {
		b.Fatal(err)
	}
	var inputs [][]byte
	for i := range 10_000 { // as many as the limit of ten seconds is about
		inputs = append(inputs, past(b, recorded, i))
	}
	for name, limit := range map[string]string{"few": "audit_days: 30", "flips": "audit_days: 0"} {
		b.Run(name, func(b *testing.B) {
			from := load(b, "", tallystick.TierHigh)
			to := load(b, writePolicy(b, map[string]string{
				"owner.rego": ownerRule, "data.yaml": "tallystick: {tiers: {high: {limits: {" + limit + "}}}}\n",
			}), tallystick.TierHigh)
			judged := 0
			before := processor(b)
			decisions := func(yield func([]byte, error) bool) {
				for b.Loop() {
					if judged++; !yield(inputs[judged%len(inputs)], nil) {
						return
					}
				}
			}
			b.ReportAllocs()
			result, err := policy.Shadow(b.Context(), from, to, decisions)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64((processor(b)-before).Microseconds())/1000/float64(judged), "cpu_ms/op")
			b.ReportMetric(float64(result.Shut)/float64(judged), "shut/op")
		})
	}
}

// past returns the input of a decision like the recorded one.
func past(b *testing.B, recorded []byte, i int) []byte {
	b.Helper()
	var document map[string]any
	if err := json.Unmarshal(recorded, &document); err != nil {
		b.Fatal(err)
	}
	at, err := time.Parse(time.RFC3339Nano, document["now"].(string))
	if err != nil {
		b.Fatal(err)
	}
	release, report := document["release"].(map[string]any), document["report"].(map[string]any)
	release["request"] = fmt.Sprint("request-", i)
	release["version"].(map[string]any)["age"] = i * 60
	report["rows"] = 10_000 + i/10
	document["model"].(map[string]any)["owner"] = fmt.Sprint("owner-", i/10)
	input, err := policy.Canonical(document, at.Add(time.Duration(i)*time.Second))
	if err != nil {
		b.Fatal(err)
	}
	return input
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
