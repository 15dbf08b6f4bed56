package main

import (
	"os"
	"testing"

	"github.com/tallystick/tallystick"
)

// TestMonths holds the verdicts of the months against the counts that stand in the file.
func TestMonths(t *testing.T) {
	t.Parallel()
	const path = "../../../shared/data/compas/compas-two-years.csv"
	if _, err := os.Stat(path); err != nil {
		t.Skipf("needs ../shared/data/compas: %v", err)
	}
	all, err := read(path)
	if err != nil {
		t.Fatal(err)
	}
	months, err := judge(all)
	if err != nil || len(months) != 24 {
		t.Fatalf("%d months, %v", len(months), err)
	}
	verdicts := map[tallystick.Verdict]int{}
	for _, m := range months {
		verdicts[m.is.Verdict]++
		var n, against int64
		for _, s := range all {
			if s.at.Format("2006-01") == m.name && !s.came {
				switch s.race {
				case group:
					n++
				case reference:
					against++
				}
			}
		}
		if m.is.N != n || m.is.NRef != against || m.judged() != (min(n, against) >= 100) {
			t.Errorf("%s is %s of %d and %d people, counted by hand %d and %d", m.name, m.is.Verdict, m.is.N, m.is.NRef, n, against)
		}
	}
	if verdicts[tallystick.Fail] != 5 || verdicts[tallystick.Inconclusive] != 4 || verdicts[tallystick.Insufficient] != 15 {
		t.Errorf("%v", verdicts)
	}
}
