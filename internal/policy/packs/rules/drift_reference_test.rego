package tallystick.rules.drift.reference_test

import data.tallystick.fixture
import data.tallystick.rules.drift.reference

test_no_drift_passes if {
	reference.result.status == "pass" with input as fixture.sound
}

test_drift_fails_with_scores_first if {
	drifted := json.patch(fixture.sound, [
		{"op": "add", "path": "/report/drift/verdict", "value": "fail"},
		{"op": "add", "path": "/report/drift/features/0/verdict", "value": "fail"},
		{"op": "add", "path": "/report/drift/features/1/verdict", "value": "fail"},
	])
	result := reference.result with input as drifted
	result.status == "fail"
	result.details == ["score moved.", "age moved."]
}

test_a_drifted_window_is_enough if {
	window := {"verdict": "fail", "features": [{"name": "age", "verdict": "fail"}]}
	result := reference.result with input as fixture.put("/report/windows/1/drift", window)
	result.status == "fail"
	result.details == ["Window second: age drifted."]
	startswith(result.message, "Nothing drifted over the whole file, but 1 window holds drift. Window second")
}

test_too_few_rows_are_insufficient if {
	reference.result.status == "insufficient" with input as fixture.put("/report/drift/verdict", "insufficient")
}

test_a_missing_reference_is_told_elsewhere if {
	none := json.patch(fixture.without("/report/drift"), [{"op": "remove", "path": "/report/reference"}])
	result := reference.result with input as none
	result.applies == false
	contains(result.message, "evidence.required")
}

test_a_reference_without_comparison_is_insufficient if {
	reference.result.status == "insufficient" with input as fixture.without("/report/drift")
}

test_a_looser_threshold_than_the_limit_fails if {
	reference.result.status == "fail" with input as fixture.put("/limits/drift/fail_psi", 0.2)
}
