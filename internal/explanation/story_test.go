package explanation

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tallystick/tallystick/internal/prediction"
)

func TestStory(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		record prediction.Record
		want   []string
	}{
		"nothing is known": {prediction.Record{}, nil},
		"below": {
			prediction.Record{Score: prediction.Number(0.25), Threshold: prediction.Number(0.5), Output: prediction.String("refuse"), DecidedBy: prediction.Automated},
			[]string{"The score was 0.25, below the threshold of 0.5.", "The output was refuse.", "It was decided by the machine alone."},
		},
		"on the threshold": {
			prediction.Record{Score: prediction.Number(0.5), Threshold: prediction.Number(0.5)},
			[]string{"The score was 0.5, at or above the threshold of 0.5."},
		},
		"no threshold": {prediction.Record{Score: prediction.Integer(7)}, []string{"The score was 7; no threshold was recorded."}},
		"overridden": {
			prediction.Record{
				Output: prediction.String("approve"), DecidedBy: prediction.Human,
				Override: &prediction.Override{By: "clerk-7", From: prediction.String("refuse"), Why: "the income was wrong."},
			},
			[]string{
				"The output was approve.",
				"A person, clerk-7, put it in the place of what the model had said, refuse, because: the income was wrong.",
				"A person decided.",
			},
		},
		"something else answered": {
			prediction.Record{Status: prediction.Fallback, Flags: []string{"edge", "risk"}},
			[]string{"Something else answered in the place of the model.", "It was flagged: edge, risk."},
		},
	} {
		if diff := cmp.Diff(test.want, story(&test.record, true)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestCauses: the greatest contribution comes first whichever way it goes, and what is no number is none.
func TestCauses(t *testing.T) {
	t.Parallel()
	values := func(m map[string]prediction.Value) prediction.Features { return prediction.NewFeatures(m) }
	r := prediction.Record{
		Features:     values(map[string]prediction.Value{"age": prediction.Integer(19), "income": prediction.Integer(53085)}),
		Attributions: values(map[string]prediction.Value{"age": prediction.Number(0.1), "income": prediction.Number(-0.3), "broken": prediction.String("NaN"), "region": prediction.Number(0.2)}),
	}
	var got []string
	for _, c := range causes(&r) {
		got = append(got, c.Feature+" "+string(c.Value))
	}
	if diff := cmp.Diff([]string{"income 53085", "region ", "age 19"}, got); diff != "" {
		t.Error(diff)
	}
}

// TestLetter: it says what the record says, names nobody, and leaves open what nobody knows.
func TestLetter(t *testing.T) {
	t.Parallel()
	r := prediction.Record{
		Time: prediction.TimeOf(time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)), Model: "credit", DecidedBy: prediction.Human, Output: prediction.String("refuse"),
		Override: &prediction.Override{By: "clerk-7", From: prediction.String("approve")},
	}
	x := Explanation{Prediction: "019f0a3c-6b1e-7a44-9d2f-0c8e5a7b1234", record: r, Model: ModelFacts{Model: "credit", Owner: "usr_olga"}}
	var b strings.Builder
	if err := x.WriteLetter(&b); err != nil {
		t.Fatal(err)
	}
	letter := b.String()
	for _, want := range []string{"3 March 2026", "refuse", "019f0a3c-6b1e-7a44-9d2f-0c8e5a7b1234", "[name]", "You can ask that a person reviews this decision", "do not hold what each fact contributed"} {
		if !strings.Contains(letter, want) {
			t.Errorf("the letter does not say %q:\n%s", want, letter)
		}
	}
	for _, name := range []string{"clerk-7", "usr_olga"} {
		if strings.Contains(letter, name) {
			t.Errorf("the letter names %s", name)
		}
	}
	if strings.Contains(letter, "an automated system") {
		t.Error("a person decided, and the letter says a machine did")
	}
}

// TestMissing: what is not on record is named.
func TestMissing(t *testing.T) {
	t.Parallel()
	var x Explanation
	x.missing(&prediction.Record{})
	bare := len(x.Missing)
	whole := Explanation{
		Model: ModelFacts{Digest: "sha256:1"}, Served: nil, Data: []LearnedFrom{{}}, Labels: []TurnedOut{{}},
	}
	whole.missing(&prediction.Record{
		Features: prediction.NewFeatures(map[string]prediction.Value{"age": prediction.Integer(1)}), Output: prediction.Integer(1), Score: prediction.Integer(1),
		Threshold: prediction.Integer(1), DecidedBy: prediction.Automated, Rationale: "why", Version: "1", Environment: "production",
	})
	want := []string{"an assignment by which the version served there at that time", "a decision of the gate that let the version in there"}
	if diff := cmp.Diff(want, whole.Missing); diff != "" || bare < 8 {
		t.Errorf("%d of nothing; %s", bare, diff)
	}
}
