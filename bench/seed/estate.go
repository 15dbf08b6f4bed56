package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/artifact"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

var places = []string{"lab", "staging", "production"}

func modelName(i int) string { return fmt.Sprintf("m%05d", i) }

func (s *seeder) environments(ctx context.Context) error {
	var acts []act
	for i, name := range places {
		acts = append(acts, one(func(tx *state.Tx) (trail.Change, error) {
			return s.catalog.DefineEnvironment(tx, catalog.EnvironmentDefinition{Name: name, EnvironmentTerms: catalog.EnvironmentTerms{Strictness: catalog.Free, Position: int64(i)}})
		}))
	}
	return s.do(ctx, acts)
}

// models registers models with all that belongs to them.
func (s *seeder) models(ctx context.Context, from, until int) error {
	for i := from; i < until; i++ {
		acts := []act{s.model(i), s.dataset(i)}
		for v := range s.Versions {
			acts = append(acts, s.version(i, v)...)
		}
		if err := s.do(ctx, acts); err != nil {
			return fmt.Errorf("model %s: %w", modelName(i), err)
		}
	}
	return nil
}

func (s *seeder) model(i int) act {
	effects := []string{"none", "minor", "major"}
	phase := catalog.Active
	if i%10 == 9 {
		phase = catalog.Experimental
	}
	return one(func(tx *state.Tx) (trail.Change, error) {
		return s.catalog.RegisterModel(tx, catalog.ModelRegistration{Name: modelName(i), ModelDetails: catalog.ModelDetails{
			State: phase, Owner: actor(i), SREOwner: actor(i + 1), Purpose: fmt.Sprintf("Decides about matter %d", i), AcceptableUse: "Within the organisation",
			Summary: fmt.Sprintf("Scores matter %d of team %d", i, i%97), Labels: map[string]string{"team": fmt.Sprintf("team-%02d", i%97)},
			Answers: catalog.Answers{"financial_effect": effects[i%3], "safety": "none", "sensitive_data": "personal", "reach": "customers", "regulated_market": "no", "automated_decision": "reviewed"},
		}}, actor(i))
	})
}

// dataset registers what the model's versions are made from: a data set and a snapshot.
func (s *seeder) dataset(i int) act {
	name := "data-" + modelName(i)
	return func(tx *state.Tx) ([]trail.Change, error) {
		set := catalog.DatasetChange{Name: name, DatasetTerms: catalog.DatasetTerms{Owner: actor(i), Summary: "Invented", ConsentBasis: "contract", RetentionDays: 365}}
		change, err := s.catalog.RegisterDataset(tx, set)
		if err != nil {
			return nil, err
		}
		return []trail.Change{change, &catalog.SnapshotRegistered{
			Dataset: name, Snapshot: "1", Digest: digest("data %d", i), Rows: 100_000, Bytes: 12_345_678, Taken: tx.Now().UTC().Truncate(time.Millisecond),
		}}, nil
	}
}

// version registers a version and lets it serve somewhere; one in four is audited and runs.
func (s *seeder) version(i, v int) []act {
	model, version := modelName(i), strconv.Itoa(v+1)
	where := places[i%len(places)]
	low, high := 0.79, 0.83
	acts := []act{
		one(func(tx *state.Tx) (trail.Change, error) {
			files, err := artifact.NewManifest([]artifact.File{
				{Name: "model.safetensors", Digest: digest("%s %s", model, version), Size: 48_213_004}, {Name: "config.json", Digest: digest("config %d", i), Size: 1211},
			})
			if err != nil {
				return nil, err
			}
			return s.catalog.RegisterVersion(tx, catalog.VersionRegistration{Model: model, Version: version, Manifest: files, Details: catalog.VersionDetails{
				TrainingCutoff: "2024-06-30", CodeCommit: digest("code %d %d", i, v).Hex()[:40], Image: digest("image %d", i%50), Changelog: "Trained on another quarter", Justification: "Drift",
				Trigger: catalog.Trigger{Kind: "finding", ID: "F-12"},
				Metadata: catalog.Metadata{
					Metrics: map[string]catalog.Metric{"auc": {Value: 0.81, Low: &low, High: &high, N: 12_044}}, SampleSizes: map[string]int64{"train": 98_114, "test": 12_044},
					Thresholds: map[string]catalog.Threshold{"auc": {Warn: &high, Fail: &low, Direction: "below", Window: "168h"}},
					Parameters: map[string]string{"depth": "6"}, Seeds: map[string]string{"python": "7"}, Libraries: map[string]string{"xgboost": "2.1.0"}, Hardware: "8 cores, 32 GB",
				},
			}})
		}),
		one(func(tx *state.Tx) (trail.Change, error) {
			return s.catalog.LinkSnapshot(tx, catalog.DataLink{Model: model, Version: version, Role: catalog.TrainingData, Dataset: "data-" + model, Snapshot: "1"})
		}),
	}
	if v%4 == 1 {
		acts = append(acts, func(*state.Tx) ([]trail.Change, error) {
			return []trail.Change{&catalog.AuditCompleted{
				Model: model, Version: version, Data: digest("held out %d %d", i, v), Policy: digest("policy"), Report: digest("report %d %d", i, v), Verdict: tallystick.Pass, Rows: 12_044, Tier: tallystick.TierLimited,
			}}, nil
		})
	}
	acts = append(acts,
		one(func(tx *state.Tx) (trail.Change, error) {
			return s.catalog.AttachEvidence(tx, catalog.EvidenceAttachment{Model: model, Version: version, Details: catalog.EvidenceDetails{
				Kind: catalog.ScanEvidence, Digest: digest("scan %d %d", i, v), Verdict: tallystick.Pass, ProducedMS: tx.Now().UnixMilli(),
			}})
		}),
		func(tx *state.Tx) ([]trail.Change, error) {
			return s.catalog.RecordAssignment(tx, catalog.AssignmentRequest{Environment: where, Model: model, Version: version, Role: catalog.Champion, Reason: "better"})
		},
		func(tx *state.Tx) ([]trail.Change, error) {
			report := catalog.DeploymentReport{ID: fmt.Sprintf("%s-%s", model, version), Environment: where, Model: model, Version: version, Replicas: 3, Cluster: "eu-1", Node: "worker-4"}
			if v%8 == 3 { // not the files that were registered: a finding
				report.Artifact = digest("something else %d", i)
			}
			return s.catalog.RecordDeployment(tx, report)
		})
	if v > 0 {
		acts = append(acts, func(tx *state.Tx) ([]trail.Change, error) {
			return s.catalog.EndDeployment(tx, fmt.Sprintf("%s-%d", model, v), "replaced")
		})
	}
	return acts
}
