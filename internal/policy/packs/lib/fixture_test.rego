# An input document in which every rule passes, for the tests of the rules. A test changes one
# thing of it with json.patch.
package tallystick.fixture

estimate(value, low, high) := {"value": value, "ci": [low, high], "n": 5000, "method": "test"}

comparison(group, metric) := {
	"attribute": "sex", "value": group, "reference": "Male", "metric": metric, "rate": 0.31, "reference_rate": 0.3,
	"n": 900, "n_reference": 950, "difference": 0.01, "difference_ci": [-0.02, 0.04], "verdict": "pass", "words": "",
}

sound := {
	"schema": "https://github.com/tallystick/tallystick/schema/gate-input/v1",
	"now": "2026-11-21T08:00:00Z",
	"model": {"name": "credit", "version": "2", "owner": "ada", "tier": "high"},
	"environment": null,
	"release": null,
	"report": {
		"columns": {"task": "binary", "score": "score", "groups": ["sex"], "features": ["age", "income"]},
		"rows": 5000,
		"labelled_rows": 5000,
		"quality": {"rows": 5000, "columns": [{"name": "age", "verdict": "pass"}], "duplicate_rows": 0, "verdict": "pass"},
		"contract": {
			"contract_digest": "sha256:00", "name": "credit", "verdict": "pass",
			"checks": [{"id": "age.range", "verdict": "pass", "words": "age lies within 18 to 120."}],
		},
		"performance": {"roc_auc": estimate(0.8, 0.78, 0.82), "log_loss": estimate(0.4, 0.38, 0.42), "absent": [{"metric": "rmse", "reason": "classes have none"}]},
		"calibration": {"ece": estimate(0.02, 0.01, 0.03)},
		"fairness": {
			"limits": {"gap": 0.1},
			"groups": [],
			"comparisons": [
				comparison("Female", "equal_opportunity"),
				comparison("Female", "false_positive_rate"),
				comparison("Female", "predictive_parity"),
				comparison("Female", "four_fifths"),
			],
		},
		"reference": {"digest": "sha256:02", "rows": 9000},
		"drift": {
			"reference_rows": 9000, "rows": 5000, "thresholds": {"fail_psi": 0.25}, "verdict": "pass",
			"features": [
				{"name": "age", "role": "feature", "verdict": "pass", "words": "age moved."},
				{"name": "score", "role": "score", "verdict": "pass", "words": "score moved."},
			],
		},
		"leakage": [{"column": "age", "verdict": "pass", "words": ""}, {"column": "income", "verdict": "pass", "words": ""}],
		"windowing": {"by": "rows"},
		"windows": [
			{"index": 0, "label": "first", "performance_verdict": "pass", "words": "as before", "drift": {"verdict": "pass", "features": []}},
			{"index": 1, "label": "second", "performance_verdict": "pass", "words": "as before", "drift": {"verdict": "pass", "features": []}},
		],
	},
	"limits": {
		"performance": {"roc_auc": {"min": 0.7, "max_drop": 0.02}, "log_loss": {"max": 0.5}},
		"calibration": {"ece": {"max": 0.05}},
		"fairness": {"gap": 0.1},
		"drift": {"fail_psi": 0.25},
	},
	"criteria": {"committed": true, "digest": "sha256:01", "before_first_audit": true, "words": "Fixed in time. It cannot show who looked elsewhere."},
	"champion": {"name": "credit 1", "metrics": [{
		"metric": "roc_auc", "value": estimate(0.8, 0.78, 0.82), "baseline": estimate(0.79, 0.77, 0.81), "difference": estimate(0.01, -0.015, 0.03), "verdict": "pass",
	}]},
	"waivers": [],
	"freeze": [],
}

# sound with the value at a JSON pointer replaced or added, or without it.
put(pointer, value) := json.patch(sound, [{"op": "add", "path": pointer, "value": value}])

without(pointer) := json.patch(sound, [{"op": "remove", "path": pointer}])

digest := "sha256:1111111111111111111111111111111111111111111111111111111111111111"

root := "sha256:2222222222222222222222222222222222222222222222222222222222222222"

approval(id, person, roles) := {
	"id": id, "approver": {"id": person, "did": "", "minter": "", "service": false}, "roles": roles, "verdict": "approve",
	"digest": digest, "at": "2026-11-21T07:00:00Z", "until": "2026-11-28T07:00:00Z", "conflict": "",
}

# sound as a release of a champion to a gated environment that may go ahead.
release := object.union(sound, {"environment": "production", "release": {
	"request": "r1", "kind": "promotion", "role": "champion",
	"environment": {"name": "production", "strictness": "gated", "residency": "eu"},
	"version": {
		"digest": digest, "root": root, "state": "registered", "third_party": false, "code_commit": "c0ffee",
		"image": "sha256:33", "lacks": [], "age": 86400, "served": [],
	},
	"authors": [
		{"id": "ada", "did": "registered", "minter": "", "service": false},
		{"id": "ada", "did": "requested", "minter": "", "service": false},
	],
	"owed": [
		{
			"id": "purpose", "title": "Purpose and acceptable use", "kind": "", "state": "present", "verdict": "", "signer": "", "signer_known": false,
			"subject": "", "produced": null, "until": null, "digest": "", "command": "tallystick model update credit --purpose TEXT", "controls": ["iso-42001/A.9.4"],
		},
		{
			"id": "signature", "title": "Signature over the files", "kind": "signature", "state": "present", "verdict": "", "signer": "k1", "signer_known": true,
			"subject": root, "produced": "2026-11-20T07:00:00Z", "until": null, "digest": "sha256:44",
			"command": "tallystick model sign PATH --model credit@2 --key FILE", "controls": ["eu-ai-act/Art. 15"],
		},
		{
			"id": "evaluation", "title": "Evaluation by the gate", "kind": "evaluation", "state": "present", "verdict": "pass", "signer": "k1", "signer_known": true,
			"subject": digest, "produced": "2026-11-20T08:00:00Z", "until": "2027-02-18T08:00:00Z", "digest": "sha256:55",
			"command": "tallystick audit FILE --model credit --version 2 --tier high", "controls": ["eu-ai-act/Art. 15"],
		},
	],
	"audit": {
		"digest": "sha256:55", "verdict": "pass", "produced": "2026-11-20T08:00:00Z", "policy_digest": "sha256:66",
		"data_digest": "sha256:77", "rows": 5000, "of_this_digest": true,
	},
	"artifacts": [{"name": "model.safetensors", "format": "safetensors", "unsafe": false, "reason": ""}],
	"data": [{
		"dataset": "loans", "snapshot": "2026-10", "role": "training", "consent_basis": "contract",
		"forbidden_purposes": ["marketing"], "personal": ["age"], "masked": ["age"],
	}],
	"dependencies": {
		"recorded": true, "unpinned": [],
		"report": {"digest": "sha256:88", "produced": "2026-11-20T08:00:00Z", "critical": 0, "high": 0},
	},
	"approvals": [approval("a1", "grace", ["validator"]), approval("a2", "hedy", ["approver"]), approval("a3", "mary", ["approver"])],
	"champion": {"version": "1", "digest": "sha256:99", "since": "2026-05-01T00:00:00Z"},
	"findings": [],
	"budget": {"name": "credit availability", "remaining": 0.4, "window": "30d", "paused": false, "stale": false, "verdict": "pass"},
	"purpose": "credit scoring",
}})

# release with the value at a JSON pointer below /release replaced or added, or without it.
released(pointer, value) := json.patch(release, [{"op": "add", "path": concat("", ["/release", pointer]), "value": value}])

unreleased(pointer) := json.patch(release, [{"op": "remove", "path": concat("", ["/release", pointer])}])

# release with another kind and earlier times in which the version served.
rollback(served) := json.patch(release, [
	{"op": "add", "path": "/release/kind", "value": "rollback"},
	{"op": "add", "path": "/release/version/served", "value": served},
])
