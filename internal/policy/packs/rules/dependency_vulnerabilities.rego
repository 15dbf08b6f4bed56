# METADATA
# title: No known vulnerability beyond what the tier accepts
# description: >-
#   A recent report counts the known vulnerabilities of the libraries. An old one says nothing about
#   what has been found since.
# custom:
#   id: dependency.vulnerabilities
#   about: release
#   severity: high
#   blocking: [limited, high]
#   controls:
#     - mitre-atlas/AML.T0010
#     - eu-ai-act/Art. 15
#     - nist-ai-rmf/MANAGE 3.2
#   remediation: >-
#     Scan the libraries and attach the report with
#     `tallystick evidence attach MODEL@VERSION FILE --kind vulnerabilities --sign`.
package tallystick.rules.dependency.vulnerabilities

import data.tallystick.lib.judge
import data.tallystick.lib.release

report := input.release.dependencies.report

# Each by itself, so that the rule is the same under a policy with another limit of another rule.
lasts := release.settings.limits.vulnerabilities_days

most_critical := release.settings.limits.critical_vulnerabilities

most_high := release.settings.limits.high_vulnerabilities

attach := sprintf("Scan the libraries and attach the report with `tallystick evidence attach %s FILE --kind vulnerabilities --sign`.", [release.name])

days := release.days_since(report.produced)

timed := {"age": floor(days), "old": days > lasts, "recent": days <= lasts}

found := sprintf("The report of %s counts %d critical and %d high; tier %s accepts %v and %v.", [
	release.day(report.produced), report.critical, report.high, input.model.tier, most_critical, most_high,
])

result := judge.not_applicable(sprintf(
	"Which libraries are in a third-party model only its supplier knows: what it says of %s stands in the evidence of the supplier. A report that it hands over is judged once it is attached.",
	[release.name],
)) if {
	release.version.third_party == true
	input.release.dependencies.recorded == false
	is_null(report)
} else := judge.absent(
	release.settings.missing.vulnerabilities,
	sprintf("No report of known vulnerabilities of the libraries of %s is on record.", [release.name]),
	attach,
) if {
	is_null(report)
} else := judge.absent(
	release.settings.missing.vulnerabilities,
	sprintf("The report of %s is %d days old; tier %s accepts %v.", [release.day(report.produced), timed.age, input.model.tier, lasts]),
	attach,
) if {
	timed.old
} else := {
	"status": "fail",
	"message": found,
	"evidence": [report.digest],
	"remediation": sprintf("Replace the libraries, register a version with `%s --libraries FILE`, and scan again.", [release.register_command]),
} if {
	beyond
} else := {
	"status": "pass",
	"message": found,
	"evidence": [report.digest],
} if {
	is_number(report.critical)
	is_number(report.high)
	report.critical <= most_critical
	report.high <= most_high
	timed.recent
}

beyond if report.critical > most_critical

beyond if report.high > most_high
