package catalog_test

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// BenchmarkQuestions puts the questions of pages to a catalog of 10,000 models and 100,000 versions with 200,000
// pieces of evidence, on a trail of TALLYSTICK_BENCH_EVENTS events (200,000 if it is not set). Each reports
// the worst of its rounds as worst-ms, after one that warms up.
func BenchmarkQuestions(b *testing.B) {
	const models, versions = 10_000, 10
	events := 200_000
	if s := os.Getenv("TALLYSTICK_BENCH_EVENTS"); s != "" {
		var err error
		if events, err = strconv.Atoi(s); err != nil {
			b.Fatal(err)
		}
	}
	c := thronged(b, models, versions, events)
	ctx := b.Context()
	ask := func(name string, question func(i int) error) {
		b.Run(name, func(b *testing.B) {
			if err := question(0); err != nil {
				b.Fatal(err)
			}
			var worst time.Duration
			for i := 0; b.Loop(); i++ {
				start := time.Now()
				if err := question(i); err != nil {
					b.Fatal(err)
				}
				worst = max(worst, time.Since(start))
			}
			b.ReportMetric(float64(worst.Microseconds())/1000, "worst-ms")
		})
	}
	name := func(i int) string { return fmt.Sprintf("m%05d", i*7919%models) }
	ask("models", func(i int) error { _, err := c.catalog.Models(ctx, catalog.ModelFilter{After: name(i)}); return err })
	ask("models-by-tier", func(i int) error {
		_, err := c.catalog.Models(ctx, catalog.ModelFilter{Tier: tallystick.TierHigh, After: name(i)})
		return err
	})
	ask("models-by-text", func(int) error { _, err := c.catalog.Models(ctx, catalog.ModelFilter{Text: "nowhere"}); return err })
	ask("priority", func(i int) error { _, err := c.catalog.Priority(ctx, name(i), 100); return err })
	ask("model-not-found", func(int) error {
		if _, err := c.catalog.Model(ctx, "m000x1"); tallystick.CodeOf(err) != tallystick.NotFound {
			return fmt.Errorf("it is: %w", err)
		}
		return nil
	})
	ask("versions", func(i int) error {
		_, err := c.catalog.Versions(ctx, catalog.VersionFilter{Model: name(i)})
		return err
	})
	ask("version-by-digest", func(i int) error {
		_, err := c.catalog.Versions(ctx, catalog.VersionFilter{Digest: digest(name(i) + "@3")})
		return err
	})
	ask("status", func(i int) error { _, err := c.catalog.Status(ctx, name(i), ""); return err })
	ask("history-newest", func(int) error {
		_, err := c.catalog.History(ctx, "m00000", catalog.HistoryFilter{Newest: true})
		return err
	})
	ask("at", func(int) error { _, err := c.catalog.At(ctx, "m00000", catalog.AtQuery{From: time.Now()}); return err })
}

// thronged is a catalog that was filled without going by the trail, but for the model m00000.
func thronged(b *testing.B, models, versions, events int) bench {
	b.Helper()
	c := setup(b)
	c.must(b,
		c.register(catalog.ModelRegistration{Name: "m00000", ModelDetails: catalog.ModelDetails{Answers: harmless(map[string]string{"safety": "direct"})}}),
		c.environment("live", catalog.Free, 1))
	for v := range versions {
		version := strconv.Itoa(v)
		c.must(b, c.version("m00000", version), c.audit("m00000", version, version, tallystick.Pass))
		c.acted(b, func(tx *state.Tx) ([]trail.Change, error) {
			return c.catalog.RecordAssignment(tx, catalog.AssignmentRequest{Environment: "live", Model: "m00000", Version: version, Role: catalog.Champion})
		})
	}
	started := time.Now()
	fill := func(n int, insert func(tx *state.Tx, i int) error) {
		const batch = 5000
		for from := 0; from < n; from += batch {
			err := c.db.Write(b.Context(), func(tx *state.Tx) error {
				for i := from; i < min(n, from+batch); i++ {
					if err := insert(tx, i); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	fill(models-1, func(tx *state.Tx, i int) error {
		_, err := tx.Exec(`INSERT INTO models (name, state, tier, tier_stated, tier_reason, tier_answers, answers, third_party, owner, sre_owner, phase_owners, intended_purpose,
			acceptable_use, summary, labels, supplier, supplier_contract, replacement, reason, revision, urgency, versions, latest_version, evaluated_ms, created_ms, changed_ms, event)
			SELECT ?, state, tier, tier_stated, tier_reason, tier_answers, answers, third_party, owner, sre_owner, phase_owners, intended_purpose, acceptable_use, summary, labels, supplier,
			supplier_contract, replacement, reason, revision, ?, versions, latest_version, ?, created_ms, changed_ms, event FROM models WHERE name = 'm00000'`,
			fmt.Sprintf("m%05d", i+1), i%30, i)
		return err
	})
	fill((models-1)*versions, func(tx *state.Tx, i int) error {
		model, version := fmt.Sprintf("m%05d", i/versions+1), strconv.Itoa(i%versions)
		_, err := tx.Exec(`INSERT INTO versions SELECT ?, version, state, ?, root, files, bytes, same_as, training_cutoff, code_commit, image_digest, run, trigger_kind,
			trigger_id, changelog, justification, metadata, reason, created_ms, created, event FROM versions WHERE model = 'm00000' AND version = ?`,
			model, string(digest(model+"@"+version)), version)
		return err
	})
	kinds := []string{"evaluation", "scan"}
	fill((models-1)*versions*2, func(tx *state.Tx, i int) error {
		_, err := tx.Exec(`INSERT INTO evidence (id, model, version, kind, name, digest, predicate_type, signer, subject, verdict, produced_ms, until_ms, system, reference, note, created_ms, event)
			VALUES (?, ?, ?, ?, '', '', '', '', '', 'pass', ?, 0, '', '', '', 0, 1)`,
			strconv.Itoa(i), fmt.Sprintf("m%05d", i/versions/2+1), strconv.Itoa(i/2%versions), kinds[i%2], i)
		return err
	})
	if _, err := c.reader.Count(b.Context(), trail.Filter{}); err != nil { // writes the columns of what is there
		b.Fatal(err)
	}
	first := c.events(b) + 1
	fill(events, func(tx *state.Tx, i int) error {
		sequence := int64(first + i)
		if _, err := tx.Exec("INSERT INTO events (sequence, leaf, disclosures) VALUES (?, ?, ?)", sequence, []byte("{}"), []byte("[]")); err != nil {
			return err
		}
		_, err := tx.Exec(`INSERT INTO event_columns (sequence, id, type, time_ms, latest_ms, late_ms, resource_type, resource_id, model, outcome, actor) VALUES (?, ?, ?, ?, ?, 0, 'version', ?, ?, 'success', 'alice')`,
			sequence, strconv.FormatInt(sequence, 10), string(trail.EvidenceAttached), i, i, "x", fmt.Sprintf("m%05d", i%(models-1)+1))
		return err
	})
	b.Logf("filled in %s", time.Since(started).Round(time.Second))
	return c
}
