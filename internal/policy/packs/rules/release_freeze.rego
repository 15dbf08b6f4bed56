# METADATA
# title: No freeze is in force
# description: >-
#   A freeze preserves the state of a system, for example before a serious incident is reported.
#   Nothing may be released while one is in force, and no rollback either: it would change what is
#   to be preserved.
# custom:
#   id: release.freeze
#   about: release
#   waivable: false
#   severity: critical
#   blocking: [low, limited, high]
#   controls:
#     - eu-ai-act/Art. 73
#     - iso-27001/A.5.28
#   remediation: >-
#     Ask the person who put the freeze to lift it with `tallystick release unfreeze`, once what it
#     preserves has been kept, and ask for the release again.
package tallystick.rules.release.freeze

import data.tallystick.lib.release
import data.tallystick.lib.say

freezes := input.freeze

# Empty names mean every environment and every model.
covers(frozen) if {
	release.any_or(frozen.environment, input.release.environment.name)
	release.any_or(frozen.model, input.model.name)
}

place(frozen) := concat(" ", array.concat(
	[sprintf("of %s", [frozen.environment]) | frozen.environment != ""],
	[sprintf("for %s", [frozen.model]) | frozen.model != ""],
))

words(frozen) := trim_space(sprintf("Freeze %s %s by %s since %s%s: %s", [
	frozen.id, place(frozen), frozen.by, substring(frozen.from, 0, 10), end(frozen), say.sentence(frozen.reason),
]))

end(frozen) := "" if is_null(frozen.until)

end(frozen) := sprintf(", until %s", [substring(frozen.until, 0, 10)]) if is_string(frozen.until)

in_force := [frozen | some frozen in freezes; covers(frozen)]

# Said of another place, in full: a freeze that does not say where it holds is neither.
elsewhere(frozen) if {
	is_string(frozen.environment)
	is_string(frozen.model)
	not covers(frozen)
}

result := {
	"status": "pass",
	"message": "No freeze is in force for this model and environment.",
} if {
	is_string(input.release.environment.name)
	every frozen in freezes { elsewhere(frozen) }
}

result := {
	"status": "fail",
	"message": sprintf("A freeze is in force. %s", [say.lead([words(frozen) | some frozen in in_force])]),
	"details": [words(frozen) | some frozen in in_force],
	"evidence": [frozen.id | some frozen in in_force],
	"remediation": sprintf("Ask %s to lift it with `tallystick release unfreeze %s`, once what it preserves has been kept, and ask for the release again.", [in_force[0].by, in_force[0].id]),
} if {
	count(in_force) > 0
}
