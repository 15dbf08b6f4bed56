package demo

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	mathrand "math/rand/v2"
	"path/filepath"
	"strings"
	"time"

	"github.com/tallystick/tallystick/internal/durable"
)

// registered writes the data and the model, and registers both.
func (s *stage) registered(ctx context.Context) (sentence, page string, err error) {
	data := sample{
		random: mathrand.New(mathrand.NewPCG(1, 2026)), //nolint:gosec // the same data for everybody
		start:  time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC),
	}
	if err := data.write(s.path("data")); err != nil {
		return "", "", err
	}
	for _, version := range []string{"1", "2"} {
		if err := s.write(filepath.Join("data", "model-"+version, "weights.json"), `{"version": `+version+`, "weights": [-1.4, 4, -1.8, -0.002]}`); err != nil {
			return "", "", err
		}
	}
	var model struct {
		Result struct {
			Tier   string
			Reason string `json:"tier_reason"`
		}
	}
	if err := s.must(ctx, author, &model, "model", "register", "credit", "--owner", author, "--sre-owner", operator, "--purpose", "score loan applications",
		"--acceptable-use", "a person decides; not for pricing", "--answer", "financial_effect=major", "--answer", "safety=none", "--answer", "sensitive_data=personal",
		"--answer", "reach=customers", "--answer", "regulated_market=yes", "--answer", "automated_decision=reviewed"); err != nil {
		return "", "", err
	}
	return "The author registers credit@1. Tier " + model.Result.Reason + ".", versionPage, s.all(ctx, author, [][]string{
		s.version("1", "the first"),
		{"dataset", "register", "applications", "--owner", author, "--source", "warehouse.applications", "--privacy", "income=masked,age=masked"},
		{"snapshot", "register", "applications@2026-04", s.path("data", "reference.csv"), "--source", "warehouse.applications"},
		{"snapshot", "use", "applications@2026-04", "credit@1", "--role", "training"},
	})
}

// version is the command that registers a version with all that tier high asks for.
func (s *stage) version(name, changelog string) []string {
	return []string{
		"register", "credit@" + name, s.path("data", "model-"+name), "--upload", "--changelog", changelog, "--justification", "loans need a score",
		"--training-cutoff", "2026-04-30", "--metric", "roc_auc=0.80,n=24000", "--sample", "train=24000", "--commit", strings.Repeat("4f2a9c1d", 5),
		"--libraries", s.path("data", "requirements.txt"), "--threshold", "roc_auc=below:0.7", "--seed", "numpy=1", "--image", "sha256:" + strings.Repeat("77aa", 16),
		"--hardware", "4 cores, 16 GiB",
	}
}

// audit is the command that audits a version on one of the made-up files.
func (s *stage) audit(version, file string) []string {
	return []string{
		"audit", s.path("data", file), "--reference", s.path("data", "reference.csv"), "--contract", s.path("data", "contract.yaml"),
		"--label", "defaulted", "--prediction", "rejected", "--score", "probability", "--favourable", "negative",
		"--group", "sex,age_band", "--id", "application", "--time", "applied_at", "--window", "1mo",
		"--model", "credit@" + version, "--out", s.path("audit-" + version),
	}
}

// denied asks the gate while nearly everything is missing.
func (s *stage) denied(ctx context.Context) (sentence, page string, err error) {
	d, err := s.gate(ctx, "credit@1")
	if err != nil {
		return "", "", err
	}
	shut := d.shut()
	if len(shut) < 10 || d.row("evidence.owed").Status != "fail" {
		return "", "", fmt.Errorf("the gate should be shut for want of evidence, and says: %s", d.Decision.Words)
	}
	return fmt.Sprintf("The gate denies: %d of %d rules keep it shut. %s", len(shut), len(d.Decision.Rules), d.row("evidence.owed").Message), versionPage, nil
}

// withoutConsent shows the data set to which nobody has given a basis, and gives it one.
func (s *stage) withoutConsent(ctx context.Context) (sentence, page string, err error) {
	d, err := s.gate(ctx, "credit@1")
	if err != nil {
		return "", "", err
	}
	row := d.row("data.consent")
	if row.Status != "fail" || !strings.Contains(row.Message, "applications@2026-04") {
		return "", "", fmt.Errorf("data without a basis passes: %s: %s", row.Status, row.Message)
	}
	if err := s.must(ctx, author, nil, "dataset", "update", "applications", "--basis", "contract"); err != nil {
		return "", "", err
	}
	if d, err = s.gate(ctx, "credit@1"); err != nil {
		return "", "", err
	}
	if now := d.row("data.consent"); now.Status != "pass" {
		return "", "", fmt.Errorf("data with a basis are denied: %s", now.Message)
	}
	return "Data without consent are blocked. " + row.Message + " The author names the contract with the applicant, and that rule passes.", versionPage, nil
}

// evidence produces what is owed, each by the command that the gate named.
func (s *stage) evidence(ctx context.Context) (sentence, page string, err error) {
	key, public := s.path("people", author, "key.pem"), s.path("data", "author.pub")
	if err := newKey(key, public); err != nil {
		return "", "", err
	}
	for name, content := range map[string]string{
		"card.md": "# Credit\n\nScores loan applications between 1,000 and 50,000. A person decides.\n", "risk-record.md": "# Risks\n\nIncomes in wrong units: the audit watches them.\n",
		"impact-assessment.md": "# Impact\n\nApplicants who are refused can ask for a person.\n", "monitoring-plan.md": "# Plan\n\nDrift, fairness and performance by month; the operator acts.\n",
		"vulnerabilities.json": `{"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "vulnerabilities": []}`,
	} {
		if err := s.write(filepath.Join("data", name), content); err != nil {
			return "", "", err
		}
	}
	contract, model := s.path("data", "contract.yaml"), s.path("data", "model-1")
	if got, err := s.run(ctx, author, "criteria", "commit", contract); err != nil || got.code != 0 {
		return "", "", fmt.Errorf("criteria commit: exit code %d: %s: %w", got.code, got.complaint(), err)
	}
	trust := s.path("data", "author-laptop.json")
	if got, err := s.run(ctx, author, "trust", "-o", trust); err != nil || got.code != 0 {
		return "", "", fmt.Errorf("trust: exit code %d: %s: %w", got.code, got.complaint(), err)
	}
	if err := s.all(ctx, admin, [][]string{{"signer", "add", "author-laptop", trust}, {"signer", "add", "author-key", public}}); err != nil {
		return "", "", err
	}
	if err := s.all(ctx, author, [][]string{
		s.audit("1", "sound.csv"),
		{"model", "scan", model, "--model", "credit@1"},
		{"model", "sign", model, "--key", key, "--signature", s.path("data", "credit-1.sig"), "--model", "credit@1"},
		{"evidence", "attach", "credit@1", s.path("data", "vulnerabilities.json"), "--kind", "vulnerabilities", "--sign"},
		{"evidence", "attach", "credit@1", s.path("audit-1", "report.json"), "--kind", "baseline", "--sign"},
		{"evidence", "attach", "credit@1", s.path("data", "card.md"), "--kind", "document", "--name", "model-card", "--sign"},
		{"evidence", "attach", "credit", s.path("data", "risk-record.md"), "--kind", "document", "--name", "risk-record", "--sign"},
		{"evidence", "attach", "credit", s.path("data", "impact-assessment.md"), "--kind", "document", "--name", "impact-assessment", "--sign"},
		{"evidence", "attach", "credit", s.path("data", "monitoring-plan.md"), "--kind", "document", "--name", "monitoring-plan", "--sign"},
	}); err != nil {
		return "", "", err
	}
	d, err := s.gate(ctx, "credit@1")
	if err != nil {
		return "", "", err
	}
	if shut := d.shut(); len(shut) != 1 || shut[0] != "release.approvals" {
		return "", "", fmt.Errorf("after all evidence approvals alone should be missing, and the gate says: %s", d.Decision.Words)
	}
	return "The author audits, scans, signs and documents it. Now one rule alone keeps the gate shut. " + d.row("release.approvals").Message, versionPage, nil
}

// newKey writes a key pair for signing models.
func newKey(private, public string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	open, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return err
	}
	if err := durable.WriteFile(private, 0o600, text(string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})))); err != nil {
		return err
	}
	return durable.WriteFile(public, 0o644, text(string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: open}))))
}
