# METADATA
# title: Whoever signed evidence is known for it
# description: >-
#   A signature says who vouches for something; it says nothing if that signer was never registered
#   for this kind of statement. Evidence that nobody signed is not judged here.
# custom:
#   id: evidence.signer
#   about: release
#   waivable: false
#   severity: critical
#   blocking: [low, limited, high]
#   controls:
#     - iso-27001/A.8.24
#     - soc2/CC6.1
#     - nist-ai-rmf/MEASURE 2.8
#   remediation: >-
#     Let an admin add the key with `tallystick signer add NAME FILE`, or have the evidence signed with one that counts, and
#     attach it again with `tallystick evidence attach`.
package tallystick.rules.evidence.signer

import data.tallystick.lib.judge
import data.tallystick.lib.say

owed := input.release.owed

unsigned := [i | some i, item in owed; item.signer == ""]

known := [item | some item in owed; item.signer_known == true; item.signer != ""]

strangers := [item | some item in owed; item.signer_known == false; item.signer != ""]

words(item) := sprintf("%s (%s) is signed by %s, which is not registered for it", [item.title, item.id, item.signer])

result := judge.not_applicable("No evidence of this version is signed.") if {
	is_array(owed)
	count(unsigned) == count(owed)
}

result := {
	"status": "pass",
	"message": sprintf("%s by a registered key.", [say.counted(count(known), "piece of evidence is signed", "pieces of evidence are signed, each")]),
	"evidence": [item.digest | some item in known],
} if {
	count(known) > 0
	count(known) + count(unsigned) == count(owed)
}

result := {
	"status": "fail",
	"message": say.lead([words(item) | some item in strangers]),
	"details": [sprintf("%s: `%s`.", [words(item), item.command]) | some item in strangers],
	"evidence": [item.digest | some item in strangers],
	"remediation": sprintf("If the key is to be believed, let an admin add it with `tallystick signer add NAME FILE`; otherwise have it signed with one that counts: `%s`.", [strangers[0].command]),
} if {
	count(strangers) > 0
}
