package tallystick.rules.release.separation_test

import data.tallystick.fixture
import data.tallystick.rules.release.separation

test_sound_passes if separation.result.status == "pass" with input as fixture.release

test_own_work_fails if {
	separation.result.status == "fail" with input as fixture.released("/approvals/0/approver/id", "ada")
}

test_an_own_token_fails if {
	separation.result.status == "fail" with input as fixture.released("/approvals/0/approver/minter", "ada")
}

test_nobodys_work_is_insufficient if {
	separation.result.status == "insufficient" with input as fixture.released("/authors", [])
}

test_without_the_facts_there_is_no_result if {
	not separation.result with input as fixture.unreleased("/approvals")
}
