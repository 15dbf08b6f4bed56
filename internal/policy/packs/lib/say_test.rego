package tallystick.lib.say_test

import data.tallystick.lib.say

test_decimals_of_integers_and_fractions if {
	say.decimal(1, 3) == "1.000"
	say.decimal(0, 1) == "0.0"
	say.decimal(0.0209, 3) == "0.021"
	say.decimal(-0.0209, 3) == "-0.021"
	say.decimal(1234.5678, 1) == "1234.6"
	say.percent(0.4485) == "44.9 %"
	say.percent(1) == "100.0 %"
	say.points(-0.214) == "-21.4 percentage points"
}

test_lead_counts_the_rest if {
	say.lead(["One."]) == "One."
	say.lead(["One", "Two"]) == "One. And 1 more, listed below."
	say.lead(["One.", "Two.", "Three."]) == "One. And 2 more, listed below."
}

test_comparison_is_said_from_its_figures if {
	say.comparison({
		"attribute": "race", "value": "A", "reference": "B", "metric": "false_positive_rate", "rate": 0.4485, "reference_rate": 0.2345,
		"difference": 0.2139, "difference_ci": [0.182, 0.245], "words": "",
	}) == "race: A has 44.9 % and B has 23.5 % (false positive rate), a difference of 21.4 percentage points, 95 % interval 18.2 percentage points to 24.5 percentage points."
}

test_comparison_prefers_its_own_words if {
	say.comparison({"words": "Twice as often."}) == "Twice as often."
}

test_large_and_small_decimals if {
	say.decimal(123456789012345, 3) == "123456789012345.000"
	say.decimal(250000000000000000000, 1) == "250000000000000000000.0"
	say.decimal(1.5e25, 1) == "15000000000000000000000000.0"
	say.decimal(0.00001, 3) == "0.000"
	say.decimal(-0.0001, 3) == "0.000"
	say.decimal(2.5e-9, 3) == "0.000"
}
