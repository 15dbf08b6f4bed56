package catalog

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"sync"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/trail"
)

// phrase says what an event tells, after "who". Names in braces stand for fields of its data that everybody
// may read; a part in brackets is left out if one of its fields is absent.
type phrase struct {
	did   string // "registered model {model}"
	would string // "register model {model}"
}

// phrases has one for every type of event. It is made once: whoever tells a hundred thousand events asks
// as many times.
var phrases = sync.OnceValue(allPhrases)

func allPhrases() map[trail.Type]phrase {
	return map[trail.Type]phrase{
		trail.WorkspaceCreated:  {"made the workspace, with the ledger {origin}", "make a workspace"},
		trail.WorkspaceRestored: {"restored the workspace from a backup of {previous_origin}; the ledger is now {origin}", "restore the workspace from a backup"},
		trail.KeyCreated:        {"made the {role} key {key}", "make a key[ for {role}]"},
		trail.KeyRotated:        {"put the {role} key {key} in the place of {replaces}", "replace a key[ for {role}]"},
		trail.KeyCompromised:    {"declared the {role} key {key} compromised from entry {from_index} on", "declare a key compromised"},
		trail.BundleExported:    {"exported evidence[ of {events} events], bundle {bundle_digest}[, {disclosed} sealed fields open]", "export evidence"},
		trail.PackageExported:   {"exported a package about {model}[@{version}] for an auditor", "export a package about {model}[@{version}] for an auditor"},
		trail.BackupCreated:     {"wrote a backup of the workspace up to ledger size {size}", "write a backup of the workspace"},

		trail.UserAdded:          {"added the {kind} {user}[, role {roles}]", "add a user"},
		trail.UserGranted:        {"gave {user} the role {role}", "give somebody a role"},
		trail.UserRevoked:        {"took the role {role} from {user}", "take a role from somebody"},
		trail.UserDisabled:       {"shut out {user}", "shut somebody out"},
		trail.EnrolmentCreated:   {"made a one-time link for {user} to set a passphrase by", "make a one-time link to set a passphrase by"},
		trail.EnrolmentRedeemed:  {"set a passphrase by a one-time link", "set a passphrase by a one-time link"},
		trail.BootstrapCreated:   {"left a secret for the first administrator on the server's disk", "leave a secret for the first administrator"},
		trail.BootstrapExchanged: {"became the first administrator, by the secret on the server's disk", "become the first administrator"},
		trail.TokenCreated:       {"made a token that acts for {user}[, for {scopes} alone]", "make a token"},
		trail.TokenRevoked:       {"revoked a token of {user}", "revoke a token"},
		trail.SessionOpened:      {"signed in", "sign in"},
		trail.SessionClosed:      {"ended a session of {user}", "end a session"},
		trail.LoginRefused:       {"tried to come in[ as {user}] (reason: {reason})", "come in[ as {user}][ (reason: {reason})]"},

		trail.ModelRegistered:   {"registered model {model}[, tier {tier}]", "register model {model}"},
		trail.ModelReregistered: {"registered the retired model {model} again[, tier {tier}]", "register model {model} again"},
		trail.ModelUpdated:      {"changed what is said of model {model}: {changed}[; it has tier {tier} now]", "change what is said of model {model}"},
		trail.ModelRetired:      {"retired model {model}[ in favour of {replacement}]", "retire model {model}"},
		trail.VersionRegistered: {"registered version {model}@{version}[ as a {state=draft}][, files {version_digest}][, because of {trigger_kind} {trigger_id}]", "register version {model}[@{version}]"},
		trail.VersionMarked:     {"marked version {model}@{version} as {state}", "mark version {model}[@{version}]"},
		trail.VersionRead:       {"read version {model}@{version}[, file {file_digest}]", "read version {model}[@{version}]"},
		trail.ArtifactUploaded:  {"uploaded a file of {size} bytes for {model}, {artifact_digest}", "upload a file for {model}"},
		trail.ArtifactFetched:   {"fetched a file[ of {size} bytes] for {model} from {url}[, {artifact_digest}]", "fetch a file for {model}[ from {url}]"},
		trail.EvidenceAttached:  {"attached evidence to {model}[@{version}]: {kind}[ {name}][, verdict {verdict}]", "attach evidence to {model}[@{version}]"},
		trail.CriteriaCommitted: {"fixed the thresholds[ of {model}] before an audit, criteria {criteria_digest}", "fix thresholds[ of {model}]"},
		trail.DataChecked:       {"checked the data {data_digest} against a contract: {verdict}", "check data against a contract"},
		trail.AuditCompleted:    {"audited {model}@{version}: {verdict}[ under the policy of tier {tier}]", "audit {model}[@{version}]"},
		trail.AuditFailed:       {"began an audit of {model}[@{version}] that came to nothing", "audit {model}[@{version}]"},

		trail.DatasetRegistered:  {"registered the data set {dataset}", "register a data set[, {dataset}]"},
		trail.DatasetUpdated:     {"changed what is said of the data set {dataset}", "change what is said of a data set[, {dataset}]"},
		trail.SnapshotRegistered: {"registered the snapshot {dataset}@{snapshot}, {rows} rows", "register a snapshot[, {dataset}@{snapshot}]"},
		trail.SnapshotLinked:     {"recorded that {model}@{version} used the snapshot {dataset}@{snapshot} for {role}", "record what data {model}[@{version}] used"},
		trail.EnvironmentDefined: {"defined the environment {environment}, which is {strictness}", "define an environment[, {environment}]"},
		trail.DeploymentRecorded: {"recorded that {model}@{version} is deployed in {environment}, copies: {replicas}", "record a deployment of {model}[@{version}]"},
		trail.DeploymentScaled:   {"recorded that a deployment of {model} was scaled, copies now: {replicas}", "record the size of a deployment[ of {model}]"},
		trail.DeploymentEnded:    {"recorded that a deployment of {model} has ended", "record the end of a deployment[ of {model}]"},
		trail.AssignmentRecorded: {"put {model}@{version} into {environment} as {role}", "put {model}[@{version}] into an environment[, {environment}]"},
		trail.AssignmentEnded:    {"took {model}@{version} out of {environment}", "take {model}[@{version}] out of an environment[, {environment}]"},
		trail.FindingRaised:      {"raised a finding[ about {model}][@{version}][ in {environment}]: {kind}[ {subject}], {severity}", "raise a finding[ about {model}]"},
		trail.FindingSeen:        {"saw again what a finding[ about {model}] tells", "tell of a finding[ about {model}] again"},
		trail.FindingTriaged:     {"triaged a finding[ about {model}][ in {environment}]: {severity}", "triage a finding[ about {model}]"},
		trail.FindingRemediated:  {"said that a finding[ about {model}][ in {environment}] is put right[, in version {version}]", "say that a finding[ about {model}] is put right"},
		trail.FindingReopened:    {"reopened a finding[ about {model}][ in {environment}]: what was said to be put right is not", "reopen a finding[ about {model}]"},
		trail.FindingDismissed:   {"dismissed a finding[ about {model}][ in {environment}]", "dismiss a finding[ about {model}]"},
		trail.FindingResolved:    {"resolved a finding[ about {model}][ in {environment}][, by the run {run_digest}]", "resolve a finding[ about {model}]"},
		trail.FindingOverdue:     {"told that a finding[ about {model}][ in {environment}] is overdue: {severity}", "tell that a finding[ about {model}] is overdue"},

		trail.SubscriptionCreated: {"made the subscription {name}, which tells {host} by {channel} of {topics}", "make a subscription[, {name}]"},
		trail.SubscriptionUpdated: {"changed the subscription {name}, which tells {host} of {topics} now", "change a subscription[, {name}]"},
		trail.SubscriptionMarked:  {"set the subscription {name} to {state}", "pause or resume a subscription[, {name}]"},
		trail.SubscriptionRotated: {"gave the subscription {name} another secret", "give a subscription another secret[, {name}]"},
		trail.SubscriptionRemoved: {"removed the subscription {name}", "remove a subscription[, {name}]"},
		trail.SubscriptionTested:  {"tested the subscription {name}", "test a subscription[, {name}]"},
		trail.SubscriptionRetried: {"had the subscription {name} tried again at once", "have a subscription tried again[, {name}]"},
		trail.SubscriptionSkipped: {"gave up notification {number} of the subscription {name}", "give up a notification[ of the subscription {name}]"},
		trail.ReleaseRequested:    {"asked that {model}@{version} be let into {environment} as {role}", "ask for a release[ of {model}][@{version}]"},
		trail.ReleaseReviewed:     {"reviewed the release of {model}@{version} into {environment}: {verdict}", "review a release[ of {model}][@{version}]"},
		trail.ReleaseWithdrawn:    {"took back the request to let {model}@{version} into {environment}", "take a release request back[, of {model}][@{version}]"},
		trail.GateDecided:         {"had the gate judge {model}@{version} for {environment} as {role}: {verdict}[, shut by {denied}][, waived: {waived}]", "ask the gate[ about {model}][@{version}]"},
		trail.GateExported:        {"took out what the gate judged of {model}@{version}", "take out what the gate judged[ of {model}][@{version}]"},
		trail.ReleasePromoted:     {"let {model}@{version} into {environment}[ in the place of {replaced}]", "carry out a release[ of {model}][@{version}]"},
		trail.FreezeDeclared:      {"declared a freeze[ of {environment}][ for {model}]", "declare a freeze[ for {model}]"},
		trail.FreezeLifted:        {"lifted a freeze[ for {model}]", "lift a freeze[ for {model}]"},
		trail.WaiverRequested:     {"asked for a waiver of the rule {rule} for {model}@{version} in {environment}", "ask for a waiver[ for {model}][@{version}]"},
		trail.WaiverReviewed:      {"reviewed a waiver for {model}@{version}: {verdict}", "review a waiver[ for {model}][@{version}]"},
		trail.WaiverRevoked:       {"revoked a waiver for {model}@{version}", "revoke a waiver[ for {model}][@{version}]"},
		trail.WaiverEnding:        {"told that the waiver of the rule {rule} for {model}@{version} in {environment} ends on {day}", "tell that a waiver[ for {model}] ends"},
		trail.WaiverExpired:       {"told that the waiver of the rule {rule} for {model}@{version} in {environment} ended on {day}", "tell that a waiver[ for {model}] has ended"},
		trail.SignerAdded:         {"let evidence that {name} signs count", "let a signer count"},
		trail.SignerRevoked:       {"let evidence of the key {key} count no more", "revoke a signer"},

		trail.SegmentSealed:     {"sealed {records} predictions of {model} in the segment {segment}, root {root_digest}", "seal predictions of {model}"},
		trail.LabelsRecorded:    {"recorded {labels} labels of predictions of {model}, {corrected} of them corrections[, in the batch {batch}]", "record labels of {model}"},
		trail.PredictionQueried: {"asked about predictions of {model} ({form})[, {predictions} of them]", "ask about predictions of {model}"},
		trail.IntegrityGap:      {"found a gap in the journal of predictions, from frame {from_sequence}[ to {to_sequence}] of the shard {gap_shard}[, lost: {lost}], batches salvaged: {salvaged}", "look for gaps in the journal of predictions"},

		trail.BreakdownPinned: {"pinned a reference by {kind} of {predictions} predictions in {parts} parts for {model}[@{version}], {breakdown_digest}", "pin a reference by season or slice for {model}[@{version}]"},
		trail.ReferencePinned: {"pinned a reference of {predictions} rows for {model}[@{version}], {reference_digest}", "pin a reference for {model}[@{version}]"},
		trail.MonitorApplied:  {"applied the monitor {monitor} of {model}", "apply a monitor of {model}"},
		trail.MonitorRemoved:  {"removed the monitor {monitor} of {model}", "remove a monitor of {model}"},
		trail.WindowJudged:    {"judged {predictions} predictions of {model}[@{version}] from {from} to {to} by the monitor {monitor}: {verdict}[, {backfilled} of them back-filled]", "judge predictions of {model}"},

		trail.AlertPending:       {"raised an alert of {rule} about {model}[@{version}][ in {environment}][, {subject}][, slice {segment}]: pending[, window {from} to {to}]", "raise an alert about {model}"},
		trail.AlertFired:         {"fired an alert of {rule} about {model}[@{version}][ in {environment}][, {subject}][, slice {segment}]: {severity}[, window {from} to {to}][, suppressed by {suppressed_by}]", "fire an alert about {model}"},
		trail.AlertResolved:      {"resolved the {state} alert of {rule} about {model}[@{version}][ in {environment}][, {subject}] (cause: {cause})", "resolve an alert[ about {model}]"},
		trail.AlertSuppressed:    {"kept notifications of alert {alert} about {model} back, by {suppressed_by}", "keep notifications of an alert back"},
		trail.AlertUnsuppressed:  {"let notifications of alert {alert} about {model} go", "let notifications of an alert go"},
		trail.AlertPolicyApplied: {"applied the alert policy {policy}[ of {model}]", "apply an alert policy[ of {model}]"},
		trail.AlertPolicyRemoved: {"removed the alert policy {policy}[ of {model}]", "remove an alert policy[ of {model}]"},
		trail.SilenceCreated:     {"silenced alerts with {matchers} from {from} until {until}", "silence alerts[ of {model}]"},
		trail.SilenceEnded:       {"ended the silence {silence}[ of {model}] (cause: {cause})", "end a silence[ of {model}]"},
		trail.ObjectiveApplied:   {"applied the objective {objective} of {model}[ in {environment}]", "apply an objective of {model}"},
		trail.ObjectiveRemoved:   {"removed the objective {objective} of {model}", "remove an objective of {model}"},
		trail.ObjectiveJudged:    {"judged the objective {objective} of {model}[@{version}][ in {environment}]: {verdict}, {good} of {valid} good", "judge an objective of {model}"},

		trail.IncidentOpened:       {"opened an incident of {model}[@{version}][ in {environment}]: {severity}[, by the alert of {rule}][ about {subject}]", "open an incident of {model}"},
		trail.IncidentAlerted:      {"added an alert to the incident {incident} of {model}[: {rule}][ about {subject}]", "add an alert to an incident of {model}"},
		trail.IncidentTriaged:      {"triaged the incident {incident} of {model}: {severity}", "triage an incident of {model}"},
		trail.IncidentAcknowledged: {"acknowledged the incident {incident} of {model}", "acknowledge an incident of {model}"},
		trail.IncidentNoted:        {"wrote a note about the incident {incident} of {model}", "write about an incident of {model}"},
		trail.IncidentStepDone:     {"marked step {step} of the runbook as {as} in the incident {incident} of {model}", "mark a step in an incident of {model}"},
		trail.IncidentLinked:       {"linked a {kind} with the incident {incident} of {model}", "link something with an incident of {model}"},
		trail.IncidentEvidence:     {"added evidence to the incident {incident} of {model}: {kind}, {evidence_digest}", "add evidence to an incident of {model}"},
		trail.IncidentMitigated:    {"said that the harm of the incident {incident} of {model} has stopped, by {means}", "say that the harm of an incident of {model} has stopped"},
		trail.IncidentResolved:     {"resolved the incident {incident} of {model}, cause: {cause}", "resolve an incident of {model}"},
		trail.IncidentReopened:     {"reopened the incident {incident} of {model}", "reopen an incident of {model}"},
		trail.IncidentReported:     {"wrote the post-mortem of the incident {incident} of {model}, {report_digest}", "write the post-mortem of an incident of {model}"},
		trail.IncidentClosed:       {"closed the incident {incident} of {model}[, by the post-mortem {report_digest}], preventive checks linked: {prevented}", "close an incident of {model}"},
		trail.RunbookApplied:       {"applied the runbook {runbook}, {document_digest}", "apply a runbook"},
		trail.RunbookRemoved:       {"removed the runbook {runbook}", "remove a runbook"},

		trail.ReactionApplied:  {"applied the reaction {reaction} for {model}, to {mode}, {document_digest}", "apply a reaction[ for {model}]"},
		trail.ReactionApproved: {"approved that the reaction {reaction} acts on {model} by itself, {document_digest}", "approve a reaction[ for {model}]"},
		trail.ReactionRemoved:  {"removed the reaction {reaction} for {model}", "remove a reaction[ for {model}]"},
		trail.ReactionTried:    {"reacted to {cause} by {reaction}: {deed} of {model}[@{version}][ in {environment}] {state}[, to {target}][: {reason}]", "react[ to what was seen of {model}]"},
		trail.ReactionEnded:    {"ended the {deed} of {model}[@{version}][ in {environment}] by {reaction}: {state}[, to {target}][: {reason}]", "end a reaction[ to {model}]"},
		trail.RetrainRequested: {"asked that {model}[@{version}] be trained anew[, because of {cause}], report {report_digest}", "ask that a model be trained anew"},

		trail.ComparisonApplied: {"applied the comparison {comparison} of versions of {model}", "apply a comparison of versions of {model}"},
		trail.ComparisonRemoved: {"removed the comparison {comparison} of versions of {model}", "remove a comparison of versions of {model}"},
		trail.ComparisonJudged:  {"compared {model}@{version}[ with {against_version}][ in {environment}] by the comparison {comparison}, by {predictions} predictions[ from {from}][ to {to}]: {verdict}", "compare versions of {model}"},

		trail.BodyRuleDefined: {"said by the rule {rule} which bodies of predictions of {model} are kept", "say which bodies of predictions of {model} are kept"},
		trail.BodyRuleRemoved: {"removed the rule {rule} by which bodies of predictions of {model} are kept", "remove a rule for bodies of {model}"},

		trail.CaseRuleDefined:   {"said by the rule {rule} which predictions of {model} people look at", "say which predictions of {model} people look at"},
		trail.CaseRuleRemoved:   {"removed the rule {rule} by which people look at predictions of {model}", "remove a rule for cases of {model}"},
		trail.CaseOpened:        {"opened a case about the prediction {prediction} of {model}[@{version}][, by the rule {rule}]", "have people look at a prediction of {model}"},
		trail.CaseClaimed:       {"took the case {case} of {model}", "take a case of {model}"},
		trail.CaseReleased:      {"gave the case {case} of {model} back", "give a case of {model} back"},
		trail.CaseJudged:        {"gave opinion {number} on the prediction {prediction} of {model}[@{version}]: {state}", "give an opinion on a prediction of {model}"},
		trail.PredictionRead:    {"read a prediction of {model} in the segment {segment}[, with its {body} body]", "read a prediction[ of {model}]"},
		trail.SegmentsCompacted: {"joined {segments} segments with {records} predictions of {model} in one file", "join segments of {model}"},
		trail.SegmentsRemoved:   {"removed {records} predictions of {model}, from {first_time} to {last_time}, which are kept for {days} days", "remove old predictions of {model}"},
		trail.PredictionErased:  {"erased {records} predictions of {model}: {places}", "erase predictions[ of {model}]"},
		trail.RetentionSet:      {"said that predictions of {model} are kept for {days} days, 0 meaning for ever", "say how long predictions[ of {model}] are kept"},
		trail.HoldPlaced:        {"placed a hold on predictions of {model}[ for the incident {incident}]", "place a hold[ on predictions of {model}]"},
		trail.HoldReleased:      {"released the hold {hold} on predictions of {model}", "release a hold[ on predictions of {model}]"},

		trail.LineageRecorded: {"recorded what was made from what[, for {model}]: told by {origin}", "record what was made from what[, for {model}]"},
		trail.CommandRefused:  {"asked to {command}", "{command}"},
		trail.TrailRead:       {"read what the trail says[ of {model}]", "read what the trail says[ of {model}]"},
		trail.PolicyChanged:   {"began to judge models of tier {tier} by the policy {policy_digest}[ instead of {replaces}]", "change the policy of the gate"},
		trail.PolicyConfirmed: {"confirmed the policy {policy_digest} of tier {tier}", "confirm the policy of the gate"},
		trail.ServerStarted:   {"started a server, release {release}", "start a server"},
		trail.ServerStopped:   {"stopped the server, release {release}", "stop the server"},

		trail.WitnessesChosen: {"settled how many witnesses must cosign the ledger, {quorum}[, of {witnesses}]", "settle who cosigns the ledger"},
		trail.WitnessRefused:  {"had the ledger cosigned[ by {witness}]", "have the ledger cosigned[ by {witness}][, which holds one of {held_size} entries]"},
	}
}

// requests are what commands ask for that no type of event has as its action.
func requests() map[string]string {
	return map[string]string{
		"artifact.read":      "read files[ of {model}]",
		"artifact.write":     "upload a file[ for {model}]",
		"audit.run":          "audit a version[ of {model}]",
		"bundle.export":      "export evidence[ about {model}]",
		"catalog.read":       "read what is registered[ of {model}]",
		"environment.manage": "define an environment",
		"finding.close":      "settle a finding[ about {model}]",
		"finding.write":      "raise or work on a finding[ about {model}]",
		"key.manage":         "change the signing keys",
		"notify.manage":      "say who is told of what",
		"notify.read":        "see who is told of what",
		"gate.ask":           "ask the gate",
		"label.record":       "record how predictions turned out[ of {model}]",
		"prediction.erase":   "erase predictions[ of {model}]",
		"hold.manage":        "place or release a hold[ on predictions of {model}]",
		"prediction.read":    "read predictions[ of {model}]",
		"prediction.record":  "record predictions[ of {model}]",
		"prediction.retain":  "say how long predictions[ of {model}] are kept",
		"case.decide":        "give an opinion on a prediction[ of {model}]",
		"case.open":          "have people look at a prediction[ of {model}]",
		"monitor.manage":     "say how predictions[ of {model}] are watched",
		"alert.manage":       "keep notifications of alerts[ of {model}] back, or resolve alerts",
		"objective.manage":   "say how well {model} is to behave",
		"incident.open":      "open an incident[ of {model}]",
		"incident.work":      "work on an incident[ of {model}]",
		"incident.close":     "close an incident[ of {model}]",
		"runbook.manage":     "say what is done in incidents",
		"reaction.manage":    "say what is done when a model[, {model},] is judged bad",
		"version.compare":    "have versions[ of {model}] compared",
		"body_rule.manage":   "say which bodies[ of predictions of {model}] are kept",
		"case_rule.manage":   "say which predictions[ of {model}] people look at",
		"freeze.manage":      "declare or lift a freeze",
		"signer.manage":      "say whose signed evidence counts",
		"run.record":         "record a training run[ of {model}]",
		"settings.change":    "change the settings of the installation",
		"trail.disclose":     "open what is sealed on the trail[ about {model}]",
		"usage_rule.write":   "say what data may be used for",
		"user.manage":        "manage people and services",
		"user.read":          "list people and services",
	}
}

// Telling is what is needed to tell an event besides itself.
type Telling struct {
	Who   string            // id of who acted; empty: "a person", by the kind of actor
	Data  map[string]any    // of the event, as far as the reader may see it
	Names map[string]string // of people, by id, as far as they are known
}

// Words tells an event in a sentence: who did what to what, and how it ended.
func Words(e trail.Event, t Telling) string {
	p, known := spoken().types[e.Type]
	if !known {
		about := part{text: e.Type.Short() + " (" + e.Resource.Type + " " + e.Resource.ID + ")"}
		p = saying{did: template{{text: "did this: "}, about}, would: template{{text: "do this: "}, about}}
	}
	text := t.text
	if e.Type == trail.CommandRefused {
		text = t.request
	}
	switch e.Outcome {
	case tallystick.Success:
		return t.who() + " " + p.did.fill(text)
	case tallystick.Denied:
		return t.who() + " was not allowed to " + p.would.fill(text)
	case tallystick.Failed:
		return t.who() + " could not " + p.would.fill(text)
	}
	return t.who() + " began to " + p.would.fill(text)
}

func (t Telling) who() string {
	if t.Who != "" {
		return cmp.Or(t.Names[t.Who], t.Who)
	}
	actor, _ := t.Data["actor"].(map[string]any)
	if kind, _ := actor["kind"].(string); kind != "" {
		return "a " + kind
	}
	return "somebody"
}

// text returns a field of the data, empty if it is absent or has no short form.
func (t Telling) text(field string) string {
	switch value := t.Data[field].(type) {
	case string:
		if name := t.Names[value]; name != "" {
			return name
		}
		if field == "kind" {
			return strings.ReplaceAll(value, "_", " ")
		}
		return value
	case json.Number, float64, int, int64, uint64:
		return fmt.Sprint(value)
	case []any:
		return list(value, func(item any) string { return strings.ReplaceAll(fmt.Sprint(item), "_", " ") })
	}
	return ""
}

// request returns what a command asks for, in words, in the place of its name.
func (t Telling) request(field string) string {
	command := t.text("command")
	if field != "command" || command == "" {
		return t.text(field)
	}
	if words, ok := spoken().commands[command]; ok {
		return words.fill(t.text)
	}
	return spoken().unknown.fill(t.text)
}
