package policy_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"testing"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/policy"
)

// BenchmarkEvaluate judges an audit alone, and a release that owes 200 things, from typed input, as the
// server does, and again from the canonical bytes, as a replay does.
func BenchmarkEvaluate(b *testing.B) {
	pack := load(b, "", tallystick.TierHigh)
	for name, document := range map[string]map[string]any{"audit": sound(b, tallystick.TierHigh), "release": owing(b, 200)} {
		canonical, err := policy.Canonical(document, now)
		if err != nil {
			b.Fatal(err)
		}
		input := policy.Input{Report: document["report"], Limits: document["limits"], Criteria: document["criteria"], Champion: document["champion"]}
		data, err := json.Marshal(map[string]any{"model": document["model"], "environment": document["environment"], "release": document["release"]})
		if err != nil {
			b.Fatal(err)
		}
		if err := json.Unmarshal(data, &input); err != nil {
			b.Fatal(err)
		}
		b.Run(name+"/evaluate", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := pack.Evaluate(b.Context(), input, now); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/replay", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := pack.Replay(b.Context(), canonical); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// owing returns a release that owes n things.
func owing(b *testing.B, n int) map[string]any {
	document := ready(b, tallystick.TierHigh)
	release := document["release"].(map[string]any)
	owed := release["owed"].([]any)
	for i := len(owed); i < n; i++ {
		item := maps.Clone(owed[2].(map[string]any))
		item["id"] = fmt.Sprint("evidence-", i)
		owed = append(owed, item)
	}
	release["owed"] = owed
	return document
}
