package tallystick.rules.windows.performance_test

import data.tallystick.fixture
import data.tallystick.rules.windows.performance

second(verdict) := fixture.put("/report/windows/1/performance_verdict", verdict)

test_steady_windows_pass if {
	performance.result.status == "pass" with input as fixture.sound
}

test_one_failing_window_fails_and_is_named if {
	result := performance.result with input as second("fail")
	result.status == "fail"
	result.details == ["second: as before"]
}

test_one_uncertain_window_warns_and_says_why if {
	result := performance.result with input as second("inconclusive")
	result.status == "warn"
	startswith(result.message, "Of 2 windows: 1 where the interval does not settle it. second: as before")
}

test_a_window_with_few_labels_is_told if {
	result := performance.result with input as second("insufficient")
	result.status == "pass"
	result.message == "Performance holds in 1 window; 1 with too few labels."
}

test_a_window_without_rows_warns_and_is_named if {
	gap := {"index": 2, "label": "third", "rows": 0, "verdict": "fail", "words": "third has no rows: a silent window is an alarm."}
	result := performance.result with input as fixture.put("/report/windows/-", gap)
	result.status == "warn"
	result.message == "Of 3 windows: 1 without any rows. third: third has no rows: a silent window is an alarm."
	result.evidence == ["/windows/2"]
}

test_a_window_without_rows_warns_beside_one_of_all_rows if {
	only := {"index": 0, "label": "all", "rows": 9, "performance": {}, "verdict": "insufficient", "words": "alone"}
	gap := {"index": 1, "label": "gap", "rows": 0, "verdict": "fail", "words": "silent"}
	performance.result.status == "warn" with input as fixture.put("/report/windows", [only, gap])
}

test_one_window_of_all_rows_does_not_apply if {
	only := {"index": 0, "label": "all", "performance": {}, "verdict": "insufficient", "words": "alone"}
	result := performance.result with input as fixture.put("/report/windows", [only])
	result.applies == false
	contains(result.message, "nothing to compare it with")
}

test_only_uncertain_windows_show_nothing if {
	uncertain := json.patch(second("inconclusive"), [{"op": "add", "path": "/report/windows/0/performance_verdict", "value": "inconclusive"}])
	performance.result.status == "inconclusive" with input as uncertain
}

test_windows_without_labels_are_insufficient if {
	unlabelled := json.patch(fixture.sound, [
		{"op": "remove", "path": "/report/windows/0/performance_verdict"},
		{"op": "remove", "path": "/report/windows/1/performance_verdict"},
	])
	performance.result.status == "insufficient" with input as unlabelled
}

test_without_windows_there_is_nothing_to_judge if {
	whole := json.patch(fixture.sound, [{"op": "remove", "path": "/report/windowing"}, {"op": "remove", "path": "/report/windows"}])
	result := performance.result with input as whole
	result.applies == false
}

test_lost_windows_are_no_result if {
	not performance.result with input as fixture.without("/report/windows")
}
