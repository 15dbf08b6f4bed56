package tallystick.rules.data.leakage_test

import data.tallystick.fixture
import data.tallystick.rules.data.leakage

test_no_leak_passes if {
	leakage.result.status == "pass" with input as fixture.sound
}

test_the_worst_leak_decides if {
	leaks := [{"verdict": "warn", "words": "age is close."}, {"verdict": "fail", "words": "income is the label."}]
	result := leakage.result with input as fixture.put("/report/leakage", leaks)
	result.status == "fail"
	result.details == ["income is the label.", "age is close."]
}

test_without_labels_it_is_insufficient if {
	result := leakage.result with input as fixture.put("/report/labelled_rows", 0)
	result.status == "insufficient"
	contains(result.remediation, "--label")
}

test_without_features_there_is_nothing_to_judge if {
	result := leakage.result with input as fixture.put("/report/columns/features", [])
	result.applies == false
}

test_nobody_looked_is_insufficient if {
	leakage.result.status == "insufficient" with input as fixture.without("/report/leakage")
}

test_looked_and_nothing_could_leak_does_not_apply if {
	result := leakage.result with input as fixture.put("/report/leakage", [])
	result.applies == false
}

test_a_leak_without_verdict_is_no_result if {
	not leakage.result with input as fixture.put("/report/leakage", [{"words": "?"}])
}
