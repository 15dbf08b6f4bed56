# METADATA
# title: A rollback goes back to what the gate let in before
# description: >-
#   A rollback is asked for less than a promotion, because these very files passed all of it in this
#   environment before. Without such a time on record it is a promotion and is asked for everything.
# custom:
#   id: release.served
#   about: release
#   waivable: false
#   severity: critical
#   blocking: [low, limited, high]
#   controls:
#     - nist-ai-rmf/MANAGE 2.4
#     - iso-27001/A.8.32
#     - soc2/CC8.1
#   remediation: Ask for a promotion instead, with `tallystick release request MODEL@VERSION --to ENVIRONMENT`.
package tallystick.rules.release.served

import data.tallystick.lib.judge
import data.tallystick.lib.release

served := input.release.version.served

timed contains time_served.from if {
	some time_served in served
	release.past(time_served.from)
}

compliant := [time_served |
	some time_served in served
	time_served.verdict == "pass"
	time_served.decision != ""
	time_served.from in timed
]

place := input.release.environment.name

result := judge.not_applicable("A promotion needs not to have served before.") if {
	release.promotion
} else := {
	"status": "pass",
	"message": sprintf("%s served in %s from %s, let in by the gate.", [release.name, place, release.day(compliant[0].from)]),
	"evidence": [time_served.decision | some time_served in compliant],
} if {
	release.rollback
	count(compliant) > 0
} else := {
	"status": "fail",
	"message": sprintf("The gate has never let %s into %s, so this is no rollback.", [release.name, place]),
	"remediation": sprintf("Ask for a promotion instead, with `tallystick release request %s --to %s`.", [release.name, place]),
} if {
	release.rollback
	count(compliant) == 0
	is_array(served)
}
