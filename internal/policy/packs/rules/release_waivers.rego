# METADATA
# title: Waivers are complete, in force, and agreed to by somebody else
# description: >-
#   A waiver of this version names an owner, a reason, a control that makes up for it, and an end; and
#   somebody who neither owns it nor asked for it has agreed. One that has expired or is for another
#   place or other files counts for nothing and is left aside.
# custom:
#   id: release.waivers
#   about: release
#   waivable: false
#   severity: critical
#   blocking: [low, limited, high]
#   controls:
#     - nist-ai-rmf/MANAGE 1.3
#     - iso-27001/A.5.3
#     - us-mrm/MRM-3
#   remediation: >-
#     Have somebody else agree to the waiver, or run `tallystick release withdraw` and ask again without
#     it.
package tallystick.rules.release.waivers

import data.tallystick.lib.judge
import data.tallystick.lib.release
import data.tallystick.lib.say

needed := ["id", "rule", "owner", "reason", "compensating_control", "expires", "requester"]

gaps(waiver) := [field | some field in needed; object.get(waiver, field, "") in {"", null}]

label(waiver) := object.get(waiver, "id", "without an id")

timed contains waiver.expires if {
	some waiver in release.waivers
	count(gaps(waiver)) == 0
	release.past(waiver.expires)
}

expired(waiver) if waiver.expires in timed

elsewhere(waiver) if not release.any_or(waiver.environment, input.release.environment.name)

elsewhere(waiver) if not release.any_or(waiver.digest, release.version.digest)

# One that is left aside, with the reason.
aside(waiver) := sprintf("expired on %s", [release.day(waiver.expires)]) if {
	count(gaps(waiver)) == 0
	expired(waiver)
} else := "is for another place or other files" if {
	count(gaps(waiver)) == 0
	elsewhere(waiver)
}

independent(waiver) := {person | some person in waiver.approved_by} - {"", waiver.owner, waiver.requester}

used := [waiver | some waiver in release.waivers; not aside(waiver)]

fault(waiver) := sprintf("Waiver %s says nothing about %s.", [label(waiver), concat(", ", gaps(waiver))]) if {
	count(gaps(waiver)) > 0
} else := sprintf("Waiver %s of %s has been agreed to by nobody but its owner %s and its requester %s.", [waiver.id, waiver.rule, waiver.owner, waiver.requester]) if {
	count(independent(waiver)) == 0
}

faults := [fault(waiver) | some waiver in used]

in_force := [waiver | some waiver in used; count(gaps(waiver)) == 0; count(independent(waiver)) > 0]

set_aside := [sprintf("Waiver %s of %s %s.", [waiver.id, waiver.rule, aside(waiver)]) | some waiver in release.waivers; aside(waiver)]

words(waiver) := sprintf("Waiver %s of %s until %s, owned by %s, agreed to by %s: %s", [
	waiver.id, waiver.rule, release.day(waiver.expires), waiver.owner, concat(", ", independent(waiver)), say.sentence(waiver.reason),
])

result := judge.not_applicable("The release uses no waiver.") if {
	is_array(input.waivers)
	count(used) == 0
} else := {
	"status": "fail",
	"message": say.lead(faults),
	"details": array.concat(faults, set_aside),
	"evidence": [label(waiver) | some waiver in used],
	"remediation": sprintf("Ask for the waiver anew, complete and with somebody else's agreement, or go without it: `tallystick release request %s --to %s`.", [release.name, input.release.environment.name]),
} if {
	count(faults) > 0
} else := {
	"status": "warn",
	"message": sprintf("The release rests on %s. %s", [say.counted(count(in_force), "waiver", "waivers"), say.lead([words(waiver) | some waiver in in_force])]),
	"details": array.concat([words(waiver) | some waiver in in_force], set_aside),
	"evidence": [waiver.id | some waiver in in_force],
	"remediation": "Close the gap before the waiver ends; `tallystick policy explain` says what each rule asks for.",
} if {
	count(used) > 0
	count(in_force) == count(used)
}
