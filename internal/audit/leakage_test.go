package audit

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tallystick/tallystick"
)

// COMPAS: is_recid says whether somebody reoffended at all, which two_year_recid is a part of.
func TestLeakageOfCompas(t *testing.T) {
	t.Parallel()
	doc := measured(t, compas(t))
	for _, leak := range doc.Leakage {
		suspicious := leak.Verdict == tallystick.Warn || leak.Verdict == tallystick.Fail
		if suspicious != (leak.Column == "is_recid") {
			t.Errorf("%s: %s", leak.Column, leak.Words)
		}
	}
	if len(doc.Leakage) == 0 {
		t.Error("no column was held against the label")
	}
}

// A copy of the label among the features is found for every kind of label, also where the label
// comes late.
func TestLeakageOfCopies(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		label func(rng *rand.Rand) string
		cfg   Config
	}{
		{"binary", func(rng *rand.Rand) string { return fmt.Sprint(rng.IntN(2)) }, Config{PositiveLabel: "1"}},
		{"multiclass", func(rng *rand.Rand) string { return []string{"red", "green", "blue"}[rng.IntN(3)] }, Config{}},
		{"regression", func(rng *rand.Rand) string { return fmt.Sprintf("%.3f", rng.NormFloat64()) }, Config{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(8, 8))
			var b, late strings.Builder
			b.WriteString("id,label,prediction,copy,noise\n")
			late.WriteString("id,label\n")
			for row := range 1200 {
				label := test.label(rng)
				fmt.Fprintf(&b, "k%d,%s,%s,%s,%.3f\n", row, label, test.label(rng), label, rng.NormFloat64())
				fmt.Fprintf(&late, "k%d,%s\n", row, label)
			}
			cfg := test.cfg
			cfg.Files, cfg.Label, cfg.Prediction, cfg.ID = []string{write(t, "copies.csv", b.String())}, "label", "prediction", "id"
			cfg.Features = []string{"copy", "noise"}
			check := func(cfg Config) {
				verdicts := map[string]tallystick.Verdict{}
				for _, leak := range measured(t, cfg).Leakage {
					verdicts[leak.Column] = leak.Verdict
				}
				if len(verdicts) != 2 || verdicts["copy"] != tallystick.Fail || verdicts["noise"] != tallystick.Pass {
					t.Errorf("verdicts %v, want the copy to fail and the noise to pass", verdicts)
				}
			}
			check(cfg)
			cfg.Labels = []string{write(t, "late.csv", late.String())}
			check(cfg)
		})
	}
}
