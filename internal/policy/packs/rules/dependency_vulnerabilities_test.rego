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

# black is a third-party model of which nobody has the list of libraries.
black(report) := json.patch(fixture.release, [
	{"op": "replace", "path": "/release/version/third_party", "value": true},
	{"op": "replace", "path": "/release/dependencies/recorded", "value": false},
	{"op": "replace", "path": "/release/dependencies/report", "value": report},
])

test_a_black_box_is_not_asked if {
	result := vulnerabilities.result with input as black(null)
	result.status == "skip"
	result.applies == false
	contains(result.message, "supplier")
}

test_the_report_of_a_supplier_is_judged if {
	sound := fixture.release.release.dependencies.report
	vulnerabilities.result.status == "pass" with input as black(sound)
	vulnerabilities.result.status == "fail" with input as black(object.union(sound, {"critical": 9}))
}

test_a_list_of_libraries_is_asked_about if {
	vulnerabilities.result.status == "fail" with input as json.patch(black(null), [{"op": "replace", "path": "/release/dependencies/recorded", "value": true}])
}

test_nobody_says_whether_it_is_a_black_box if {
	vulnerabilities.result.status == "fail" with input as json.patch(black(null), [{"op": "remove", "path": "/release/version/third_party"}])
}
