package tallystick.rules.fairness.small_groups_test

import data.tallystick.fixture
import data.tallystick.rules.fairness.small_groups

test_large_groups_pass if {
	small_groups.result.status == "pass" with input as fixture.sound
}

test_a_small_group_is_named_with_its_rows if {
	small := json.patch(fixture.sound, [
		{"op": "add", "path": "/report/fairness/comparisons/1/verdict", "value": "insufficient"},
		{"op": "add", "path": "/report/fairness/comparisons/1/n", "value": 18},
	])
	result := small_groups.result with input as small
	result.status == "warn"
	result.details == ["Female (sex): a rate rests on 18 labelled rows."]
}

test_without_fairness_there_is_nothing_to_judge if {
	result := small_groups.result with input as fixture.without("/report/fairness")
	result.applies == false
}
