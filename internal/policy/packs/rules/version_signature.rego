# METADATA
# title: The files of the version are signed
# description: >-
#   Whoever loads the model can then check that it is this one. The signature is over the root of the
#   same files that the version is identified by.
# custom:
#   id: version.signature
#   about: release
#   severity: high
#   blocking: [limited, high]
#   controls:
#     - eu-ai-act/Art. 15
#     - hipaa/164.312(c)(1)
#     - mitre-atlas/AML.T0010.003
#     - iso-27001/A.8.24
#   remediation: Sign them with `tallystick model sign PATH --model MODEL@VERSION --key FILE`.
package tallystick.rules.version.signature

import data.tallystick.lib.judge
import data.tallystick.lib.release

command := sprintf("tallystick model sign PATH --model %s --key FILE", [release.name])

signatures := [item | some item in input.release.owed; item.kind == "signature"]

# One that is there, of these files and by somebody.
holds(item) if {
	item.state == "present"
	item.signer != ""
	item.subject != ""
	release.about_this(item.subject)
	item.verdict in {"", "pass"}
}

good := [item | some item in signatures; holds(item)]

result := judge.not_applicable("The files of a third-party model are for its supplier to sign.") if {
	release.version.third_party == true
	count(signatures) == 0
} else := judge.absent(
	release.settings.missing.signature,
	sprintf("No signature over the files of %s is on record.", [release.name]),
	sprintf("Sign them with `%s`.", [command]),
) if {
	release.version.third_party == false
	count(signatures) == 0
} else := {
	"status": "pass",
	"message": sprintf("The files of %s are signed by %s.", [release.name, good[0].signer]),
	"evidence": [item.digest | some item in good],
} if {
	count(good) > 0
} else := {
	"status": "fail",
	"message": sprintf("The files of %s are not signed: %s.", [release.name, why[signatures[0].state]]),
	"remediation": sprintf("Sign them with `%s`.", [command]),
} if {
	count(good) == 0
	count(signatures) > 0
}

why := {
	"present": "what is on record does not name their root and a signer, or does not hold",
	"missing": "there is no signature",
	"stale": "the signature counts no longer",
	"other_digest": "the signature is over other files",
	"claimed": "the signature is not by a registered key, which `tallystick signer add NAME FILE` registers",
	"revoked": "the key that signed them counts no more",
}
