package access

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tallystick/tallystick"
)

// Action is something that a principal asks to do. Tokens are scoped by it.
type Action string

// The actions.
const (
	CatalogRead       Action = "catalog.read"
	TrailRead         Action = "trail.read"
	TrailDisclose     Action = "trail.disclose"
	ModelRegister     Action = "model.register"
	ModelUpdate       Action = "model.update"
	ModelRetire       Action = "model.retire"
	VersionRegister   Action = "version.register"
	ArtifactWrite     Action = "artifact.write"
	ArtifactRead      Action = "artifact.read"
	EvidenceAttach    Action = "evidence.attach"
	CriteriaCommit    Action = "criteria.commit"
	AuditRun          Action = "audit.run"
	DataCheck         Action = "data.check"
	DatasetRegister   Action = "dataset.register"
	UsageRuleWrite    Action = "usage_rule.write"
	RunRecord         Action = "run.record"
	LineageRecord     Action = "lineage.record"
	EnvironmentManage Action = "environment.manage"
	DeploymentRecord  Action = "deployment.record"
	AssignmentRecord  Action = "assignment.record"
	PredictionRecord  Action = "prediction.record"
	PredictionRead    Action = "prediction.read"
	PredictionRetain  Action = "prediction.retain"
	PredictionErase   Action = "prediction.erase"
	HoldManage        Action = "hold.manage"
	BodyRuleManage    Action = "body_rule.manage"
	LabelRecord       Action = "label.record"
	CaseRuleManage    Action = "case_rule.manage"
	CaseOpen          Action = "case.open"
	CaseDecide        Action = "case.decide"
	MonitorManage     Action = "monitor.manage"
	WindowJudge       Action = "window.judge"
	VersionCompare    Action = "version.compare"
	AlertManage       Action = "alert.manage"
	ObjectiveManage   Action = "objective.manage"
	ObjectiveJudge    Action = "objective.judge"
	IncidentOpen      Action = "incident.open"
	IncidentWork      Action = "incident.work"
	IncidentClose     Action = "incident.close"
	RunbookManage     Action = "runbook.manage"
	ReactionManage    Action = "reaction.manage"
	ReactionApprove   Action = "reaction.approve"
	RetrainRequest    Action = "retrain.request"
	GateAsk           Action = "gate.ask"
	ReleaseRequest    Action = "release.request"
	ReleaseReview     Action = "release.review"
	ReleasePromote    Action = "release.promote"
	FreezeManage      Action = "freeze.manage"
	WaiverRequest     Action = "waiver.request"
	WaiverReview      Action = "waiver.review"
	SignerManage      Action = "signer.manage"
	FindingWrite      Action = "finding.write"
	FindingClose      Action = "finding.close"
	PolicyChange      Action = "policy.change"
	SettingsChange    Action = "settings.change"
	BundleExport      Action = "bundle.export"
	BackupCreate      Action = "backup.create"
	KeyManage         Action = "key.manage"
	NotifyRead        Action = "notify.read"
	NotifyManage      Action = "notify.manage"
	UserRead          Action = "user.read"
	UserManage        Action = "user.manage"
	TokenCreate       Action = "token.create"
	TokenRevoke       Action = "token.revoke"
	SessionClose      Action = "session.close"
)

// Right is one row of the table: who may carry out an action.
type Right struct {
	Action Action
	Doc    string // what it is, as after "to"
	Roles  []Role // that may, in the order of Roles
}

// rights is the table of role and action, in the order of a model's life. It is the one place in which
// rights are written down, and nothing changes it.
var rights = []Right{
	{CatalogRead, "read models, versions, data, environments, lineage and evidence", Roles()},
	{TrailRead, "read the trail, without what is sealed", Roles()},
	{TrailDisclose, "open sealed fields of events: names, purposes, free text", []Role{Auditor, Admin}},
	{ModelRegister, "register a model, or register a retired one again", []Role{Scientist, Admin}},
	{ModelUpdate, "change what is said of a model: owner, purpose, risk answers", []Role{Scientist, Admin}},
	{ModelRetire, "retire a model", []Role{Scientist, Admin}},
	{VersionRegister, "register a version", []Role{Scientist, Admin, Service}},
	{ArtifactWrite, "upload the files of a version", []Role{Scientist, Admin, Service}},
	{ArtifactRead, "download or load the files of a version", []Role{Scientist, Validator, Operator, Admin, Service}},
	{EvidenceAttach, "attach evidence to a version", []Role{Scientist, Validator, Admin, Service}},
	{CriteriaCommit, "fix thresholds before an audit", []Role{Scientist, Validator, Admin, Service}},
	{AuditRun, "audit a version", []Role{Scientist, Validator, Admin, Service}},
	{DataCheck, "check data against a contract", []Role{Scientist, Validator, Admin, Service}},
	{DatasetRegister, "register data sets and snapshots", []Role{Scientist, Admin, Service}},
	{UsageRuleWrite, "say what a column or feature may be used for", []Role{Validator, Admin}},
	{RunRecord, "record a training run", []Role{Scientist, Admin, Service}},
	{LineageRecord, "record where data, runs and versions came from", []Role{Scientist, Admin, Service}},
	{EnvironmentManage, "create and change environments", []Role{Operator, Admin}},
	{DeploymentRecord, "record a deployment", []Role{Operator, Service}},
	{AssignmentRecord, "record which version serves where", []Role{Operator, Service}},
	{PredictionRecord, "record predictions", []Role{Scientist, Operator, Admin, Service}},
	{PredictionRead, "read what predictions say: inputs, outputs, whom they are about", []Role{Scientist, Validator, Approver, Operator, Auditor, Admin}},
	{PredictionRetain, "say how long the predictions of a model are kept", []Role{Operator, Admin}},
	{PredictionErase, "erase predictions", []Role{Admin}},
	{HoldManage, "keep predictions from removal and erasure, and release them", []Role{Validator, Approver, Auditor}},
	{BodyRuleManage, "say which bodies of predictions are kept", []Role{Validator, Approver}},
	{LabelRecord, "record how predictions turned out", []Role{Scientist, Validator, Operator, Admin, Service}},
	{CaseRuleManage, "say which predictions people look at", []Role{Validator, Approver, Operator}},
	{CaseOpen, "have people look at a prediction", people()},
	{CaseDecide, "give an opinion on a prediction", []Role{Validator, Approver, Operator}},
	{MonitorManage, "say how the predictions of a model are watched: references, monitors, comparisons, alert policies", []Role{Scientist, Validator, Approver, Operator}},
	{WindowJudge, "have the predictions of a window judged", []Role{Scientist, Validator, Approver, Operator, Auditor}},
	{AlertManage, "keep notifications of alerts back for a time, resolve alerts by hand", []Role{Scientist, Validator, Approver, Operator}},
	{ObjectiveManage, "say how well a model is to behave: objectives", []Role{Validator, Approver, Operator}},
	{ObjectiveJudge, "have an objective judged", []Role{Scientist, Validator, Approver, Operator, Auditor}},
	{IncidentOpen, "open an incident", people()},
	{IncidentWork, "work on incidents: acknowledge, note, mitigate, resolve, write the post-mortem", []Role{Scientist, Validator, Approver, Operator}},
	{IncidentClose, "accept the post-mortem of an incident and close it", []Role{Validator, Approver, Auditor}},
	{RunbookManage, "say what is done in incidents, and who decides", []Role{Validator, Approver, Operator}},
	{ReactionManage, "say what is done when a model is judged bad: reactions", []Role{Validator, Approver, Operator}},
	{ReactionApprove, "let a reaction that somebody else applied act by itself", []Role{Validator, Approver}},
	{RetrainRequest, "ask that a model be trained anew", []Role{Scientist, Validator, Approver, Operator, Service}},
	{VersionCompare, "have two versions compared by their predictions", []Role{Scientist, Validator, Approver, Operator, Auditor, Service}},
	{GateAsk, "ask the gate what it would decide", []Role{Scientist, Validator, Approver, Operator, Auditor, Admin, Service}},
	{ReleaseRequest, "ask that a version be let into an environment, or take that back", []Role{Scientist, Operator, Service}},
	{ReleaseReview, "approve or reject a request", []Role{Validator, Approver}},
	{ReleasePromote, "carry out a request that the gate lets in", []Role{Operator, Service}},
	{FreezeManage, "declare and lift freezes", []Role{Approver, Operator, Auditor, Admin}},
	{WaiverRequest, "ask for a dated exception to a rule", []Role{Scientist, Validator, Operator}},
	{WaiverReview, "approve, reject and end waivers", []Role{Validator, Approver}},
	{SignerManage, "say whose signed evidence counts", []Role{Admin}},
	{FindingWrite, "raise a finding", []Role{Scientist, Validator, Approver, Operator, Auditor, Admin, Service}},
	{FindingClose, "close a finding", []Role{Validator, Auditor}},
	{PolicyChange, "change the policy of the gate", []Role{Validator, Admin}},
	{SettingsChange, "change the settings of the installation", []Role{Admin}},
	{BundleExport, "export evidence", []Role{Validator, Auditor, Admin}},
	{BackupCreate, "write a backup", []Role{Operator, Admin}},
	{KeyManage, "create, rotate and retire signing keys", []Role{Admin}},
	{NotifyRead, "see who is told of what, and what was delivered", []Role{Operator, Auditor, Admin}},
	{NotifyManage, "say who is told of what, test and retry deliveries", []Role{Operator, Admin}},
	{UserRead, "list people, services and their roles", []Role{Auditor, Admin}},
	{UserManage, "add people and services, grant and revoke roles, disable", []Role{Admin}},
	{TokenCreate, "make a token that acts for oneself", people()},
	{TokenRevoke, "revoke a token of one's own", Roles()},
	{SessionClose, "close a session of one's own", people()},
}

// people returns the roles of people.
func people() []Role {
	return slices.DeleteFunc(Roles(), func(r Role) bool { return r == Service })
}

// Rights returns a copy of the table of role and action.
func Rights() []Right {
	all := slices.Clone(rights)
	for i, r := range all {
		all[i].Roles = slices.Clone(r.Roles)
	}
	return all
}

// Actions returns every action, in the order of the table.
func Actions() []Action {
	var all []Action
	for _, r := range rights {
		all = append(all, r.Action)
	}
	return all
}

// ParseAction returns the action of that name, or an Invalid error that lists them.
func ParseAction(name string) (Action, error) {
	if a := Action(name); slices.Contains(Actions(), a) {
		return a, nil
	}
	return "", tallystick.Errorf(tallystick.Invalid, "action %q is not known", name).
		WithHint("use one of %s", join(Actions(), ", "))
}

// right returns the row of an action; one that nobody has for an action that is not known.
func right(a Action) Right {
	for _, r := range rights {
		if r.Action == a {
			return r
		}
	}
	return Right{Action: a, Doc: "do what no role allows"}
}

// Table returns the roles and the table of rights in Markdown.
func Table() string {
	var b strings.Builder
	b.WriteString("| role | what it is for |\n|---|---|\n")
	for _, role := range Roles() {
		fmt.Fprintf(&b, "| %s | %s |\n", role, role.Doc())
	}
	fmt.Fprintf(&b, "\n| action | to | %s |\n|---|---%s|\n", join(Roles(), " | "), strings.Repeat("|:-:", len(Roles())))
	for _, r := range rights {
		fmt.Fprintf(&b, "| `%s` | %s |", r.Action, r.Doc)
		for _, role := range Roles() {
			if slices.Contains(r.Roles, role) {
				b.WriteString(" yes |")
			} else {
				b.WriteString(" |")
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}
