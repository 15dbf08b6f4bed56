package catalog

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

// EvidenceKind says what evidence is about.
type EvidenceKind string

// The kinds of evidence.
const (
	EvaluationEvidence    EvidenceKind = "evaluation"      // a judged audit, or a report of another system
	DataCheckEvidence     EvidenceKind = "data_check"      // data against its contract
	CriteriaEvidence      EvidenceKind = "criteria"        // thresholds that were fixed before the audit
	ScanEvidence          EvidenceKind = "scan"            // what is in the files
	VulnerabilityEvidence EvidenceKind = "vulnerabilities" // that are known of its libraries
	SignatureEvidence     EvidenceKind = "signature"       // over the files
	BaselineEvidence      EvidenceKind = "baseline"        // metrics and distributions to compare with later
	SupplierEvidence      EvidenceKind = "supplier"        // of whoever supplies a third-party model
	DocumentEvidence      EvidenceKind = "document"        // named: impact-assessment, model-card, ...
	TicketEvidence        EvidenceKind = "ticket"          // a decision in another system
	NoteEvidence          EvidenceKind = "note"            // of a reviewer
)

func evidenceKinds() []EvidenceKind {
	return []EvidenceKind{
		EvaluationEvidence, DataCheckEvidence, CriteriaEvidence, ScanEvidence, VulnerabilityEvidence, SignatureEvidence,
		BaselineEvidence, SupplierEvidence, DocumentEvidence, TicketEvidence, NoteEvidence,
	}
}

// EvidenceDetails are what is said of a piece of evidence. What it says itself lies in the store of
// evidence, by digest.
type EvidenceDetails struct {
	Kind          EvidenceKind       `json:"kind" enum:"evaluation,data_check,criteria,scan,vulnerabilities,signature,baseline,supplier,document,ticket,note"`
	Name          string             `json:"name,omitempty" doc:"which document, such as impact-assessment; of other kinds it may say which tool"`
	Digest        tallystick.Digest  `json:"evidence_digest,omitempty" doc:"digest of the evidence; needed by all kinds but ticket and note"`
	PredicateType string             `json:"predicate_type,omitempty" doc:"in-toto predicate type, if it is a statement"`
	Signer        string             `json:"signer,omitempty" doc:"id of the key that signed it"`
	Subject       tallystick.Digest  `json:"subject_digest,omitempty" doc:"digest of what it is about: a version's digest or its OpenSSF root"`
	Verdict       tallystick.Verdict `json:"verdict,omitempty" enum:"pass,warn,fail,inconclusive,insufficient"`
	ProducedMS    int64              `json:"produced_ms,omitempty" doc:"when it was produced, milliseconds since 1970; the time of its recording if absent"`
	UntilMS       int64              `json:"until_ms,omitempty" doc:"until when it says that it counts; what the tier says can be earlier"`
	System        string             `json:"system,omitempty" doc:"system in which a ticket lies"`
	Reference     string             `json:"reference,omitempty" doc:"id or address of the ticket or document there"`
	Note          string             `json:"note,omitempty" doc:"what a reviewer noted"`
}

// Evidence is a piece of evidence on record.
type Evidence struct {
	ID      string `json:"id" doc:"id of the event that recorded it; several of one event have the kind behind it"`
	Model   string `json:"model"`
	Version string `json:"version,omitempty" doc:"absent if it is about the model"`
	EvidenceDetails
	Recorded time.Time `json:"recorded"`
	Event    uint64    `json:"event" doc:"sequence of the event that recorded it"`
}

// OfAudit reports whether an audit of this installation itself recorded the evidence: no client can say so.
func (e Evidence) OfAudit() bool { return strings.HasSuffix(e.ID, "-"+string(e.Kind)) }

// EvidenceAttachment asks to put evidence on record. Version is empty if it is about the model.
type EvidenceAttachment struct {
	Model, Version string
	Details        EvidenceDetails
}

// future is how far the clock of whoever produces evidence may be ahead of ours.
const future = 5 * time.Minute

// AttachEvidence proposes to put evidence of a model or a version on record. The same evidence again
// is nothing to do.
func (c *Catalog) AttachEvidence(tx *state.Tx, a EvidenceAttachment) (trail.Change, error) {
	if _, err := model(tx, a.Model); err != nil {
		return nil, err
	}
	if a.Version != "" {
		if _, err := findVersion(tx, a.Model, a.Version); err != nil {
			return nil, err
		}
	}
	if err := a.Details.validate(tx.Now()); err != nil {
		return nil, fmt.Errorf("evidence of %s: %w", nameOf(a.Model, a.Version), err)
	}
	if a.Details.Digest != "" {
		var known bool
		err := tx.QueryRow(`SELECT EXISTS (SELECT 1 FROM evidence WHERE digest = ? AND model = ? AND version = ? AND kind = ? AND name = ? AND verdict = ? AND subject = ?)`,
			string(a.Details.Digest), a.Model, a.Version, string(a.Details.Kind), a.Details.Name, string(a.Details.Verdict), string(a.Details.Subject)).Scan(&known)
		if err != nil {
			return nil, fmt.Errorf("look for evidence %s: %w", a.Details.Digest.Short(), err)
		}
		if known {
			return nil, nil
		}
	}
	return &EvidenceAttached{Model: a.Model, Version: a.Version, EvidenceDetails: a.Details}, nil
}

func (d EvidenceDetails) validate(now time.Time) error {
	if !slices.Contains(evidenceKinds(), d.Kind) {
		return tallystick.Errorf(tallystick.Invalid, "evidence kind %q is not known", string(d.Kind)).
			WithHint("use one of %s", list(evidenceKinds(), func(k EvidenceKind) string { return string(k) }))
	}
	switch {
	case d.Kind == TicketEvidence && (d.System == "" || d.Reference == ""):
		return tallystick.Errorf(tallystick.Invalid, "a ticket has no system or no reference").WithHint("say where it lies: --system NAME --reference ID")
	case d.Kind == NoteEvidence && d.Note == "":
		return tallystick.Errorf(tallystick.Invalid, "a note says nothing")
	case d.Kind == DocumentEvidence && d.Name == "":
		return tallystick.Errorf(tallystick.Invalid, "a document has no name").WithHint("say which it is, such as --name impact-assessment")
	case d.Digest == "" && d.Kind != TicketEvidence && d.Kind != NoteEvidence:
		return tallystick.Errorf(tallystick.Invalid, "evidence of kind %s has no digest", d.Kind).WithHint("give the file, or its digest if it lies elsewhere")
	case d.ProducedMS < 0 || d.UntilMS < 0 || d.ProducedMS > now.Add(future).UnixMilli():
		return tallystick.Errorf(tallystick.Invalid, "evidence of kind %s is produced in the future, or before 1970", d.Kind)
	case d.UntilMS != 0 && d.UntilMS < d.ProducedMS:
		return tallystick.Errorf(tallystick.Invalid, "evidence of kind %s counts until before it was produced", d.Kind)
	}
	if d.Name != "" {
		if err := tallystick.ValidateName("evidence", d.Name); err != nil {
			return err
		}
	}
	for _, digest := range []tallystick.Digest{d.Digest, d.Subject} {
		if digest != "" {
			if err := digest.Validate(); err != nil {
				return err
			}
		}
	}
	if d.Verdict != "" {
		if err := d.Verdict.Validate(); err != nil {
			return err
		}
	}
	for _, text := range []struct {
		what, text string
		limit      int
	}{
		{"predicate type", d.PredicateType, maxPerson}, {"signer", d.Signer, maxPerson}, {"system", d.System, maxPerson},
		{"reference", d.Reference, maxReference}, {"note", d.Note, maxWords},
	} {
		if err := tallystick.ValidateText(text.what, text.text, text.limit); err != nil {
			return err
		}
	}
	return nil
}

const maxReference = 768 // it is indexed together with the system

// EvidenceAttached is the change that puts evidence on record.
type EvidenceAttached struct {
	Model   string `json:"model"`
	Version string `json:"version,omitempty"`
	EvidenceDetails
}

// Subject returns the version, or the model if the evidence is about that.
func (c *EvidenceAttached) Subject() (trail.Type, trail.Resource) {
	if c.Version == "" {
		return trail.EvidenceAttached, modelResource(c.Model)
	}
	return trail.EvidenceAttached, versionResource(c.Model, c.Version)
}

// Apply adds the evidence.
func (c *EvidenceAttached) Apply(tx *state.Tx, at trail.Mark) error {
	return insertEvidence(tx, at, Evidence{ID: at.ID, Model: c.Model, Version: c.Version, EvidenceDetails: c.EvidenceDetails})
}

const evidenceColumns = `id, model, version, kind, name, digest, predicate_type, signer, subject, verdict, produced_ms, until_ms,
	system, reference, note, created_ms, event`

func insertEvidence(tx *state.Tx, at trail.Mark, e Evidence) error {
	if e.ProducedMS == 0 {
		e.ProducedMS = at.Time.UnixMilli()
	}
	_, err := tx.Exec("INSERT INTO evidence ("+evidenceColumns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		e.ID, e.Model, e.Version, string(e.Kind), e.Name, string(e.Digest), e.PredicateType, e.Signer, string(e.Subject), string(e.Verdict),
		e.ProducedMS, e.UntilMS, e.System, e.Reference, e.Note, at.Time.UnixMilli(), int64(at.Sequence))
	if err != nil {
		return fmt.Errorf("insert evidence: %w", err)
	}
	if e.Kind != EvaluationEvidence {
		return nil
	}
	_, err = tx.Exec("UPDATE models SET evaluated_ms = ? WHERE name = ? AND latest_version = ? AND evaluated_ms < ?", e.ProducedMS, e.Model, e.Version, e.ProducedMS)
	return err
}

func scanEvidence(row state.Scanner) (Evidence, error) {
	var e Evidence
	var recorded int64
	err := row.Scan(&e.ID, &e.Model, &e.Version, &e.Kind, &e.Name, &e.Digest, &e.PredicateType, &e.Signer, &e.Subject, &e.Verdict,
		&e.ProducedMS, &e.UntilMS, &e.System, &e.Reference, &e.Note, &recorded, &e.Event)
	e.Recorded = moment(recorded)
	return e, err
}

func nameOf(model, version string) string {
	if version == "" {
		return model
	}
	return model + "@" + version
}

// EvidenceFilter chooses evidence. One of Model, Digest and System with Reference must be given.
type EvidenceFilter struct {
	Model     string
	Version   string            // of that model
	Kind      EvidenceKind      // of that model
	Digest    tallystick.Digest // of the evidence
	System    string            // with Reference: a ticket of another system
	Reference string
	Before    uint64 // sequence of an event, exclusive; for the next page
	Limit     int    // 0 means 100; at most 1,000
}

// maxPieces bounds the pieces of one kind that are looked at for one that counts.
const maxPieces = 20

// EvidenceIn returns the newest evidence of a kind about a version, the newest first.
func (c *Catalog) EvidenceIn(tx *state.Tx, model, version string, kind EvidenceKind) ([]Evidence, error) {
	found, err := state.Collect(tx, scanEvidence, "SELECT "+evidenceColumns+" FROM evidence WHERE model = ? AND version = ? AND kind = ? ORDER BY event DESC, id DESC "+state.Limit,
		model, version, string(kind), maxPieces)
	if err != nil {
		return nil, fmt.Errorf("evidence of %s, kind %s: %w", nameOf(model, version), kind, err)
	}
	return found, nil
}

// Evidence returns the evidence that f chooses, the newest first.
func (c *Catalog) Evidence(ctx context.Context, f EvidenceFilter) (found []Evidence, err error) {
	var w where
	w.add(f.Model != "", "model = ?", f.Model)
	w.add(f.Digest != "", "digest = ?", string(f.Digest))
	w.add(f.System != "" && f.Reference != "", "system = ? AND reference = ? AND reference <> ''", f.System, f.Reference)
	if len(w.conditions) == 0 {
		return nil, tallystick.Errorf(tallystick.Invalid, "evidence is looked for by nothing").WithHint("name a model, a digest, or a system and the reference there")
	}
	if f.Digest != "" {
		w.conditions = append(w.conditions, "digest <> ''")
	}
	w.add(f.Version != "", "version = ?", f.Version)
	w.add(f.Kind != "", "kind = ?", string(f.Kind))
	w.add(f.Before > 0, "event < ?", int64(f.Before))
	err = c.db.Read(ctx, func(tx *state.Tx) error {
		found, err = state.Collect(tx, scanEvidence, "SELECT "+evidenceColumns+" FROM evidence WHERE "+w.String()+" ORDER BY event DESC, id DESC "+state.Limit,
			append(w.args, limit(f.Limit))...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("evidence: %w", err)
	}
	return found, nil
}
