# METADATA
# title: Nobody approves their own work
# description: >-
#   Whoever registered the version, asked for its release, or made the token by which that was done
#   has not approved it, nor has somebody by a token of theirs.
# custom:
#   id: release.separation
#   about: release
#   waivable: false
#   severity: critical
#   blocking: [low, limited, high]
#   controls:
#     - iso-27001/A.5.3
#     - soc2/CC6.3
#     - us-mrm/MRM-4
#     - nist-ai-rmf/GOVERN 3.2
#     - nist-ai-rmf/MEASURE 1.3
#   remediation: Ask somebody who had no part in it to run `tallystick release approve`.
package tallystick.rules.release.separation

import data.tallystick.lib.judge
import data.tallystick.lib.release
import data.tallystick.lib.say

# Approvals of other files are not of this release.
given := [approval | some approval in input.release.approvals; approval.verdict == "approve"; release.bound(approval)]

own := [approval | some approval in given; release.involved(approval.approver)]

independent := [approval |
	some approval in given
	is_string(approval.approver.id)
	is_string(approval.approver.minter)
	not release.involved(approval.approver)
]

parts(person) := concat(" and ", sort({author.did | some author in input.release.authors; stands_behind(author, person)}))

# The people behind an act: who did it, and who made the token by which it was done.
behind(person) := {person.id, person.minter} - {""}

stands_behind(author, person) if count(behind(author) & behind(person)) > 0

words(approval) := sprintf("%s approved it, and had a part in it (%s).", [approval.approver.id, parts(approval.approver)])

result := {
	"status": "insufficient",
	"message": "Nobody knows who registered the version or asked for its release, so that nobody can be told from them.",
	"remediation": sprintf("Register it anew under your own name with `%s`.", [release.register_command]),
} if {
	count(input.release.authors) == 0
} else := {
	"status": "fail",
	"message": say.lead([words(approval) | some approval in own]),
	"details": [words(approval) | some approval in own],
	"evidence": [approval.id | some approval in own],
	"remediation": sprintf("Withdraw the request with `tallystick release withdraw %s`, ask again, and let somebody who had no part in it run `tallystick release approve`.", [input.release.request]),
} if {
	count(own) > 0
} else := judge.not_applicable("Nobody has approved it, so nobody has approved their own work.") if {
	count(input.release.authors) > 0
	count(given) == 0
	every approval in input.release.approvals { is_string(approval.verdict) }
} else := {
	"status": "pass",
	"message": sprintf("None of those who approved (%s) had a part in it (%s).", [
		concat(", ", {approval.approver.id | some approval in independent}), concat(", ", release.authors),
	]),
	"evidence": [approval.id | some approval in independent],
} if {
	count(given) > 0
	count(independent) == count(given)
}
