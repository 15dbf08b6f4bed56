# METADATA
# title: Judging an estimate by its interval
package tallystick.lib.judge

# From worst to best.
order := ["fail", "insufficient", "inconclusive", "warn", "pass"]

# The worst of a set of statuses; undefined for the empty set and for unknown words.
worst(statuses) := [status | some status in order; status in statuses][0] if {
	every status in statuses { status in order }
}

# Many comparisons of one kind, such as windows or metrics: one that fails decides. One that is
# not settled is a warning as long as another shows something; if none does, nothing was shown.
many(statuses) := "fail" if {
	"fail" in statuses
	worst(statuses)
}

many(statuses) := worst(statuses) if count(statuses & {"fail", "warn", "pass"}) == 0

many(statuses) := "warn" if {
	count(statuses & {"warn", "pass"}) > 0
	worst(statuses) in {"warn", "inconclusive", "insufficient"}
}

many(statuses) := "pass" if worst(statuses) == "pass"

# The sides of a limit that are stated.
sides(limit) := {side |
	some side in ["min", "max"]
	object.get(limit, side, null) != null
}

# An estimate against a limit with min, max or both. The point estimate plays no part: wholly
# within the limit is a pass, wholly beyond it a fail, and across it inconclusive. Undefined if a
# stated side is not a number.
bound(estimate, limit) := "insufficient" if {
	count(sides(limit)) > 0
	not measured(estimate)
}

bound(estimate, limit) := worst({against(side, estimate.ci, limit[side]) | some side in sides(limit)}) if {
	measured(estimate)
	every side in sides(limit) { is_number(limit[side]) }
}

measured(estimate) if {
	is_number(estimate.value)
	is_number(estimate.ci[0])
	is_number(estimate.ci[1])
}

against("min", ci, limit) := "pass" if ci[0] >= limit

against("min", ci, limit) := "fail" if ci[1] < limit

against("min", ci, limit) := "inconclusive" if {
	ci[0] < limit
	ci[1] >= limit
}

against("max", ci, limit) := "pass" if ci[1] <= limit

against("max", ci, limit) := "fail" if ci[0] > limit

against("max", ci, limit) := "inconclusive" if {
	ci[0] <= limit
	ci[1] > limit
}

# A row for something that is not there: the tier's table says how much that matters.
absent(asked, message, remediation) := {
	"applies": false,
	"status": "skip",
	"message": message,
	"remediation": remediation,
} if {
	asked == "skip"
}

absent(asked, message, remediation) := {
	"status": asked,
	"message": message,
	"remediation": remediation,
} if {
	asked in {"fail", "warn"}
}

# A row for a rule that has nothing to judge, seen from facts that are there.
not_applicable(message) := {"applies": false, "status": "skip", "message": message}
