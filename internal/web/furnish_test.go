package web_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/artifact"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/lineage"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

func digest(s string) tallystick.Digest { return tallystick.DigestOf([]byte(s)) }

func number(v float64) *float64 { return &v }

// furnish puts a few models into the house, with what there is to say of them.
func (h *house) furnish(t testing.TB) {
	t.Helper()
	for _, m := range []catalog.ModelRegistration{
		{Name: "credit", ModelDetails: catalog.ModelDetails{
			Owner: "Ada Lovelace", SREOwner: "Grace Hopper", Summary: "Scores applications for consumer loans", Purpose: "Decides on loans up to 20,000 together with a clerk",
			AcceptableUse: "Consumer loans in the EU; not for tenancy or employment", Labels: map[string]string{"team": "lending", "cost-centre": "4711"},
			Answers: catalog.Answers{"financial_effect": "major", "safety": "none", "sensitive_data": "personal", "reach": "customers", "regulated_market": "yes", "automated_decision": "reviewed"},
		}},
		{Name: "fraud", ModelDetails: catalog.ModelDetails{
			Owner: "Alan Turing", Summary: "Flags card payments", Purpose: "Holds payments for a look by a person",
			Answers: catalog.Answers{"financial_effect": "minor", "safety": "none", "sensitive_data": "personal", "reach": "customers", "regulated_market": "no", "automated_decision": "reviewed"},
		}},
		{Name: "churn", ModelDetails: catalog.ModelDetails{Owner: "Emmy Noether", Summary: "Who may leave within a month"}},
		{Name: "triage", ModelDetails: catalog.ModelDetails{Owner: "Florence Nightingale", ThirdParty: true, Supplier: "A supplier", SupplierContract: "C-2026-17", Summary: "Sorts letters by urgency"}},
		{Name: "spam", ModelDetails: catalog.ModelDetails{
			Owner: "Ray Tomlinson", SREOwner: "Jon Postel", Purpose: "Sorts mail", AcceptableUse: "Mail within the company",
			Answers: catalog.Answers{"financial_effect": "none", "safety": "none", "sensitive_data": "none", "reach": "team", "regulated_market": "no", "automated_decision": "none"},
		}},
		{Name: "embedding-study", ModelDetails: catalog.ModelDetails{State: catalog.Experimental, Owner: "Ada Lovelace"}},
	} {
		h.change(t, func(tx *state.Tx) ([]trail.Change, error) { return one(h.catalog.RegisterModel(tx, m, "usr_test")) })
	}
	for i, version := range []string{"1", "2", "3"} {
		h.register(t, "credit", version, i)
	}
	h.register(t, "fraud", "2026-03", 0)
	h.register(t, "spam", "9", 0)
	attach := func(model, version string, details ...catalog.EvidenceDetails) {
		for _, d := range details {
			h.change(t, func(tx *state.Tx) ([]trail.Change, error) {
				return one(h.catalog.AttachEvidence(tx, catalog.EvidenceAttachment{Model: model, Version: version, Details: d}))
			})
		}
	}
	attach("credit", "3",
		catalog.EvidenceDetails{Kind: catalog.EvaluationEvidence, Digest: digest("report"), Verdict: tallystick.Pass, Signer: "3f2a90be77c1d2", ProducedMS: time.Now().AddDate(0, 0, -12).UnixMilli()},
		catalog.EvidenceDetails{Kind: catalog.ScanEvidence, Digest: digest("scan"), Verdict: tallystick.Warn, ProducedMS: time.Now().AddDate(-1, 0, 0).UnixMilli()},
		catalog.EvidenceDetails{Kind: catalog.SignatureEvidence, Digest: digest("signature"), Subject: digest("other files")},
		catalog.EvidenceDetails{Kind: catalog.TicketEvidence, System: "jira", Reference: "RISK-113", Note: "Threshold agreed"})
	attach("credit", "", catalog.EvidenceDetails{Kind: catalog.DocumentEvidence, Name: "model-card", Digest: digest("card")})
	attach("fraud", "2026-03", catalog.EvidenceDetails{Kind: catalog.EvaluationEvidence, Digest: digest("fraud report"), Verdict: tallystick.Fail})
	for i, e := range []string{"lab", "staging", "production"} {
		h.change(t, func(tx *state.Tx) ([]trail.Change, error) {
			return one(h.catalog.DefineEnvironment(tx, catalog.EnvironmentDefinition{Name: e, EnvironmentTerms: catalog.EnvironmentTerms{
				Strictness: []catalog.Strictness{catalog.Free, catalog.Checked, catalog.Gated}[i], Position: int64(i),
			}}))
		})
	}
	h.change(t, func(tx *state.Tx) ([]trail.Change, error) {
		return h.catalog.RecordAssignment(tx, catalog.AssignmentRequest{Environment: "lab", Model: "credit", Version: "3", Role: catalog.Champion, Reason: "trial"})
	})
	h.change(t, func(tx *state.Tx) ([]trail.Change, error) {
		return h.catalog.RecordAssignment(tx, catalog.AssignmentRequest{Environment: "production", Model: "credit", Version: "2", Role: catalog.Champion, Observed: true})
	})
	h.change(t, func(tx *state.Tx) ([]trail.Change, error) {
		return h.catalog.RecordDeployment(tx, catalog.DeploymentReport{
			ID: "credit-7f9c", Environment: "production", Model: "credit", Version: "2", Replicas: 3, Cluster: "eu-1", Node: "worker-4", Artifact: digest("something else"),
		})
	})
	h.tell(t)
}

// register registers a version with two files and metadata.
func (h *house) register(t testing.TB, model, version string, i int) {
	t.Helper()
	files, err := artifact.NewManifest([]artifact.File{
		{Name: "model.safetensors", Digest: digest(model + version), Size: 48_213_004}, {Name: "config.json", Digest: digest("config"), Size: 1211},
	})
	if err != nil {
		t.Fatal(err)
	}
	h.change(t, func(tx *state.Tx) ([]trail.Change, error) {
		return one(h.catalog.RegisterVersion(tx, catalog.VersionRegistration{Model: model, Version: version, Manifest: files, Details: catalog.VersionDetails{
			TrainingCutoff: fmt.Sprintf("2026-0%d-28", i+1), CodeCommit: digest(version).Hex()[:40], Image: digest("image"), Changelog: "Trained on another quarter; income is capped", Justification: "Drift of the age of applicants",
			Trigger: catalog.Trigger{Kind: "finding", ID: "F-12"},
			Metadata: catalog.Metadata{
				Metrics:     map[string]catalog.Metric{"auc": {Value: 0.8123, Low: number(0.8011), High: number(0.8231), N: 12_044}, "accuracy": {Value: 0.7711, N: 12_044}},
				SampleSizes: map[string]int64{"train": 98_114, "test": 12_044}, Thresholds: map[string]catalog.Threshold{"auc": {Warn: number(0.79), Fail: number(0.76), Direction: "below", Window: "168h"}},
				Parameters: map[string]string{"depth": "6", "rate": "0.05"}, Seeds: map[string]string{"python": "7"}, Libraries: map[string]string{"xgboost": "2.1.0", "numpy": "2.1.1"}, Hardware: "8 cores, 32 GB",
			},
		}}))
	})
}

// tell records where the versions of credit came from.
func (h *house) tell(t testing.TB) {
	t.Helper()
	b := lineage.Batch{Origin: "test"}
	edge := func(from, relation, to string) {
		f, err := lineage.ParseRef(from)
		if err != nil {
			t.Fatal(err)
		}
		o, err := lineage.ParseRef(to)
		if err != nil {
			t.Fatal(err)
		}
		b.Edges = append(b.Edges, lineage.Edge{From: f, To: o, Relation: lineage.Relation(relation), Reason: "as planned"})
	}
	for _, e := range [][3]string{
		{"source:postgres://warehouse/applications", "read", "transformation:clean_applications"}, {"source:s3://bureau/scores-2026-q2.parquet", "read", "transformation:join_bureau"},
		{"transformation:clean_applications", "wrote", "snapshot:applications/2026-05"}, {"snapshot:applications/2026-05", "read", "transformation:join_bureau"},
		{"transformation:join_bureau", "wrote", "snapshot:training/2026-05"}, {"snapshot:training/2026-05", "read", "run:0198c4"}, {"code:4f2a9c1d", "defines", "run:0198c4"},
		{"image:sha256-77aa", "defines", "run:0198c4"}, {"run:0198c4", "trained", "version:credit@3"}, {"snapshot:applications/2026-05", "read", "run:0198c4"},
		{"version:credit@3", "deployed", "deployment:credit-lab-1"}, {"version:credit@3", "deployed", "deployment:credit-canary"}, {"deployment:credit-lab-1", "predicted", "segment:2026-06-01"},
		{"version:credit@3", "derived", "version:churn@1"}, {"code:4f2a9c1d", "defines", "transformation:join_bureau"},
		{"column:applications/2026-05#postcode", "part", "snapshot:applications/2026-05"}, {"column:applications/2026-05#postcode", "derived", "feature:region"},
	} {
		edge(e[0], e[1], e[2])
	}
	b.Rules = []lineage.UsageRule{{Node: lineage.Ref{Kind: lineage.Column, ID: "applications/2026-05#postcode"}, Forbidden: []string{"marketing"}, Basis: "contract"}}
	h.change(t, func(tx *state.Tx) ([]trail.Change, error) { return h.lineage.Record(tx, b) })
}
