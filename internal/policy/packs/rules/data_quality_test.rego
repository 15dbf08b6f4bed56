package tallystick.rules.data.quality_test

import data.tallystick.fixture
import data.tallystick.rules.data.quality

test_sound_data_passes if {
	quality.result.status == "pass" with input as fixture.sound
}

test_the_verdict_of_the_report_counts if {
	every verdict in ["fail", "warn", "insufficient", "inconclusive"] {
		result := quality.result with input as fixture.put("/report/quality/verdict", verdict)
		result.status == verdict
	}
}

test_issues_are_listed_worst_first if {
	column := {"name": "age", "verdict": "fail", "issues": [
		{"check": "constant", "verdict": "warn", "words": "one value"},
		{"check": "type", "verdict": "fail", "words": "text now"},
	]}
	result := quality.result with input as fixture.put("/report/quality/columns/0", column)
	result.details == ["age: text now", "age: one value"]
}

test_without_quality_there_is_no_result if {
	not quality.result with input as fixture.without("/report/quality")
}

test_an_unknown_verdict_is_no_result if {
	not quality.result with input as fixture.put("/report/quality/verdict", "fine")
}
