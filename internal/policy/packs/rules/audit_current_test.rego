package tallystick.rules.audit.current_test

import data.tallystick.fixture
import data.tallystick.rules.audit.current

test_sound_passes if current.result.status == "pass" with input as fixture.release

test_no_audit_fails if {
	current.result.status == "fail" with input as fixture.released("/audit", null)
}

test_an_audit_of_other_files_fails if {
	current.result.status == "fail" with input as fixture.released("/audit/of_this_digest", false)
}

test_an_old_audit_fails if {
	current.result.status == "fail" with input as fixture.released("/audit/produced", "2026-01-01T00:00:00Z")
}

test_a_failed_audit_fails if {
	current.result.status == "fail" with input as fixture.released("/audit/verdict", "fail")
}

test_without_the_facts_there_is_no_result if {
	not current.result with input as fixture.unreleased("/audit")
}
