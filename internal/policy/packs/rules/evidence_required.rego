# METADATA
# title: The evidence that the tier asks for is there
# description: >-
#   Looks for each part of the audit that the risk tier needs and names every one that is missing,
#   with the flag that produces it. An absent part is never a silent pass.
# custom:
#   id: evidence.required
#   severity: critical
#   blocking: [low, limited, high]
#   controls:
#     - eu-ai-act/Annex IV(2)(g)
#     - nist-ai-rmf/MEASURE 2.3
#     - iso-42001/A.6.2.4
#     - us-mrm/MRM-2c
#   remediation: Run `tallystick audit` again with the flags that the details name.
package tallystick.rules.evidence.required

import data.tallystick.lib.facts
import data.tallystick.lib.judge
import data.tallystick.lib.say

missing contains {
	"status": "fail",
	"message": "The data quality of the audited file is missing.",
	"remediation": "run `tallystick audit FILE`, which always measures it",
} if {
	not facts.part("quality")
}

missing contains {
	"status": facts.settings.missing.labels,
	"message": "No prediction has a label, so neither performance nor error rates can be judged.",
	"remediation": "name the column of outcomes with --label COL, or join late labels with --id COL --labels FILE",
} if {
	not facts.labelled
}

missing contains {
	"status": facts.settings.missing.performance,
	"message": "There are labels, but performance is missing.",
	"remediation": "name the predicted values with --prediction COL",
} if {
	facts.labelled
	not facts.part("performance")
}

missing contains {
	"status": facts.settings.missing.calibration,
	"message": sprintf("The score %s has no calibration.", [facts.columns.score]),
	"remediation": "run `tallystick audit` with --score COL; a score that ends at N needs --score-max N",
} if {
	facts.labelled
	facts.columns.task == "binary"
	facts.columns.score
	not facts.part("calibration")
}

missing contains {
	"status": facts.settings.missing.groups,
	"message": "No protected attribute was named, so nobody looked whether groups are treated alike.",
	"remediation": "name the columns with --group COL,...",
} if {
	count(facts.groups) == 0
}

missing contains {
	"status": facts.settings.missing.fairness,
	"message": sprintf("Groups were named (%s), but they are not compared.", [concat(", ", facts.groups)]),
	"remediation": "say what a positive prediction is with --positive V,... and which column holds the outcome with --label COL",
} if {
	count(facts.groups) > 0
	facts.classification
	not facts.part("fairness")
}

missing contains {
	"status": facts.settings.missing.reference,
	"message": "There is no reference to compare the data with, so drift is unknown.",
	"remediation": "give the data that the model was built or last approved on with --reference FILE",
} if {
	not facts.part("drift")
}

asked := [part |
	some status in ["fail", "warn"]
	some part in missing
	part.status == status
]

# Requires the columns: without them no part can be called complete.
result := {
	"status": judge.worst({part.status | some part in asked}),
	"message": say.lead([part.message | some part in asked]),
	"details": [sprintf("%s To produce it: %s.", [part.message, part.remediation]) | some part in asked],
	"evidence": ["/columns", "/labelled_rows"],
	"remediation": concat("; ", array.concat(["Run `tallystick audit` again"], [part.remediation | some part in asked])),
} if {
	is_string(facts.columns.task)
	count(asked) > 0
}

result := {
	"status": "pass",
	"message": sprintf("Every part that the tier %s asks for is there.", [data.tallystick.tier]),
	"evidence": ["/columns", "/labelled_rows"],
} if {
	is_string(facts.columns.task)
	count(asked) == 0
}
