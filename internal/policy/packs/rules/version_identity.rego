# METADATA
# title: The version is registered, with its files and how it was made
# description: >-
#   A draft is known by its name alone, and a withdrawn version may not be used. What is not
#   identified cannot be audited, approved or made again.
# custom:
#   id: version.identity
#   about: release
#   severity: critical
#   blocking: [low, limited, high]
#   controls:
#     - eu-ai-act/Annex IV(1)
#     - eu-ai-act/Annex IV(2)(c)
#     - nist-ai-rmf/MEASURE 2.1
#     - us-mrm/MRM-1
#   remediation: Register it with `tallystick register MODEL@VERSION PATH` and the flags that it asks for.
package tallystick.rules.version.identity

import data.tallystick.lib.release
import data.tallystick.lib.say

version := release.version

lacks := version.lacks

# Third-party models may come without files.
identified if version.digest != ""

identified if {
	version.digest == ""
	version.third_party == true
}

identity := [version.digest | version.digest != ""]

result := {
	"status": "fail",
	"message": sprintf("%s is a draft: it is known by its name alone.", [release.name]),
	"remediation": sprintf("Register its files with `%s`.", [release.register_command]),
} if {
	version.state == "draft"
} else := {
	"status": "fail",
	"message": sprintf("%s is withdrawn and may not be used.", [release.name]),
	"remediation": sprintf("Release another version: `tallystick version list %s` shows them.", [input.model.name]),
} if {
	version.state == "withdrawn"
} else := {
	"status": "fail",
	"message": sprintf("%s has no digest: its files are not on record.", [release.name]),
	"remediation": sprintf("Register its files with `%s`.", [release.register_command]),
} if {
	version.digest == ""
	version.third_party == false
} else := {
	"status": "fail",
	"message": sprintf("%s lacks %s: %s.", [release.name, say.counted(count(lacks), "thing that its tier asks for", "things that its tier asks for"), concat(", ", lacks)]),
	"details": [sprintf("%s is missing.", [field]) | some field in lacks],
	"evidence": identity,
	"remediation": sprintf("Give them with `%s`; `tallystick status %s` names the flags.", [release.register_command, release.name]),
} if {
	count(lacks) > 0
} else := {
	"status": deprecated,
	"message": sprintf("%s is deprecated: it should be replaced.", [release.name]),
	"evidence": identity,
	"remediation": sprintf("Release another version: `tallystick version list %s` shows them.", [input.model.name]),
} if {
	version.state == "deprecated"
	identified
	count(lacks) == 0
	not release.rollback
} else := {
	"status": "pass",
	"message": sprintf("%s is %s, and its digest and metadata are on record.", [release.name, version.state]),
	"evidence": identity,
} if {
	version.state in {"registered", "deprecated"}
	identified
	count(lacks) == 0
	is_string(input.release.kind)
}

deprecated := "pass" if release.settings.found.deprecated == "skip"

deprecated := release.settings.found.deprecated if release.settings.found.deprecated in {"warn", "fail"}
