package contract

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/table"
)

// inferred infers a contract from a file and fails the test if the file breaks it.
func inferred(t *testing.T, path string) *Contract {
	t.Helper()
	tb, err := table.Open(t.Context(), []string{path}, table.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer tb.Close()
	c, err := Infer(t.Context(), tb, "first")
	if err != nil {
		t.Fatal(err)
	}
	for _, check := range checkBoth(t, c, path).Checks {
		if check.Verdict != tallystick.Pass {
			t.Errorf("%s breaks its own contract: %s %s\n%s", path, check.Verdict, check.Words, c.Source())
		}
	}
	return c
}

func TestInferPublishedData(t *testing.T) {
	t.Parallel()
	for _, file := range []string{
		"compas/compas-two-years.csv", "acs-employment/employment_MA_reference.pq", "acs-employment/employment_MA_analysis.pq",
		"california-housing/california_housing_reference.csv", "california-housing/california_housing_analysis.csv",
	} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			c := inferred(t, data(t, file))
			if id, ok := c.Column("id"); ok && !id.Unique {
				t.Error("the id is not unique")
			}
		})
	}
}

// What is inferred keeps its data whatever they are.
func TestInferHolds(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 0))
	words := []string{"", "NA", "yes", "no", "null", "~", "1", "0x1f", "1e3", "2026-01-01", "a b", "ä", "#c", "- d", "\"q\"", "{", "a: b", "nan", "\x7f", "é\u2028x", "🙂", " lead"}
	draws := []func() string{
		func() string { return fmt.Sprint(rng.IntN(3)) },
		func() string { return fmt.Sprint(rng.NormFloat64()) },
		func() string { return fmt.Sprint(math.Ldexp(rng.NormFloat64(), rng.IntN(2000)-1000)) },
		func() string { return fmt.Sprint(rng.IntN(1 << 30)) },
		func() string { return fmt.Sprint(1e-300 * float64(rng.IntN(5))) },
		func() string { return [...]string{"inf", "-inf", "nan", "", "1.5", "2"}[rng.IntN(6)] },
		func() string { return words[rng.IntN(len(words))] },
		func() string { return fmt.Sprintf("2026-%02d-%02d", 1+rng.IntN(12), 1+rng.IntN(28)) },
		func() string { return "" },
		func() string { return "7" },
	}
	for round := range 60 {
		var out strings.Builder
		columns, n := 1+rng.IntN(6), 1+rng.IntN(400)
		var kinds []func() string
		for i := range columns {
			fmt.Fprintf(&out, "%s%q", strings.Repeat(",", min(1, i)), fmt.Sprint(words[rng.IntN(len(words)-6)+1], i))
			kinds = append(kinds, draws[rng.IntN(len(draws))])
		}
		for range n {
			out.WriteString("\n")
			for i, draw := range kinds {
				if i > 0 {
					out.WriteString(",")
				}
				fmt.Fprintf(&out, "\"%s\"", strings.ReplaceAll(draw(), `"`, `""`))
			}
		}
		path := filepath.Join(t.TempDir(), fmt.Sprint(round, ".csv"))
		if err := os.WriteFile(path, []byte(strings.ReplaceAll(out.String(), `\"q\"`, `q`)+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		tb, err := table.Open(t.Context(), []string{path}, table.Options{})
		if err != nil {
			continue // mixed types and the like: not a table
		}
		tb.Close()
		inferred(t, path)
		if t.Failed() {
			return
		}
	}
}

func TestInferRefusesNames(t *testing.T) {
	t.Parallel()
	tb := open(t, parse(t, head+"rows: {min: 1}"), csv(t, "a", "1"))
	if _, err := Infer(t.Context(), tb, "a b"); tallystick.CodeOf(err) != tallystick.Invalid {
		t.Errorf("error %v", err)
	}
}

func TestRound(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(2, 0))
	for range 10_000 {
		x := math.Ldexp(rng.NormFloat64(), rng.IntN(2000)-1000)
		low, high := roundDown(x, 3), roundUp(x, 3)
		// Rounding is to three digits give or take the last bit of x.
		slack := 1e-14 * math.Abs(x)
		if low > x+slack || high < x-slack || high-low > 0.0101*math.Abs(x) {
			t.Fatalf("%v is rounded to %v and %v", x, low, high)
		}
	}
	if got := [4]float64{roundUp(0.1234, 2), roundDown(-123456, 3), roundUp(100, 3), roundDown(0, 3)}; got != [4]float64{0.13, -124000, 100, 0} {
		t.Errorf("rounded to %v", got)
	}
}
