# METADATA
# title: The right people have agreed
# description: >-
#   As many people as the tier asks for, each with a role that counts and that they still hold, have
#   approved these very files, and nobody has rejected them. A person counts once, a program never, and
#   neither does an author or somebody with a declared conflict of interest.
# custom:
#   id: release.approvals
#   about: release
#   severity: critical
#   blocking: [low, limited, high]
#   controls:
#     - eu-ai-act/Art. 17
#     - nist-ai-rmf/MANAGE 1.1
#     - nist-ai-rmf/GOVERN 2.1
#     - iso-42001/A.6.2.5
#     - us-mrm/MRM-4
#     - soc2/CC8.1
#   remediation: Ask people with the roles that are missing to run `tallystick release approve`.
package tallystick.rules.release.approvals

import data.tallystick.lib.release
import data.tallystick.lib.say

approvals := input.release.approvals

tables := release.settings.approvals

# All else is green if nothing that the release rests on is waived or came with a warning.
green if {
	count(release.waivers) == 0
	count([i | some i, item in input.release.owed; item.verdict == "warn"]) == 0
}

takes_over if {
	input.release.role == "champion"
	input.release.environment.strictness == "gated"
}

asked contains tables.always if is_string(input.release.role)

asked contains tables.unless_green if {
	is_array(input.release.owed)
	not green
}

asked contains tables.champion if takes_over

# How many are needed, by role.
needs[role] := most if {
	some role, _ in tables.always
	most := max({table[role] | some table in asked})
	most > 0
}

roles := object.keys(needs)

rejections := [approval | some approval in approvals; approval.verdict == "reject"; release.bound(approval)]

given := [approval | some approval in approvals; approval.verdict == "approve"]

timed.begun contains approval if {
	some approval in approvals
	release.past(approval.at)
}

timed.over contains approval if {
	some approval in approvals
	is_string(approval.until)
	release.past(approval.until)
}

# Why an approval does not count; undefined if it does.
void(approval) := "is by a program" if {
	approval.approver.service == true
} else := "is of other files than those of this version" if {
	not release.bound(approval)
} else := sprintf("expired on %s", [release.day(approval.until)]) if {
	approval in timed.over
} else := "is dated in the future" if {
	not approval in timed.begun
} else := "is by an author of what is to be released" if {
	release.involved(approval.approver)
} else := sprintf("is by somebody with a conflict of interest: %s", [approval.conflict]) if {
	approval.conflict != ""
} else := "is by somebody who holds no role that counts here" if {
	count({role | some role in approval.roles} & roles) == 0
}

counting := [approval | some approval in given; not void(approval)]

rejected_words := [sprintf("%s rejected it on %s.", [rejection.approver.id, release.day(rejection.at)]) | some rejection in rejections]

voided := [sprintf("The approval of %s does not count: it %s.", [approval.approver.id, void(approval)]) | some approval in given; void(approval)]

holders(group) := {approval.approver.id | some approval in counting; count({role | some role in approval.roles} & group) > 0}

needed(group) := sum([needs[role] | some role in group])

# Each person fills one place. All places can be filled if and only if each set of roles has as many
# holders as places (Hall's theorem); the tables know three roles.
combinations := {{a, b, c} | some a in roles; some b in roles; a <= b; some c in roles; b <= c}

short := {group | some group in combinations; count(holders(group)) < needed(group)}

alone := [sprintf("%d more with the role %s", [needs[role] - count(holders({role})), role]) | some role in roles; {role} in short]

lacking := concat(" and ", alone) if count(alone) > 0

lacking := sprintf("%d more, because one person counts once and %s are wanted", [fewest, concat(", ", [sprintf("%d %s", [n, role]) | some role, n in needs])]) if {
	count(alone) == 0
	fewest := max([gap | some group in short; gap := needed(group) - count(holders(group))])
}

who := concat(", ", sort({sprintf("%s (%s)", [approval.approver.id, concat(", ", sort({role | some role in approval.roles} & roles))]) | some approval in counting}))

todo := sprintf("Ask somebody who had no part in it and holds the role to run `tallystick release approve %s`.", [input.release.request]) if {
	input.release.request != ""
} else := sprintf("Ask for the release with `tallystick release request %s --to %s`, and the people with these roles to run `tallystick release approve`.", [release.name, input.release.environment.name])

judgeable if {
	is_string(input.release.role)
	count(rejections) + count(elsewhere) + count(given) == count(approvals)
}

elsewhere := [approval | some approval in approvals; approval.verdict == "reject"; not release.bound(approval)]

result := {
	"status": "fail",
	"message": say.lead(rejected_words),
	"details": rejected_words,
	"evidence": [rejection.id | some rejection in rejections],
	"remediation": sprintf("Settle what the rejection says, register another version, and ask again with `tallystick release request %s@VERSION --to %s`.", [input.model.name, input.release.environment.name]),
} if {
	count(rejections) > 0
} else := {
	"status": "pass",
	"message": sprintf("Tier %s asks for no approval where everything else is green.", [input.model.tier]),
	"evidence": [approval.id | some approval in given],
} if {
	judgeable
	count(roles) == 0
} else := {
	"status": "fail",
	"message": sprintf("Tier %s needs %s.%s", [input.model.tier, lacking, so_far]),
	"details": voided,
	"evidence": [approval.id | some approval in counting],
	"remediation": todo,
} if {
	judgeable
	count(short) > 0
} else := {
	"status": "pass",
	"message": sprintf("The people whom tier %s asks for have agreed: %s.", [input.model.tier, who]),
	"details": voided,
	"evidence": [approval.id | some approval in counting],
} if {
	judgeable
	count(roles) > 0
	count(short) == 0
	count(holders(roles)) >= needed(roles)
}

default so_far := " Nobody whose word counts has agreed yet."

so_far := sprintf(" Agreed so far: %s.", [who]) if count(counting) > 0
