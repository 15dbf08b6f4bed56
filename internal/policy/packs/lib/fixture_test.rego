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
	"freeze": null,
}

# sound with the value at a JSON pointer replaced or added, or without it.
put(pointer, value) := json.patch(sound, [{"op": "add", "path": pointer, "value": value}])

without(pointer) := json.patch(sound, [{"op": "remove", "path": pointer}])
