package obligation

import (
	"strings"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
)

// kind is a type of evidence: how it is found on record, how long it counts, who owes it, and what
// produces it. A document that is attached under the name of the type, with dashes for dots, counts for
// every one of them.
type kind struct {
	id      string
	noun    string
	facts   []string // where it is found, see readings
	ofModel bool     // one of the model as a whole counts for a version
	owed    string   // item of the catalog whose term counts here too
	days    [3]int   // otherwise: for how many days it counts at tier low, limited and high; 0: for ever
	who     Role
	needs   []string // conditions
	command string   // that produces it; empty: it is attached
	// without is why it is no lack that there is none, for what comes only when there is an occasion.
	without string
}

// Role says who owes evidence.
type Role string

// Who owes evidence.
const (
	Owner     Role = "owner"
	SRE       Role = "SRE co-owner"
	Data      Role = "data owner"
	Validator Role = "validator"
	Approver  Role = "approver"
	Operator  Role = "operator"
	Admin     Role = "administrator"
	Privacy   Role = "privacy officer"
	Security  Role = "security officer"
	Legal     Role = "legal counsel"
)

// Roles returns who may owe evidence.
func Roles() []Role {
	return []Role{Owner, SRE, Data, Validator, Approver, Operator, Admin, Privacy, Security, Legal}
}

const ofVersion = "MODEL@VERSION"

const runCommand = "tallystick run --model MODEL@VERSION --input FILE -- COMMAND"

const auditCommand = "tallystick audit FILE --model MODEL --version VERSION --tier TIER"

// kinds is the one table of types of evidence, in the order of the catalogue.
func kinds() []kind {
	year := [3]int{0, 365, 365}
	return []kind{
		{id: "model.registered", noun: "registration with purpose and risk answers", facts: []string{"model"}, ofModel: true, who: Owner, command: "tallystick model update MODEL --purpose TEXT --answer QUESTION=OPTION"},
		{id: "artifact.digest", noun: "digest and signature of the files", facts: []string{"files"}, who: Owner, command: "tallystick register MODEL@VERSION PATH"},
		{id: "artifact.scan", noun: "scan of the files", facts: []string{"evidence:scan"}, owed: "scan", who: Security, command: "tallystick model scan PATH --model MODEL@VERSION"},
		{id: "dataset.snapshot", noun: "data snapshot with its basis", facts: []string{"snapshot"}, who: Data, command: "tallystick snapshot register DATASET@NAME FILE && tallystick run --model MODEL@VERSION --input FILE -- COMMAND"},
		{id: "dataset.quality", noun: "data against its contract", facts: []string{"evidence:data_check"}, owed: "data-check", who: Data, command: "tallystick audit FILE --model MODEL --version VERSION --contract CONTRACT"},
		{id: "lineage.edge", noun: "lineage", facts: []string{"lineage"}, who: Data, command: runCommand},
		{id: "run.env", noun: "training run and its environment", facts: []string{"run"}, who: Owner, command: runCommand},
		{id: "criteria.precommit", noun: "thresholds fixed before the test", facts: []string{"evidence:criteria"}, who: Validator, command: "tallystick criteria commit CONTRACT && tallystick audit FILE --model MODEL --version VERSION --contract CONTRACT"},
		{id: "eval.report", noun: "test report", facts: []string{"evidence:evaluation"}, owed: "evaluation", who: Validator, command: auditCommand},
		{id: "fairness.report", noun: "fairness report", facts: []string{"evidence:evaluation/fairness", "groups"}, owed: "evaluation", who: Validator, command: auditCommand + " --group COLUMN"},
		{id: "robustness.report", noun: "robustness report", facts: []string{"evidence:evaluation/robustness"}, days: year, who: Validator, command: "tallystick evidence attach MODEL@VERSION FILE --kind evaluation --name robustness"},
		{id: "explain.report", noun: "report of explanations", days: year, who: Owner},
		{id: "replay.report", noun: "report of a reproduction", who: Validator},
		{id: "risk.record", noun: "risk record", ofModel: true, owed: "risk-record", who: Owner},
		{id: "impact.assessment", noun: "impact assessment", ofModel: true, owed: "impact-assessment", who: Privacy},
		{id: "policy.version", noun: "policy in force", facts: []string{"policy"}, who: Admin, command: auditCommand},
		{id: "gate.decision", noun: "decision of the gate", facts: []string{"gate"}, who: Owner, command: "tallystick gate MODEL@VERSION --to ENVIRONMENT"},
		{id: "approval.decision", noun: "approval by somebody else", facts: []string{"review"}, who: Approver, command: "tallystick release request MODEL@VERSION --to ENVIRONMENT --reason TEXT && tallystick release approve REQUEST --comment TEXT"},
		{id: "waiver.granted", noun: "waiver", facts: []string{"waiver"}, who: Approver, without: "no rule was waived for this version", command: "tallystick waiver request MODEL@VERSION --to ENVIRONMENT --rule RULE --owner NAME --reason TEXT --control TEXT --expires DATE"},
		{id: "deploy.event", noun: "deployment", facts: []string{"assignment", "deployment"}, who: SRE, command: "tallystick release promote REQUEST"},
		{id: "change.record", noun: "record of the change", facts: []string{"change"}, who: Owner, command: "tallystick register MODEL@VERSION PATH --changelog TEXT"},
		{id: "access.event", noun: "recorded access", facts: []string{"access"}, ofModel: true, who: SRE, command: "tallystick download MODEL@VERSION"},
		{id: "access.review", noun: "review of entitlements", ofModel: true, days: [3]int{365, 365, 180}, who: Security},
		{id: "breakglass.session", noun: "record of emergency access", ofModel: true, days: year, who: Security},
		{id: "inference.record", noun: "records of inferences", days: year, who: SRE},
		{id: "human.review", noun: "review of outputs by people", days: year, who: Operator},
		{id: "oversight.action", noun: "record of an override or stop", ofModel: true, days: year, who: Operator},
		{id: "monitor.plan", noun: "monitoring plan", facts: []string{"evidence:document/monitoring-plan"}, ofModel: true, owed: "monitoring-plan", who: SRE, command: "tallystick evidence attach MODEL FILE --kind document --name monitoring-plan"},
		{id: "monitor.result", noun: "results of monitoring", days: [3]int{365, 180, 90}, who: SRE},
		{id: "incident.record", noun: "record of incidents", ofModel: true, days: year, who: SRE},
		{id: "incident.report", noun: "report of an incident to an authority", ofModel: true, days: year, who: Legal},
		{id: "freeze.record", noun: "freeze", facts: []string{"freeze"}, ofModel: true, who: Operator, without: "nothing had to be frozen", command: "tallystick release freeze --model MODEL --reason TEXT"},
		{id: "concern.record", noun: "record of complaints and concerns", ofModel: true, days: year, who: Owner},
		{id: "notice.record", noun: "notice to those concerned", ofModel: true, who: Legal},
		{id: "doc.techfile", noun: "technical documentation", facts: []string{"evidence:document/technical-documentation"}, ofModel: true, days: [3]int{0, 0, 365}, who: Owner},
		{id: "doc.ifu", noun: "instructions for use or model card", facts: []string{"evidence:document/model-card", "evidence:document/instructions-for-use"}, ofModel: true, owed: "model-card", who: Owner, command: "tallystick evidence attach MODEL FILE --kind document --name model-card"},
		{id: "doc.declaration", noun: "declaration of conformity", ofModel: true, who: Legal},
		{id: "log.checkpoint", noun: "signed checkpoint of the ledger", facts: []string{"checkpoint"}, who: Admin, command: "tallystick verify"},
		{id: "retention.action", noun: "retention and legal holds", ofModel: true, days: year, who: Privacy},
		{id: "erasure.action", noun: "record of erasures", ofModel: true, days: year, who: Privacy, needs: []string{"personal-data"}},
		{id: "record.processing", noun: "record of processing", ofModel: true, days: year, who: Privacy, needs: []string{"personal-data"}},
		{id: "vendor.record", noun: "evidence of the supplier", facts: []string{"evidence:supplier"}, ofModel: true, owed: "supplier", who: Owner, needs: []string{"third-party"}, command: "tallystick evidence attach MODEL@VERSION FILE --kind supplier"},
		{id: "training.record", noun: "record of training of people", ofModel: true, days: year, who: Owner},
		{id: "kpi.report", noun: "report of key figures", ofModel: true, days: year, who: Owner},
		{id: "bundle.export", noun: "exported evidence package", facts: []string{"bundle"}, ofModel: true, days: year, who: Validator, command: "tallystick bundle export MODEL --for AUDITOR"},
	}
}

// name returns the name under which a document is attached to be evidence of the kind.
func (k kind) name() string { return strings.ReplaceAll(k.id, ".", "-") }

// term returns for how long evidence of the kind counts at a tier; zero means for ever.
func (k kind) term(tier tallystick.Tier, owed map[string]catalog.Owed) time.Duration {
	if o, known := owed[k.owed]; known {
		term, _ := o.Term(tier)
		return term
	}
	days := map[tallystick.Tier]int{tallystick.TierLow: k.days[0], tallystick.TierLimited: k.days[1], tallystick.TierHigh: k.days[2]}
	return time.Duration(days[tier]) * 24 * time.Hour
}

// commandFor returns the command that puts evidence of the kind on record.
func (k kind) commandFor(m catalog.Model, version string) string {
	command := k.command
	if command == "" {
		of := ofVersion
		if k.ofModel {
			of = "MODEL"
		}
		command = "tallystick evidence attach " + of + " FILE --kind document --name " + k.name()
	}
	if version == "" {
		version = "VERSION"
	}
	return strings.NewReplacer("MODEL", m.Name, "VERSION", version, "TIER", string(m.Tier)).Replace(command)
}

// owes returns who owes the evidence: the role, and the name of whoever has it, if anybody is named.
func (k kind) owes(m catalog.Model) (role Role, name string) {
	switch k.who {
	case Owner:
		return k.who, m.Owner
	case SRE:
		return k.who, m.SREOwner
	case Data:
		return k.who, orElse(m.PhaseOwners["collection"], m.Owner)
	case Validator:
		return k.who, m.PhaseOwners["evaluation"]
	case Operator:
		return k.who, m.PhaseOwners["deployment"]
	}
	return k.who, ""
}

func orElse(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
