# METADATA
# title: No finding stands in the way
# description: >-
#   An open finding that is critical or past its due date is settled before something new is built on
#   top of it.
# custom:
#   id: release.findings
#   about: release
#   severity: high
#   blocking: [low, limited, high]
#   controls:
#     - nist-ai-rmf/MANAGE 1.3
#     - eu-ai-act/Art. 9
#     - iso-42001/A.6.2.6
#   remediation: Settle it and record that with `tallystick finding resolve ID --reason TEXT`.
package tallystick.rules.release.findings

import data.tallystick.lib.judge
import data.tallystick.lib.release
import data.tallystick.lib.say

open := input.release.findings

timed contains finding if {
	some finding in open
	is_string(finding.due)
	release.past(finding.due)
}

overdue(finding) if finding in timed

judged(finding) := "fail" if {
	finding.severity == "critical"
} else := "fail" if {
	overdue(finding)
} else := asked if {
	finding.severity == "high"
	asked := {"fail": "fail", "warn": "warn", "skip": "pass"}[release.settings.found.high_findings]
} else := "pass" if {
	finding.severity in {"low", "medium"}
	not overdue(finding)
}

judgements := [{"status": judged(finding), "finding": finding} | some finding in open]

pressing := [judgement.finding |
	some status in ["fail", "warn"]
	some judgement in judgements
	judgement.status == status
]

words(finding) := sprintf("Finding %s (%s, %s%s): %s", [finding.id, finding.kind, finding.severity, late(finding), say.sentence(finding.summary)])

late(finding) := sprintf(", due on %s", [release.day(finding.due)]) if is_string(finding.due)

late(finding) := "" if is_null(finding.due)

result := {
	"status": "pass",
	"message": "No finding is open.",
} if {
	count(open) == 0
} else := {
	"status": "pass",
	"message": sprintf("%s, none of them pressing.", [say.counted(count(open), "finding is open", "findings are open")]),
	"details": [words(finding) | some finding in open],
	"evidence": [finding.id | some finding in open],
} if {
	count(judgements) == count(open)
	count(pressing) == 0
} else := {
	"status": judge.worst({judgement.status | some judgement in judgements}),
	"message": say.lead([words(finding) | some finding in pressing]),
	"details": [words(finding) | some finding in pressing],
	"evidence": [finding.id | some finding in pressing],
	"remediation": sprintf("Settle it and record that with `tallystick finding resolve %s --reason TEXT`.", [pressing[0].id]),
} if {
	count(judgements) == count(open)
	count(pressing) > 0
}
