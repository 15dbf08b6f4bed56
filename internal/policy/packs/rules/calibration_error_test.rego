package tallystick.rules.calibration.error_test

import data.tallystick.fixture
import data.tallystick.rules.calibration.error as calibration

test_within_the_limit_passes if {
	calibration.result.status == "pass" with input as fixture.sound
}

test_beyond_fails_and_across_is_inconclusive if {
	calibration.result.status == "fail" with input as fixture.put("/limits/calibration/ece/max", 0.005)
	calibration.result.status == "inconclusive" with input as fixture.put("/limits/calibration/ece/max", 0.02)
}

test_a_limit_that_was_not_measured_fails if {
	calibration.result.status == "fail" with input as fixture.put("/limits/calibration/mce", {"max": 0.1})
}

test_missing_calibration_fails if {
	result := calibration.result with input as fixture.without("/report/calibration")
	result.status == "fail"
	contains(result.remediation, "--score")
}

test_no_limit_warns_at_tier_high if {
	calibration.result.status == "warn" with input as fixture.put("/limits/calibration", {})
}

test_what_is_no_probability_does_not_apply if {
	skipped := calibration.result with input as fixture.put("/report/calibration/skipped", "the score exceeds 1")
	skipped.applies == false
	scoreless := json.patch(fixture.sound, [{"op": "remove", "path": "/report/columns/score"}, {"op": "remove", "path": "/report/calibration"}])
	unscored := calibration.result with input as scoreless
	unscored.applies == false
	regression := json.patch(fixture.put("/report/columns/task", "regression"), [{"op": "remove", "path": "/report/calibration"}])
	continuous := calibration.result with input as regression
	continuous.applies == false
}
