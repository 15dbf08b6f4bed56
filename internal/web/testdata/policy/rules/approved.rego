# METADATA
# title: Somebody has approved
# description: One approval of this digest is there, and nothing is frozen.
# custom:
#   id: test.approved
#   about: release
#   severity: high
#   blocking: [low, limited, high]
#   controls: []
#   remediation: Run `tallystick release approve`.
package test.rules.approved

result := {"status": "pass", "message": "Somebody has approved."} if {
	some approval in input.release.approvals
	approval.verdict == "approve"
	approval.digest == input.release.version.digest
	"approver" in approval.roles
	count(input.freeze) == 0
} else := {"status": "fail", "message": "Nobody has approved."}
