package tallystick.rules.release.approvals_test

import data.tallystick.fixture
import data.tallystick.rules.release.approvals

test_sound_passes if approvals.result.status == "pass" with input as fixture.release

test_no_approval_fails if {
	approvals.result.status == "fail" with input as fixture.released("/approvals", [])
}

test_a_rejection_fails if {
	approvals.result.status == "fail" with input as fixture.released("/approvals/0/verdict", "reject")
}

test_a_missing_role_fails if {
	approvals.result.status == "fail" with input as fixture.released("/approvals/2/roles", ["validator"])
}

test_a_program_does_not_count if {
	approvals.result.status == "fail" with input as fixture.released("/approvals/2/approver/service", true)
}

test_a_conflict_does_not_count if {
	approvals.result.status == "fail" with input as fixture.released("/approvals/2/conflict", "shares")
}

test_other_files_do_not_count if {
	approvals.result.status == "fail" with input as fixture.released("/approvals/2/digest", "sha256:ab")
}

test_without_the_facts_there_is_no_result if {
	not approvals.result with input as fixture.unreleased("/approvals")
}
