# METADATA
# title: No freeze is in force
# description: >-
#   A freeze preserves the state of a system, for example before a serious incident is reported.
#   Nothing may be released while one is in force.
# custom:
#   id: release.freeze
#   severity: critical
#   blocking: [low, limited, high]
#   controls:
#     - eu-ai-act/Art. 73
#   remediation: Wait until the freeze is lifted, then run `tallystick audit` again.
package tallystick.rules.release.freeze

import data.tallystick.lib.judge

result := judge.not_applicable("No freeze was reported to the gate.") if is_null(input.freeze)

result := {
	"status": "fail",
	"message": "A freeze is in force.",
} if {
	not is_null(input.freeze)
}
