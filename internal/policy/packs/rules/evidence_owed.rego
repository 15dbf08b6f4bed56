# METADATA
# title: What the model owes at its tier is on record
# description: >-
#   Each kind of evidence that the tier asks for is there, still counts, is about the files of this
#   very version, and does not itself say no. Evidence about other files is no evidence.
# custom:
#   id: evidence.owed
#   about: release
#   severity: critical
#   blocking: [low, limited, high]
#   controls:
#     - eu-ai-act/Art. 11
#     - eu-ai-act/Art. 17
#     - nist-ai-rmf/MANAGE 1.1
#     - iso-42001/A.6.2.4
#     - us-mrm/MRM-3
#   remediation: Run `tallystick status` for the list of what is owed, and the commands that it names.
package tallystick.rules.evidence.owed

import data.tallystick.lib.judge
import data.tallystick.lib.release
import data.tallystick.lib.say

owed := input.release.owed

stale(_, item) if item.state == "stale"

stale(i, _) if i in timed

since(item) := sprintf(" since %s", [release.day(item.until)]) if {
	is_string(item.until)
} else := ""

# Evidence whose time is over by now, whatever its state says.
timed contains i if {
	some i, item in owed
	is_string(item.until)
	time.parse_rfc3339_ns(item.until) <= release.now
}

# What is in order is told by one look at each, because there may be hundreds.
sound contains i if {
	some i, item in owed
	item.state == "present"
	item.verdict in {"", "pass"}
	item.subject in release.subjects
	not i in timed
}

judged(i, item) := {"status": "fail", "words": "is missing"} if {
	item.state == "missing"
} else := {"status": "fail", "words": "is about other files than those of this version"} if {
	item.state == "other_digest"
} else := {"status": "fail", "words": "is claimed and not verified: nobody has signed it"} if {
	item.state == "claimed"
	item.signer == ""
} else := {"status": "fail", "words": sprintf("is claimed and not verified: %s is not registered for it", [item.signer])} if {
	item.state == "claimed"
} else := {"status": "fail", "words": sprintf("was signed by %s, whose key counts no more", [item.signer])} if {
	item.state == "revoked"
} else := {"status": "fail", "words": sprintf("counts no longer%s", [since(item)])} if {
	stale(i, item)
} else := {"status": "fail", "words": sprintf("is about %s and not about this version", [item.subject])} if {
	item.state == "present"
	is_string(item.subject)
	not release.about_this(item.subject)
} else := {"status": item.verdict, "words": sprintf("has the verdict %s", [item.verdict])} if {
	item.state == "present"
	item.verdict in {"warn", "fail", "inconclusive", "insufficient"}
}

findings := [{"status": found.status, "words": found.words, "item": item} |
	some i, item in owed
	not i in sound
	found := judged(i, item)
]

wanting := [finding |
	some status in judge.order
	some finding in findings
	finding.status == status
]

sentence(finding) := sprintf("%s (%s) %s: `%s`.", [finding.item.title, finding.item.id, finding.words, finding.item.command])

there := [owed[i].digest | some i in sound; owed[i].digest != ""]

# Everything that is not in order has a reason.
explained if count(findings) + count(sound) == count(owed)

result := {
	"status": "fail",
	"message": sprintf("%s owes nothing, because it is an experiment or retired; it may not be released.", [input.model.name]),
	"remediation": sprintf("Put it to use with `tallystick model update %s --state active`, and produce what `tallystick status %s` lists.", [input.model.name, release.name]),
} if {
	count(owed) == 0
}

result := {
	"status": "pass",
	"message": sprintf("%s that tier %s asks for.", [say.counted(count(owed), "thing is there", "things are there, all"), input.model.tier]),
	"evidence": there,
} if {
	count(owed) > 0
	explained
	count(wanting) == 0
}

result := {
	"status": judge.worst({finding.status | some finding in wanting}),
	"message": sprintf("Of %s that tier %s asks for, %d %s: %s.", [
		say.counted(count(owed), "thing", "things"), input.model.tier, count(wanting), verb,
		concat("; ", [sprintf("%s %s", [finding.item.title, finding.words]) | some finding in array.slice(wanting, 0, 5)]),
	]),
	"details": [sentence(finding) | some finding in wanting],
	"evidence": there,
	"remediation": sprintf("Run `%s`.%s", [wanting[0].item.command, others]),
} if {
	explained
	count(wanting) > 0
}

verb := "is not as it should be" if count(wanting) == 1

verb := "are not as they should be" if count(wanting) > 1

default others := ""

others := sprintf(" The details name the command for each; `tallystick status %s` lists them again.", [release.name]) if count(wanting) > 1
