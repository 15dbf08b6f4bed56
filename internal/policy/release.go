package policy

import (
	"encoding/json"
	"time"

	"github.com/tallystick/tallystick"
)

// Release is what is to be released: the facts about version, people, evidence and place that the
// rules about releases read. A list may be empty but is there, and a nil pointer is written as
// null, because a field that is missing denies.
type Release struct {
	Request      string             `json:"request"` // id; empty for a question without a request
	Kind         string             `json:"kind"`    // promotion or rollback
	Role         string             `json:"role"`    // champion, canary, challenger or shadow
	Environment  ReleaseEnvironment `json:"environment"`
	Version      ReleaseVersion     `json:"version"`
	Authors      []Person           `json:"authors"` // with what each did: registered, requested, minted a token
	Owed         []OwedEvidence     `json:"owed"`
	Audit        *AuditFact         `json:"audit"` // the audit that Input.Report is of; null if there is none
	Artifacts    []ArtifactFact     `json:"artifacts"`
	Data         []DataFact         `json:"data"`
	Dependencies Dependencies       `json:"dependencies"`
	Approvals    []Approval         `json:"approvals"`
	Champion     *ChampionFact      `json:"champion"` // null if nothing serves there
	Findings     []FindingFact      `json:"findings"` // open ones of the version or its model
	Budget       *BudgetFact        `json:"budget"`   // null if nothing is measured
	Purpose      string             `json:"purpose"`  // of the model
}

// The kinds of a release.
const (
	Promotion = "promotion"
	Rollback  = "rollback"
)

// ReleaseEnvironment is where the version would serve.
type ReleaseEnvironment struct {
	Name       string `json:"name"`
	Strictness string `json:"strictness"` // free, checked or gated
	Residency  string `json:"residency"`
}

// ReleaseVersion is the version that would serve.
type ReleaseVersion struct {
	Digest     tallystick.Digest `json:"digest"` // of its manifest; empty for a draft
	Root       tallystick.Digest `json:"root"`   // OpenSSF Model Signing's, of the same files
	State      string            `json:"state"`  // draft, registered, deprecated or withdrawn
	ThirdParty bool              `json:"third_party"`
	CodeCommit string            `json:"code_commit"`
	Image      tallystick.Digest `json:"image"`
	Lacks      []string          `json:"lacks"` // mandatory metadata that is missing
	Age        int64             `json:"age"`   // whole seconds since it was made known
	// Served are the releases of this very digest that the gate let into the same environment, newest
	// first: a rollback goes to one of them.
	Served []ServedFact `json:"served"`
}

// ServedFact is a time during which the version served.
type ServedFact struct {
	From     time.Time         `json:"from"`
	Until    *time.Time        `json:"until"`    // null while it does
	Decision tallystick.Digest `json:"decision"` // digest of the decision that let it in; empty if none did
	Verdict  string            `json:"verdict"`  // of that decision
}

// Person is somebody and what they did.
type Person struct {
	ID      string `json:"id"`
	Did     string `json:"did"`     // of an author: registered, requested or minted a token
	Minter  string `json:"minter"`  // who made the token by which it was done; empty if none was
	Service bool   `json:"service"` // a program
}

// OwedEvidence is one thing that the model owes at its tier.
type OwedEvidence struct {
	ID          string            `json:"id"`
	Title       string            `json:"title"`
	Kind        string            `json:"kind"`    // empty if it is owed by what is said of model or version
	State       string            `json:"state"`   // present, missing, stale, other_digest, claimed or revoked
	Verdict     string            `json:"verdict"` // empty if it carries none
	Signer      string            `json:"signer"`  // id of the key; empty if it is not signed
	SignerKnown bool              `json:"signer_known"`
	Subject     tallystick.Digest `json:"subject"`  // empty if it names none
	Produced    *time.Time        `json:"produced"` // null if there is none
	Until       *time.Time        `json:"until"`    // null if it is never stale
	Digest      tallystick.Digest `json:"digest"`   // empty if it is owed by what is said
	Command     string            `json:"command"`  // that produces it
	Controls    []string          `json:"controls"`
}

// AuditFact is the audit that the report is of.
type AuditFact struct {
	Digest       tallystick.Digest `json:"digest"`  // of the evidence
	Verdict      string            `json:"verdict"` // of its gate
	Produced     time.Time         `json:"produced"`
	PolicyDigest tallystick.Digest `json:"policy_digest"`
	DataDigest   tallystick.Digest `json:"data_digest"`
	Rows         int64             `json:"rows"`
	OfThisDigest bool              `json:"of_this_digest"` // it names the digest of the version
}

// ArtifactFact is one file of the version.
type ArtifactFact struct {
	Name   string `json:"name"`
	Format string `json:"format"` // safetensors, onnx, gguf, pickle, ...; empty if nobody looked
	Unsafe bool   `json:"unsafe"`
	Reason string `json:"reason"`
}

// DataFact is a snapshot that the version rests on.
type DataFact struct {
	Dataset           string   `json:"dataset"`
	Snapshot          string   `json:"snapshot"`
	Role              string   `json:"role"`          // training, validation, test or reference
	ConsentBasis      string   `json:"consent_basis"` // empty if nobody said
	ForbiddenPurposes []string `json:"forbidden_purposes"`
	Personal          []string `json:"personal"` // columns that are labelled personal or sensitive
	Masked            []string `json:"masked"`   // those of them that are masked
}

// Dependencies is what the version was built with.
type Dependencies struct {
	Recorded bool                 `json:"recorded"`
	Unpinned []string             `json:"unpinned"` // libraries without an exact version
	Report   *VulnerabilityReport `json:"report"`   // null if there is none
}

// VulnerabilityReport counts the known vulnerabilities of the dependencies.
type VulnerabilityReport struct {
	Digest   tallystick.Digest `json:"digest"`
	Produced time.Time         `json:"produced"`
	Critical int64             `json:"critical"`
	High     int64             `json:"high"`
}

// Approval is what somebody said to the release.
type Approval struct {
	ID       string            `json:"id"`
	Approver Person            `json:"approver"`
	Roles    []string          `json:"roles"`   // that the approver holds now
	Verdict  string            `json:"verdict"` // approve or reject
	Digest   tallystick.Digest `json:"digest"`  // of the version that it is bound to
	At       time.Time         `json:"at"`
	Until    *time.Time        `json:"until"`    // null if it does not expire
	Conflict string            `json:"conflict"` // of interest, as the approver declared it
}

// ChampionFact is the version that serves in the environment now.
type ChampionFact struct {
	Version string            `json:"version"`
	Digest  tallystick.Digest `json:"digest"`
	Since   time.Time         `json:"since"`
}

// FindingFact is an open finding.
type FindingFact struct {
	ID       string     `json:"id"`
	Kind     string     `json:"kind"`
	Severity string     `json:"severity"` // low, medium, high or critical
	Due      *time.Time `json:"due"`      // null if nobody set a date
	Summary  string     `json:"summary"`
}

// BudgetFact is what is left of an error budget: of several, of the one that lets least be tried.
type BudgetFact struct {
	Name      string  `json:"name"`              // of the objective
	Remaining float64 `json:"remaining"`         // as a share, 0 to 1
	Window    string  `json:"window"`            // the period, such as 30d; empty if it was never judged
	Paused    bool    `json:"paused,omitempty"`  // it burns more than twice as fast as planned: no experiments
	Stale     bool    `json:"stale,omitempty"`   // it was not judged for hours, or never
	Verdict   string  `json:"verdict,omitempty"` // of the objective: pass, warn, insufficient or fail
}

// Freeze keeps everything as it is: of one environment or model, or of all where a name is empty.
type Freeze struct {
	ID          string     `json:"id"`
	Environment string     `json:"environment"`
	Model       string     `json:"model"`
	Reason      string     `json:"reason"`
	By          string     `json:"by"`
	From        time.Time  `json:"from"`
	Until       *time.Time `json:"until"` // null until somebody lifts it
}

// MarshalJSON writes empty lists where the fields are nil.
func (r Release) MarshalJSON() ([]byte, error) {
	type plain Release
	r.Version.Lacks, r.Version.Served = listed(r.Version.Lacks), listed(r.Version.Served)
	r.Dependencies.Unpinned = listed(r.Dependencies.Unpinned)
	r.Authors, r.Artifacts, r.Findings = listed(r.Authors), listed(r.Artifacts), listed(r.Findings)
	r.Owed = clean(r.Owed, func(o *OwedEvidence) { o.Controls = listed(o.Controls) })
	r.Approvals = clean(r.Approvals, func(a *Approval) { a.Roles = listed(a.Roles) })
	r.Data = clean(r.Data, func(d *DataFact) {
		d.ForbiddenPurposes, d.Personal, d.Masked = listed(d.ForbiddenPurposes), listed(d.Personal), listed(d.Masked)
	})
	return json.Marshal(plain(r))
}

// listed returns list, and an empty one for nil, which JSON would write as null.
func listed[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// clean returns a copy of list with each element put right.
func clean[T any](list []T, put func(*T)) []T {
	copied := append([]T{}, list...)
	for i := range copied {
		put(&copied[i])
	}
	return copied
}
