package catalog_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/state"
)

// The estate of an organisation with 10,000 models and 100,000 versions, all of which have been champion
// in one of three environments, and a quarter of which left a finding.
const (
	benchModels   = 10_000
	benchVersions = 10 // of each
)

// crowded fills the tables of the estate directly: what is measured is how they are read.
func crowded(tb testing.TB) bench {
	tb.Helper()
	b := setup(tb)
	write := func(fn func(tx *state.Tx) error) {
		if err := b.db.Write(tb.Context(), fn); err != nil {
			tb.Fatal(err)
		}
	}
	environments := []string{"lab", "staging", "production"}
	for i, name := range environments {
		b.must(tb, b.environment(name, catalog.Free, int64(i)))
	}
	sequence := 10
	for first := 0; first < benchModels; first += 500 {
		write(func(tx *state.Tx) error {
			for model := first; model < first+500; model++ {
				name := fmt.Sprintf("model-%05d", model)
				for version := range benchVersions {
					sequence++
					from, until := int64(sequence)*60_000, any(int64(sequence+1)*60_000)
					if version == benchVersions-1 {
						until = nil
					}
					place := environments[model%3]
					for _, insert := range []struct {
						query string
						args  []any
					}{
						{"INSERT INTO events (sequence, leaf, disclosures) VALUES (?, ?, ?)", []any{sequence, []byte{}, []byte{}}},
						{
							`INSERT INTO assignments (id, environment, model, version, role, percent, observed, reason, from_ms, until_ms, event) VALUES (?, ?, ?, ?, 'champion', 0, 0, '', ?, ?, ?)`,
							[]any{fmt.Sprint(sequence), place, name, fmt.Sprint(version), from, until, sequence},
						},
						{
							`INSERT INTO deployments (id, environment, model, version, artifact_digest, image_digest, configuration_digest, manifest_digest, replicas, cluster, node, reporter, from_ms, until_ms, event, last_event)
								VALUES (?, ?, ?, ?, '', '', '', '', 1, '', '', '', ?, ?, ?, ?)`,
							[]any{fmt.Sprint(sequence), place, name, fmt.Sprint(version), from, until, sequence, sequence},
						},
					} {
						if _, err := tx.Exec(insert.query, insert.args...); err != nil {
							return err
						}
					}
					if version%4 != 0 {
						continue
					}
					if version == 8 { // the last that left one: still open
						until = nil
					}
					_, err := tx.Exec(`INSERT INTO findings (id, fingerprint, kind, severity, environment, model, version, subject, expected, observed, summary, first_ms, last_ms, resolved_ms, agrees, resolution, event, last_event)
						VALUES (?, ?, 'code_differs', 'high', ?, ?, ?, '', '', '', '', ?, ?, ?, 0, '', ?, ?)`,
						fmt.Sprint(sequence), fmt.Sprint(sequence), place, name, fmt.Sprint(version), from, from, until, sequence, sequence)
					if err != nil {
						return err
					}
				}
			}
			return nil
		})
	}
	return b
}

// BenchmarkEstate prints the slowest answer of each list beside the mean; any is to take 50 ms at most.
func BenchmarkEstate(b *testing.B) {
	c := crowded(b)
	middle := time.UnixMilli(60_000 * benchModels * benchVersions / 2)
	for name, ask := range map[string]func(ctx context.Context, i int) (int, error){
		"assignments of a model": func(ctx context.Context, i int) (int, error) {
			list, err := c.catalog.Assignments(ctx, catalog.AssignmentFilter{Model: fmt.Sprintf("model-%05d", i%benchModels)})
			return len(list), err
		},
		"assignments of a model at a time": func(ctx context.Context, i int) (int, error) {
			list, err := c.catalog.Assignments(ctx, catalog.AssignmentFilter{Model: fmt.Sprintf("model-%05d", benchModels/2), At: middle})
			return len(list), err
		},
		"all that serves in an environment": func(ctx context.Context, _ int) (int, error) {
			list, err := c.catalog.Assignments(ctx, catalog.AssignmentFilter{Environment: "production", Serving: true, Limit: 1000})
			return len(list), err
		},
		"what served in an environment at a time": func(ctx context.Context, _ int) (int, error) {
			list, err := c.catalog.Assignments(ctx, catalog.AssignmentFilter{Environment: "production", At: middle, Limit: 1000})
			return len(list), err
		},
		"deployments of an environment": func(ctx context.Context, _ int) (int, error) {
			list, err := c.catalog.Deployments(ctx, catalog.DeploymentFilter{Environment: "production", Limit: 1000})
			return len(list), err
		},
		"running deployments": func(ctx context.Context, _ int) (int, error) {
			list, err := c.catalog.Deployments(ctx, catalog.DeploymentFilter{Running: true})
			return len(list), err
		},
		"open findings": func(ctx context.Context, _ int) (int, error) {
			list, err := c.catalog.Findings(ctx, catalog.FindingFilter{Open: true, Limit: 1000})
			return len(list), err
		},
		"open findings of an environment": func(ctx context.Context, _ int) (int, error) {
			list, err := c.catalog.Findings(ctx, catalog.FindingFilter{Environment: "production", Open: true})
			return len(list), err
		},
		"findings of an environment": func(ctx context.Context, _ int) (int, error) {
			list, err := c.catalog.Findings(ctx, catalog.FindingFilter{Environment: "production"})
			return len(list), err
		},
		"findings of a model": func(ctx context.Context, i int) (int, error) {
			list, err := c.catalog.Findings(ctx, catalog.FindingFilter{Model: fmt.Sprintf("model-%05d", i%benchModels)})
			return len(list), err
		},
	} {
		b.Run(strings.ReplaceAll(name, " ", "_"), func(b *testing.B) {
			var times []time.Duration
			rows := 0
			for i := 0; b.Loop(); i++ {
				start := time.Now()
				n, err := ask(b.Context(), i)
				if err != nil {
					b.Fatal(err)
				}
				times, rows = append(times, time.Since(start)), n
			}
			slices.Sort(times)
			b.ReportMetric(float64(rows), "rows")
			b.ReportMetric(float64(times[len(times)*99/100].Microseconds())/1000, "p99-ms")
		})
	}
}
