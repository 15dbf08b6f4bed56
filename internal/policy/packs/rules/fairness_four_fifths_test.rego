package tallystick.rules.fairness.four_fifths_test

import data.tallystick.fixture
import data.tallystick.rules.fairness.four_fifths

test_above_the_screen_passes if {
	four_fifths.result.status == "pass" with input as fixture.sound
}

test_below_or_across_only_warns if {
	every verdict in ["fail", "warn", "inconclusive"] {
		result := four_fifths.result with input as fixture.put("/report/fairness/comparisons/3/verdict", verdict)
		result.status == "warn"
	}
}

test_small_groups_are_insufficient if {
	four_fifths.result.status == "insufficient" with input as fixture.put("/report/fairness/comparisons/3/verdict", "insufficient")
}

test_without_rates_there_is_nothing_to_judge if {
	result := four_fifths.result with input as fixture.without("/report/fairness")
	result.applies == false
}
