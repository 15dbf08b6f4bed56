# METADATA
# title: The data may be used for this
# description: >-
#   Every data set behind the version says on what basis it may be used, and none of them forbids the
#   purpose of the model. Data that nobody has named cannot have been consented to.
# custom:
#   id: data.consent
#   about: release
#   severity: critical
#   blocking: [low, limited, high]
#   controls:
#     - gdpr/Art. 5(1)(a)-(b)
#     - eu-ai-act/Art. 10
#     - iso-42001/A.7.3
#     - iso-42001/A.7.5
#   remediation: >-
#     Say on what basis the data is used with `tallystick dataset update NAME --basis BASIS`, or train
#     on other data.
package tallystick.rules.data.consent

import data.tallystick.lib.judge
import data.tallystick.lib.release
import data.tallystick.lib.say

used := input.release.data

purpose := lower(input.release.purpose)

snapshot(data_used) := sprintf("%s@%s (%s)", [data_used.dataset, data_used.snapshot, data_used.role])

baseless := [data_used | some data_used in used; data_used.consent_basis == ""]

forbidding := [sprintf("%s may not be used for %s, and the purpose of the model is: %s", [snapshot(data_used), forbidden, say.sentence(input.release.purpose)]) |
	some data_used in used
	some forbidden in data_used.forbidden_purposes
	trim_space(forbidden) != ""
	contains(purpose, lower(trim_space(forbidden)))
]

bases := {data_used.consent_basis | some data_used in used}

result := judge.not_applicable("The data behind a third-party model is its supplier's to answer for.") if {
	count(used) == 0
	release.version.third_party == true
} else := judge.absent(
	release.settings.missing.data,
	sprintf("Nobody has said which data %s rests on.", [release.name]),
	sprintf("Say it with `tallystick snapshot use DATASET@NAME %s`, after `tallystick snapshot register`.", [release.name]),
) if {
	count(used) == 0
	release.version.third_party == false
} else := {
	"status": "fail",
	"message": say.lead(forbidding),
	"details": forbidding,
	"remediation": sprintf("Train on data that may be used for this, or have its owner change the terms with `tallystick dataset update %s`.", [used[0].dataset]),
} if {
	count(forbidding) > 0
} else := judge.absent(
	release.settings.missing.consent_basis,
	sprintf("For %s nobody has said on what basis it may be used: %s.", [say.counted(count(baseless), "snapshot", "snapshots"), concat(", ", [snapshot(data_used) | some data_used in baseless])]),
	sprintf("Say it with `tallystick dataset update %s --basis BASIS`; not_personal is one.", [baseless[0].dataset]),
) if {
	count(baseless) > 0
} else := {
	"status": "insufficient",
	"message": "The model states no purpose that could be held against the terms of its data.",
	"remediation": sprintf("State it with `tallystick model update %s --purpose TEXT`.", [input.model.name]),
} if {
	count(used) > 0
	trim_space(input.release.purpose) == ""
} else := {
	"status": "pass",
	"message": sprintf("%s with a basis (%s), and no purpose is forbidden.", [say.counted(count(used), "snapshot is used", "snapshots are used"), concat(", ", bases)]),
} if {
	count(used) > 0
	count(baseless) == 0
	every data_used in used {
		is_string(data_used.consent_basis)
		is_array(data_used.forbidden_purposes)
	}
}
