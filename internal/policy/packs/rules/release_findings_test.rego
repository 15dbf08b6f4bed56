package tallystick.rules.release.findings_test

import data.tallystick.fixture
import data.tallystick.rules.release.findings

finding(severity, due) := {"id": "f7", "kind": "code_differs", "severity": severity, "due": due, "summary": "the code is another"}

test_sound_passes if findings.result.status == "pass" with input as fixture.release

test_a_critical_finding_fails if {
	findings.result.status == "fail" with input as fixture.released("/findings", [finding("critical", null)])
}

test_a_late_finding_fails if {
	findings.result.status == "fail" with input as fixture.released("/findings", [finding("low", "2026-01-01T00:00:00Z")])
}

test_a_small_finding_passes if {
	findings.result.status == "pass" with input as fixture.released("/findings", [finding("low", null)])
}

test_without_the_facts_there_is_no_result if {
	not findings.result with input as fixture.unreleased("/findings")
}
