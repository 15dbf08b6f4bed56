package tallystick.rules.release.waivers_test

import data.tallystick.fixture
import data.tallystick.rules.release.waivers

waiver := {
	"id": "w1", "rule": "artifact.format", "version": "2", "owner": "grace", "reason": "the supplier ships nothing else",
	"compensating_control": "loaded in a sandbox", "expires": "2026-12-31T00:00:00Z", "environment": "", "digest": "",
	"approved_by": ["hedy"], "requester": "ada",
}

test_sound_does_not_apply if {
	result := waivers.result with input as fixture.release
	result.applies == false
}

test_a_waiver_of_ones_own_fails if {
	waivers.result.status == "fail" with input as object.union(fixture.release, {"waivers": [object.union(waiver, {"approved_by": ["grace", "ada"]})]})
}

test_an_incomplete_waiver_fails if {
	waivers.result.status == "fail" with input as object.union(fixture.release, {"waivers": [object.union(waiver, {"reason": ""})]})
}

test_a_good_waiver_warns if {
	waivers.result.status == "warn" with input as object.union(fixture.release, {"waivers": [waiver]})
}
