package tallystick.rules.dependency.vulnerabilities_test

import data.tallystick.fixture
import data.tallystick.rules.dependency.vulnerabilities

test_sound_passes if vulnerabilities.result.status == "pass" with input as fixture.release

test_a_vulnerability_fails if {
	vulnerabilities.result.status == "fail" with input as fixture.released("/dependencies/report/high", 1)
}

test_no_report_fails if {
	vulnerabilities.result.status == "fail" with input as fixture.released("/dependencies/report", null)
}

test_an_old_report_fails if {
	vulnerabilities.result.status == "fail" with input as fixture.released("/dependencies/report/produced", "2026-01-01T00:00:00Z")
}

test_without_the_facts_there_is_no_result if {
	not vulnerabilities.result with input as fixture.unreleased("/dependencies")
}
