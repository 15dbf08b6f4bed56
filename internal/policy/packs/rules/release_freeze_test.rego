package tallystick.rules.release.freeze_test

import data.tallystick.fixture
import data.tallystick.rules.release.freeze

frozen(change) := object.union(
	{
		"id": "f1", "environment": "production", "model": "credit", "reason": "serious incident 7 is being reported",
		"by": "olga", "from": "2026-11-20T08:00:00Z", "until": null,
	},
	change,
)

with_freeze(change) := object.union(fixture.release, {"freeze": [frozen(change)]})

test_no_freeze_passes if freeze.result.status == "pass" with input as fixture.release

test_a_freeze_denies_and_is_named if {
	result := freeze.result with input as with_freeze({})
	result.status == "fail"
	contains(result.message, "Freeze f1 of production for credit by olga since 2026-11-20: serious incident 7 is being reported.")
	contains(result.remediation, "tallystick release unfreeze f1")
}

test_a_freeze_of_everything_denies if {
	freeze.result.status == "fail" with input as with_freeze({"environment": "", "model": ""})
}

test_a_freeze_elsewhere_does_not if {
	freeze.result.status == "pass" with input as with_freeze({"environment": "staging"})
	freeze.result.status == "pass" with input as with_freeze({"model": "fraud"})
}

test_a_freeze_of_nowhere_has_no_result if {
	not freeze.result with input as object.union(fixture.release, {"freeze": [{"id": "f1"}]})
}

test_a_rollback_is_frozen_too if {
	freeze.result.status == "fail" with input as object.union(with_freeze({}), {"release": {"kind": "rollback"}})
}
