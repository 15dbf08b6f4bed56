# METADATA
# title: Thresholds were fixed before the data was first looked at
# description: >-
#   Limits that are chosen after seeing the results are no limits. The trail shows whether these
#   were committed before the first audit of this data digest. It cannot show that nobody looked
#   at the data elsewhere.
# custom:
#   id: criteria.committed
#   severity: high
#   blocking: [high]
#   controls:
#     - eu-ai-act/Art. 9
#     - eu-ai-act/Annex IV(4)
#     - nist-ai-rmf/MEASURE 1.1
#     - iso-42001/A.6.2.2
#   remediation: >-
#     Commit the limits with `tallystick criteria commit FILE` before the first audit of the next
#     data set, and audit that one.
package tallystick.rules.criteria.committed

import data.tallystick.lib.facts
import data.tallystick.lib.judge

criteria := input.criteria

# The audit's own sentence says when and in which event, and what the trail cannot show; that
# belongs to every answer.
shown(_) := criteria.words if criteria.words != ""

shown(message) := sprintf("%s The trail cannot show whether somebody looked at the data elsewhere before.", [message]) if {
	criteria.words == ""
}

evidence := [criteria.digest] if {
	is_string(criteria.digest)
} else := []

result := judge.absent(
	facts.settings.missing.criteria,
	shown("No thresholds were committed for this audit."),
	"Commit the contract's limits with `tallystick criteria commit FILE`, then audit data that nobody has audited yet.",
) if {
	criteria.committed == false
} else := judge.absent(
	facts.settings.missing.criteria_before,
	shown("The thresholds were committed only after this data had been audited."),
	"Audit data that nobody has audited yet; `tallystick criteria commit FILE` comes before its first audit.",
) if {
	criteria.committed == true
	criteria.before_first_audit == false
} else := {
	"status": "pass",
	"message": shown("The thresholds were committed before the first audit of this data."),
	"evidence": evidence,
} if {
	criteria.committed == true
	criteria.before_first_audit == true
}
