package tallystick.rules.evidence.owed_test

import data.tallystick.fixture
import data.tallystick.rules.evidence.owed

test_sound_passes if owed.result.status == "pass" with input as fixture.release

test_missing_evidence_fails if {
	owed.result.status == "fail" with input as fixture.released("/owed/2/state", "missing")
}

test_swapped_evidence_fails if {
	owed.result.status == "fail" with input as fixture.released("/owed/2/subject", "sha256:ab")
}

test_an_experiment_owes_nothing_and_fails if {
	owed.result.status == "fail" with input as fixture.released("/owed", [])
}

test_warning_evidence_warns if {
	owed.result.status == "warn" with input as fixture.released("/owed/2/verdict", "warn")
}

test_without_the_facts_there_is_no_result if {
	not owed.result with input as fixture.unreleased("/owed")
}
