# METADATA
# title: The libraries of the version are fixed
# description: A model that was built with whatever was newest that day cannot be built again.
# custom:
#   id: dependency.pins
#   about: release
#   severity: medium
#   blocking: [limited, high]
#   controls:
#     - eu-ai-act/Annex IV(2)(a)
#     - iso-42001/A.4.4
#     - mitre-atlas/AML.T0010
#   remediation: Register the version with `tallystick register MODEL@VERSION PATH --libraries FILE`, each library with its exact version.
package tallystick.rules.dependency.pins

import data.tallystick.lib.judge
import data.tallystick.lib.release
import data.tallystick.lib.say

dependencies := input.release.dependencies

unpinned := dependencies.unpinned

todo := sprintf("Register a version with exact ones: `%s --libraries FILE`.", [release.register_command])

result := judge.not_applicable("The libraries of a third-party model are its supplier's to fix.") if {
	release.version.third_party == true
	dependencies.recorded == false
} else := judge.absent(
	release.settings.missing.pins,
	sprintf("Nobody has recorded with which libraries %s was built.", [release.name]),
	todo,
) if {
	dependencies.recorded == false
} else := judge.absent(
	release.settings.missing.pins,
	sprintf("%s no exact version: %s.", [say.counted(count(unpinned), "library has", "libraries have"), concat(", ", array.slice(unpinned, 0, 20))]),
	todo,
) if {
	count(unpinned) > 0
} else := {
	"status": "pass",
	"message": "Every library is recorded with its exact version.",
} if {
	dependencies.recorded == true
	count(unpinned) == 0
}
