# METADATA
# title: The audit is of this version, recent, and passed
# description: >-
#   The figures that the other rules judge come from an audit that names the digest of this version,
#   is not older than the tier accepts, and passed the gate when it was made. Under which policy it
#   did does not matter: the same figures are judged again here, by the policy in force.
# custom:
#   id: audit.current
#   about: release
#   severity: critical
#   blocking: [low, limited, high]
#   controls:
#     - eu-ai-act/Annex IV(2)(g)
#     - nist-ai-rmf/MEASURE 2.3
#     - iso-42001/A.6.2.4
#     - us-mrm/MRM-2c
#   remediation: Audit the version again with `tallystick audit FILE --model MODEL --version VERSION --tier TIER`.
package tallystick.rules.audit.current

import data.tallystick.lib.judge
import data.tallystick.lib.release
import data.tallystick.lib.say

audit := input.release.audit

again := sprintf("Audit it again with `%s`.", [release.audit_command])

limit := release.settings.limits.audit_days

days := release.days_since(audit.produced)

timed := {"age": floor(days), "begun": days >= 0, "old": days > limit, "recent": days <= limit}

made := sprintf("The audit of %s over %s", [release.day(audit.produced), say.counted(audit.rows, "row", "rows")])

result := judge.absent(
	release.settings.missing.audit,
	sprintf("No audit of %s is on record.", [release.name]),
	sprintf("Audit it with `%s`.", [release.audit_command]),
) if {
	is_null(audit)
} else := {
	"status": "fail",
	"message": sprintf("%s is not about the files of %s.", [made, release.name]),
	"evidence": [audit.digest],
	"remediation": again,
} if {
	audit.of_this_digest == false
} else := {
	"status": "fail",
	"message": sprintf("%s is dated in the future.", [made]),
	"evidence": [audit.digest],
	"remediation": again,
} if {
	not timed.begun
} else := {
	"status": "fail",
	"message": sprintf("%s is %d days old; tier %s accepts %v.", [made, timed.age, input.model.tier, limit]),
	"evidence": [audit.digest],
	"remediation": again,
} if {
	timed.old
} else := {
	"status": "fail",
	"message": sprintf("%s came out as %s.", [made, audit.verdict]),
	"evidence": [audit.digest],
	"remediation": sprintf("Repair what the audit found and run `%s`.", [release.audit_command]),
} if {
	audit.verdict in {"fail", "inconclusive", "insufficient"}
} else := {
	"status": "insufficient",
	"message": sprintf("%s looked at nothing.", [made]),
	"evidence": [audit.digest],
	"remediation": again,
} if {
	audit.rows == 0
} else := {
	"status": "pass",
	"message": sprintf("%s is about this version, %d days old, and passed; its figures are judged again here.", [made, timed.age]),
	"evidence": [audit.digest],
} if {
	audit.of_this_digest == true
	audit.verdict in {"pass", "warn"}
	audit.rows > 0
	is_object(input.report)
	timed.recent
}
