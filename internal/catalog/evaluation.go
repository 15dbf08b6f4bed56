package catalog

import (
	"context"
	"fmt"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// AuditCompleted is the change that an audit makes: the gate has judged a version on a file of
// predictions. Model and version must be registered.
type AuditCompleted struct {
	Model      string              `json:"model"`
	Version    string              `json:"version"`
	Data       tallystick.Digest   `json:"data_digest"`
	Policy     tallystick.Digest   `json:"policy_digest"`
	Report     tallystick.Digest   `json:"report_digest"`
	Verdict    tallystick.Verdict  `json:"verdict"`
	Statements []tallystick.Digest `json:"statements,omitempty"`
	Labels     tallystick.Digest   `json:"labels_digest,omitempty"`
	Reference  tallystick.Digest   `json:"reference_digest,omitempty"`
	Contract   tallystick.Digest   `json:"contract_digest,omitempty"`
	Criteria   tallystick.Digest   `json:"criteria_digest,omitempty"` // if they were committed before
	Rows       int64               `json:"rows,omitempty"`
	Tier       tallystick.Tier     `json:"tier,omitempty"`   // that chose the policy
	Signer     string              `json:"signer,omitempty"` // key that signed the statements
	Options    map[string]any      `json:"options,omitempty"`
	Files      []string            `json:"files,omitempty"` // paths
}

// Subject returns the version.
func (a *AuditCompleted) Subject() (trail.Type, trail.Resource) {
	return trail.AuditCompleted, trail.Resource{Type: "version", ID: a.Model + "@" + a.Version}
}

// Apply adds the evaluation, and the evidence that it is: of the version, of its data if there was a
// contract, and of thresholds that came first.
func (a *AuditCompleted) Apply(tx *state.Tx, at trail.Mark) error {
	_, err := tx.Exec("INSERT INTO evaluations (id, model, version, data_digest, report_digest, policy_digest, verdict, event) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		at.ID, a.Model, a.Version, string(a.Data), string(a.Report), string(a.Policy), string(a.Verdict), int64(at.Sequence))
	if err != nil {
		return fmt.Errorf("insert evaluation: %w", err)
	}
	for _, e := range []struct {
		kind    EvidenceKind
		digest  tallystick.Digest
		verdict tallystick.Verdict
		is      bool
	}{
		{EvaluationEvidence, a.Report, a.Verdict, true},
		{DataCheckEvidence, a.Report, "", a.Contract != ""},
		{CriteriaEvidence, a.Criteria, "", a.Criteria != ""},
	} {
		if !e.is {
			continue
		}
		err := insertEvidence(tx, at, Evidence{ID: at.ID + "-" + string(e.kind), Model: a.Model, Version: a.Version, EvidenceDetails: EvidenceDetails{
			Kind: e.kind, Name: "audit", Digest: e.digest, Signer: a.Signer, Verdict: e.verdict,
		}})
		if err != nil {
			return err
		}
	}
	return nil
}

// FirstEvaluation returns the sequence of the first recorded audit of the data, 0 if there is none.
func (c *Catalog) FirstEvaluation(ctx context.Context, data tallystick.Digest) (sequence uint64, err error) {
	err = c.db.Read(ctx, func(tx *state.Tx) error {
		return tx.QueryRow("SELECT coalesce(min(event), 0) FROM evaluations WHERE data_digest = ?", string(data)).Scan(&sequence)
	})
	if err != nil {
		return 0, fmt.Errorf("find the first audit of %s: %w", data.Short(), err)
	}
	return sequence, nil
}
