package tallystick.rules.evidence.required_test

import data.tallystick.fixture
import data.tallystick.rules.evidence.required

test_whole_evidence_passes if {
	required.result.status == "pass" with input as fixture.sound
}

test_each_missing_part_is_named_with_its_flag if {
	cases := [
		{"pointer": "/report/quality", "flag": "tallystick audit"},
		{"pointer": "/report/labelled_rows", "flag": "--label"},
		{"pointer": "/report/performance", "flag": "--prediction"},
		{"pointer": "/report/calibration", "flag": "--score"},
		{"pointer": "/report/fairness", "flag": "--positive"},
		{"pointer": "/report/drift", "flag": "--reference"},
	]
	every case in cases {
		result := required.result with input as fixture.without(case.pointer)
		result.status == "fail"
		contains(result.remediation, case.flag)
	}
}

test_no_groups_is_a_warning if {
	bare := json.patch(fixture.sound, [{"op": "remove", "path": "/report/columns/groups"}, {"op": "remove", "path": "/report/fairness"}])
	result := required.result with input as bare
	result.status == "warn"
	contains(result.remediation, "--group")
}

test_low_asks_for_less if {
	result := required.result with input as fixture.without("/report/drift") with data.tallystick.tier as "low"
	result.status == "pass"
}

test_without_columns_there_is_no_result if {
	not required.result with input as fixture.without("/report/columns")
}
