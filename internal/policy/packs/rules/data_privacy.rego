# METADATA
# title: Personal columns are masked
# description: >-
#   A column that is labelled personal or sensitive reaches a model only masked. Which columns are is
#   said once, with the data set.
# custom:
#   id: data.privacy
#   about: release
#   severity: high
#   blocking: [limited, high]
#   controls:
#     - gdpr/Art. 5(1)(c)
#     - gdpr/Art. 25
#     - iso-27001/A.8.11
#     - iso-27001/A.5.34
#   remediation: >-
#     Mask the named columns and register the masked data with `tallystick snapshot register`, then say
#     that the version rests on it with `tallystick snapshot use`.
package tallystick.rules.data.privacy

import data.tallystick.lib.judge
import data.tallystick.lib.release
import data.tallystick.lib.say

used := input.release.data

bare := [sprintf("%s@%s (%s): column %s is personal and not masked.", [data_used.dataset, data_used.snapshot, data_used.role, column]) |
	some data_used in used
	some column in data_used.personal
	not column in data_used.masked
]

masked := sum([count(data_used.personal) | some data_used in used])

result := judge.not_applicable("No data is on record that could hold personal columns; data.consent says what that means.") if {
	count(used) == 0
} else := judge.absent(
	release.settings.missing.masking,
	say.lead(bare),
	sprintf("Mask them and register the data again with `tallystick snapshot register DATASET@NAME FILE`, then `tallystick snapshot use DATASET@NAME %s`.", [release.name]),
) if {
	count(bare) > 0
} else := {
	"status": "pass",
	"message": sprintf("No column of %s is labelled as personal.", [say.counted(count(used), "snapshot", "snapshots")]),
} if {
	count(used) > 0
	every data_used in used { count(data_used.personal) == 0 }
} else := {
	"status": "pass",
	"message": sprintf("%s masked.", [say.counted(masked, "personal column is", "personal columns are")]),
} if {
	masked > 0
	every data_used in used { is_array(data_used.masked) }
}
