package selection_test

import (
	"encoding/binary"
	"math"
	"strings"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/selection"
)

func chooser(t *testing.T, r selection.Rule, tier tallystick.Tier) *selection.Chooser {
	t.Helper()
	c, err := selection.New(r, tier)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// binomialRange returns the counts between which a binomial variable lies with a probability of at least 1 - 2*tail.
func binomialRange(n int, p, tail float64) (low, high int) {
	b := distuv.Binomial{N: float64(n), P: p}
	for low = 0; b.CDF(float64(low)) < tail; low++ {
	}
	for high = low; 1-b.CDF(float64(high)) > tail; high++ {
	}
	return low, high
}

// random returns the bytes of record n: what a record draws with is 16 random bytes, and these are all different.
func random(n int) []byte { return binary.BigEndian.AppendUint64(make([]byte, 8), uint64(n)) }

// TestDrawIsUniform: the share of draws below a bound is that bound, by the exact binomial distribution, and so it is
// within each stratum, for each rule and question. The bytes are fixed: the test holds or it does not.
func TestDrawIsUniform(t *testing.T) {
	t.Parallel()
	const records, tail = 40_000, 1e-6
	for _, share := range []float64{0.001, 0.01, 0.2, 0.5, 0.97} {
		for _, name := range []string{"sample", "other"} {
			c := chooser(t, selection.Rule{Purpose: "body", Model: "credit", Name: name, Terms: selection.Terms{Share: share}}, "")
			for _, question := range []string{"", "second"} {
				var drawn [4]int // by stratum
				for n := range records {
					if c.DrawOf(question, random(n)) < share {
						drawn[n%len(drawn)]++
					}
				}
				for stratum, got := range drawn {
					if low, high := binomialRange(records/len(drawn), share, tail); got < low || got > high {
						t.Errorf("share %v, rule %s, question %q, stratum %d: %d drawn, want %d to %d", share, name, question, stratum, got, low, high)
					}
				}
			}
		}
	}
}

// TestDrawsAreIndependent: which records one rule draws says nothing of those that another draws, of another purpose,
// model, name or question.
func TestDrawsAreIndependent(t *testing.T) {
	t.Parallel()
	const records, share, tail = 40_000, 0.1, 1e-6
	rule := selection.Rule{Purpose: "body", Model: "credit", Name: "sample", Terms: selection.Terms{Share: share}}
	first := chooser(t, rule, "")
	others := map[string]func(random []byte) float64{"question": func(random []byte) float64 { return first.DrawOf("second", random) }}
	for what, change := range map[string]func(r *selection.Rule){
		"purpose": func(r *selection.Rule) { r.Purpose = "case" }, "model": func(r *selection.Rule) { r.Model = "fraud" }, "name": func(r *selection.Rule) { r.Name = "sample2" },
	} {
		r := rule
		change(&r)
		others[what] = chooser(t, r, "").Draw
	}
	low, high := binomialRange(records, share*share, tail)
	for what, other := range others {
		both := 0
		for n := range records {
			if first.Draw(random(n)) < share && other(random(n)) < share {
				both++
			}
		}
		if both < low || both > high {
			t.Errorf("another %s: %d records are drawn by both, want %d to %d", what, both, low, high)
		}
	}
}

// TestDrawIsAsDocumented: docs/predictions.md says how the draw is computed; this value is of Python's hashlib:
//
//	int.from_bytes(hashlib.sha256(b"tallystick body draw 1\0credit\0sample\0" + bytes(16)).digest()[:8], "big") >> 11
func TestDrawIsAsDocumented(t *testing.T) {
	t.Parallel()
	c := chooser(t, selection.Rule{Purpose: "body", Model: "credit", Name: "sample"}, "")
	if got := uint64(c.Draw(make([]byte, 16)) * (1 << 53)); got != 5915753228174016 {
		t.Errorf("%d", got)
	}
}

func record(t *testing.T, text string) *prediction.Record {
	t.Helper()
	r, err := prediction.ParseJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return &r
}

func TestHolds(t *testing.T) {
	t.Parallel()
	margin := 0.125
	for _, test := range []struct {
		name   string
		terms  selection.Terms
		tier   tallystick.Tier
		record string
		want   bool
	}{
		{"no terms", selection.Terms{}, "", `{}`, true},
		{"condition", selection.Terms{Where: []string{"f_income >= 100"}}, "", `{"features":{"income":100}}`, true},
		{"condition that does not hold", selection.Terms{Where: []string{"f_income >= 100"}}, "", `{"features":{"income":99}}`, false},
		{"absent", selection.Terms{Where: []string{"f_income >= 100"}}, "", `{}`, false},
		{"all conditions", selection.Terms{Where: []string{"flags = edge", "status = ok"}}, "", `{"flags":["edge"],"status":"error"}`, false},
		{"tier", selection.Terms{Where: []string{"tier = high"}}, tallystick.TierHigh, `{}`, true},
		{"another tier", selection.Terms{Where: []string{"tier = high"}}, tallystick.TierLow, `{}`, false},
		{"no tier", selection.Terms{Where: []string{"tier = null"}}, "", `{}`, true},
		{"at the margin", selection.Terms{Margin: &margin}, "", `{"score":0.625,"threshold":0.5}`, true},
		{"below, at the margin", selection.Terms{Margin: &margin}, "", `{"score":0.375,"threshold":0.5}`, true},
		{"beyond the margin", selection.Terms{Margin: &margin}, "", `{"score":0.6250001,"threshold":0.5}`, false},
		{"no threshold", selection.Terms{Margin: &margin}, "", `{"score":0.5}`, false},
		{"NaN", selection.Terms{Margin: &margin}, "", `{"score":"NaN","threshold":0.5}`, false},
	} {
		r := record(t, test.record)
		r.Model = "credit"
		if got := chooser(t, selection.Rule{Name: "r", Terms: test.terms}, test.tier).Holds(r); got != test.want {
			t.Errorf("%s: %t", test.name, got)
		}
	}
}

func TestStratum(t *testing.T) {
	t.Parallel()
	c := chooser(t, selection.Rule{Name: "r", Terms: selection.Terms{Strata: []string{"tier", "f_region", "status"}}}, tallystick.TierHigh)
	for text, want := range map[string]string{
		`{"model":"m","features":{"region":"north"},"status":"ok"}`: `["high","north","ok"]`,
		`{"model":"m"}`:                            `["high","",""]`,
		`{"model":"m","features":{"region":7}}`:    `["high","7",""]`,
		`{"model":"m","features":{"region":true}}`: `["high","true",""]`,
		`{"model":"m","features":{"region":"` + strings.Repeat("ü", 100) + `"}}`:  `["high","` + strings.Repeat("ü", 64) + `",""]`,
		`{"model":"m","features":{"region":"x` + strings.Repeat("ü", 100) + `"}}`: `["high","x` + strings.Repeat("ü", 63) + `",""]`, // half a letter is none
	} {
		if values, got := c.Stratum(record(t, text)); got != want || len(values) != 3 {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	below, nan := -0.1, math.NaN()
	good := func() selection.Terms { return selection.Terms{Share: 0.5, Most: 10} }
	for what, change := range map[string]func(t *selection.Terms){
		"share above 1": func(t *selection.Terms) { t.Share = 1.1 }, "share below 0": func(t *selection.Terms) { t.Share = -0.1 }, "share NaN": func(t *selection.Terms) { t.Share = nan },
		"nothing chosen": func(t *selection.Terms) { t.Share = 0 }, "margin below 0": func(t *selection.Terms) { t.Margin = &below }, "margin NaN": func(t *selection.Terms) { t.Margin = &nan },
		"most 0": func(t *selection.Terms) { t.Most = 0 }, "most": func(t *selection.Terms) { t.Most = 100_001 }, "at least": func(t *selection.Terms) { t.AtLeast = 11 },
		"at least below 0": func(t *selection.Terms) { t.AtLeast = -1 }, "many strata": func(t *selection.Terms) { t.Strata = []string{"f_a", "f_b", "f_c", "f_d", "f_e"} },
		"stratum of a label": func(t *selection.Terms) { t.Strata = []string{"label"} }, "many conditions": func(t *selection.Terms) { t.Where = make([]string, 17) },
		"no condition": func(t *selection.Terms) { t.Where = []string{"f_a >"} }, "condition of a label": func(t *selection.Terms) { t.Where = []string{"label = 1"} },
		"long condition": func(t *selection.Terms) { t.Where = []string{"f_a = " + strings.Repeat("x", 4096)} },
	} {
		terms := good()
		change(&terms)
		if err := terms.Validate("r"); tallystick.CodeOf(err) != tallystick.Invalid {
			t.Errorf("%s: %v", what, err)
		}
	}
	terms := good()
	terms.Where, terms.Strata, terms.AtLeast = []string{"tier = high", "f_a != 1"}, []string{"tier", "f_a", "version", "status"}, 10
	if err := terms.Validate("r"); err != nil {
		t.Error(err)
	}
	if err := terms.Validate("a rule\n"); tallystick.CodeOf(err) != tallystick.Invalid {
		t.Errorf("its name: %v", err)
	}
}

func TestEqual(t *testing.T) {
	t.Parallel()
	one, two := 0.1, 0.2
	all := []selection.Terms{{}, {Where: []string{"f_a = 1"}}, {Margin: &one}, {Margin: &two}, {Share: 0.1}, {Strata: []string{"f_a"}}, {AtLeast: 1}, {Most: 1}}
	for i := range all {
		for j := range all {
			if all[i].Equal(&all[j]) != (i == j) {
				t.Errorf("%+v and %+v", all[i], all[j])
			}
		}
	}
	same := one
	if !all[2].Equal(&selection.Terms{Margin: &same}) {
		t.Error("the same margin elsewhere is another")
	}
}
