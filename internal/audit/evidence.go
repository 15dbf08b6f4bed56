package audit

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/evidence"
	"github.com/tallystick/tallystick/internal/policy"
	"github.com/tallystick/tallystick/internal/report"
	"github.com/tallystick/tallystick/verify"
)

// The files that an audit leaves.
const (
	JSONFile     = "report.json"
	MarkdownFile = "report.md"
	HTMLFile     = "report.html"
	EvidenceFile = "evidence.tally"
)

// rendered is a report in its three forms, named as in the bundle.
func rendered(doc *report.Document) ([]verify.File, error) {
	var files []verify.File
	for _, form := range []struct {
		name  string
		write func(io.Writer, *report.Document) error
	}{{JSONFile, report.WriteJSON}, {MarkdownFile, report.WriteMarkdown}, {HTMLFile, report.WriteHTML}} {
		var b bytes.Buffer
		if err := form.write(&b, doc); err != nil {
			return nil, fmt.Errorf("write %s: %w", form.name, err)
		}
		files = append(files, verify.File{Name: "reports/" + form.name, Data: b.Bytes()})
	}
	return files, nil
}

// versionFiles returns the digests by which the files of the audited version are known, none if nobody has
// said which they are.
func (o Office) versionFiles(ctx context.Context, cfg Config, doc *report.Document) (digests []tallystick.Digest, err error) {
	if digests = cfg.VersionFiles; len(digests) == 0 && doc.Model.Version != "" {
		v, err := o.Catalog.Version(ctx, doc.Model.Name, doc.Model.Version)
		if err != nil && tallystick.CodeOf(err) != tallystick.NotFound {
			return nil, err
		}
		digests = []tallystick.Digest{v.Digest, v.Root}
	}
	return slices.DeleteFunc(slices.Clone(digests), func(d tallystick.Digest) bool { return d == "" }), nil
}

// statements makes and signs what the audit attests: the tests, the decision in our words and in
// those that every in-toto verifier knows, and the report. The decision is about the files of the version
// besides the data: a version of the same name with other files has not been audited.
func statements(doc *report.Document, reports []verify.File, version []tallystick.Digest, signer *evidence.Signer) (map[string][]byte, []tallystick.Digest, error) {
	subjects := []verify.ResourceDescriptor{verify.Resource("data", doc.Data.Digest)}
	bound := slices.Clone(subjects)
	for _, d := range version {
		bound = append(bound, verify.Resource(verify.VersionSubject, d))
	}
	gate := gatePredicate(doc)
	envelopes := map[string][]byte{}
	var digests []tallystick.Digest
	for _, s := range []struct {
		name string
		make func() (verify.Statement, error)
	}{
		{"tests", func() (verify.Statement, error) { return testResult(doc).Statement(subjects...) }},
		{"gate", func() (verify.Statement, error) { return gate.Statement(bound...) }},
		{"gate-svr", func() (verify.Statement, error) { return gate.VerificationResult().Statement(bound...) }},
		{"report", func() (verify.Statement, error) {
			return evidence.Report{
				Model: doc.Model.Name, Version: doc.Model.Version, Verdict: doc.Gate.Verdict, Data: doc.Data.Digest,
				Created: evidence.Timestamp(doc.Generated), Program: doc.Tool.Name + " " + doc.Tool.Version,
			}.Statement(reports...)
		}},
	} {
		statement, err := s.make()
		if err != nil {
			return nil, nil, fmt.Errorf("state %s: %w", s.name, err)
		}
		envelope, digest, err := signer.Sign(statement)
		if err != nil {
			return nil, nil, err
		}
		envelopes[s.name], digests = envelope, append(digests, digest)
	}
	return envelopes, digests, nil
}

// testResult sums up what was measured, one test for each area.
func testResult(doc *report.Document) evidence.TestResult {
	var tests []evidence.Test
	add := func(name string, verdict tallystick.Verdict) {
		if verdict != "" {
			tests = append(tests, evidence.Test{Name: name, Verdict: verdict})
		}
	}
	add("quality", doc.Quality.Verdict)
	if doc.Contract != nil {
		add("contract", doc.Contract.Verdict)
	}
	if doc.Drift != nil {
		add("drift", doc.Drift.Verdict)
	}
	if doc.Fairness != nil {
		for _, s := range doc.Fairness.Summaries {
			add("fairness of "+s.Attribute, s.Verdict)
		}
	}
	if doc.Baseline != nil {
		for _, m := range doc.Baseline.Metrics {
			add(m.Metric+" against the "+doc.Baseline.Source, m.Verdict)
		}
	}
	for _, w := range doc.Windows {
		add("window "+w.Label, w.Verdict)
	}
	var configuration []verify.ResourceDescriptor
	if doc.Reference != nil {
		configuration = append(configuration, verify.Resource("reference", doc.Reference.Digest))
	}
	if doc.Labels != nil {
		configuration = append(configuration, verify.Resource("labels", doc.Labels.Digest))
	}
	if doc.Contract != nil {
		configuration = append(configuration, verify.Resource("contract", doc.Contract.Contract))
	}
	return evidence.NewTestResult(configuration, tests)
}

func gatePredicate(doc *report.Document) evidence.Gate {
	g := evidence.Gate{
		Verdict: doc.Gate.Verdict, Tier: doc.Gate.Tier, Decided: evidence.Timestamp(doc.Generated), Engine: doc.Gate.Engine,
		Pack: doc.Gate.Pack, Policy: doc.Gate.Policy, Input: doc.Gate.Input, PolicyIsOwn: doc.Gate.Modified,
	}
	for _, r := range doc.Gate.Rules {
		g.Rules = append(g.Rules, evidence.GateRule{
			ID: r.ID, Severity: r.Severity, Blocking: r.Blocking, Status: string(r.Status), Message: r.Message, Controls: r.Controls,
		})
	}
	return g
}

// policyFiles are the files of a pack as the bundle names them.
func policyFiles(pack *policy.Pack) []verify.File {
	var files []verify.File
	for _, f := range pack.Files() {
		files = append(files, verify.File{Name: "policy/" + f.Name, Data: f.Data})
	}
	return files
}
