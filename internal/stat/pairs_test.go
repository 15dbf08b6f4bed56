package stat

import "testing"

// SciPy 1.17.1: p by binomtest, bounds by brentq on Tango's equation (3), which PropCIs' scoreci.mp
// solves too. The rows are those of Bentur (2009) and Cavo (2012) in R's contingencytables, and of
// scoreci.mp's own example.
func TestPairs(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		pairs Pairs
		p     float64
		want  Interval
	}{
		{Pairs{Both: 1, First: 1, Second: 7, Neither: 12}, 0.0703125, Interval{-0.5172322764212649, -0.026003032480949203}},
		{Pairs{Both: 59, First: 6, Second: 16, Neither: 80}, 0.052478790283203125, Interval{-0.12402343246406897, -0.005433395731855453}},
		{Pairs{Both: 100, First: 40, Second: 20}, 0.01348929373119186, Interval{0.03086453313308736, 0.21806424416682058}},
	} {
		nearRelative(t, "p", test.pairs.McNemar().P, test.p, 1e-9)
		got := test.pairs.Difference()
		near(t, "difference", got.Value, float64(test.pairs.First-test.pairs.Second)/float64(test.pairs.N()), 0)
		near(t, "low", got.Interval.Low, test.want.Low, 1e-11)
		near(t, "high", got.Interval.High, test.want.High, 1e-11)
		anytime := test.pairs.Anytime(.95)
		if !(anytime.Low < got.Interval.Low && got.Interval.High < anytime.High) {
			t.Errorf("%+v: interval for every look %v within %v of one look", test.pairs, anytime, got.Interval)
		}
	}
	same := Pairs{Both: 50, Neither: 50}
	if got := same.McNemar(); got.P != 1 {
		t.Errorf("no row differs: %+v", got)
	}
	i := same.Difference().Interval
	near(t, "low where no row differs", i.Low, -i.High, 1e-15)
	near(t, "high where no row differs", i.High, 0.0369934982, 1e-9) // z^2/(n+z^2)
	if e := (Pairs{}).Difference(); e.Valid() {
		t.Errorf("no rows: %+v", e)
	}
	if i = (Pairs{}).Anytime(.95); i != (Interval{-1, 1}) {
		t.Errorf("no rows: %+v", i)
	}
	// Far beyond what the exact test is for, both ways agree.
	many := Pairs{First: 50_300, Second: 49_700}
	exact := many.McNemar()
	many.First++
	if asymptotic := many.McNemar(); exact.Method != "exact" || asymptotic.Method != "asymptotic" || asymptotic.P > exact.P || asymptotic.P < 0.98*exact.P {
		t.Errorf("exact %+v, asymptotic %+v of one row more", exact, asymptotic)
	}
	var counted Pairs
	for i := range 8 {
		counted.Count(i&1 == 0, i&2 == 0)
	}
	counted.Merge(Pairs{First: 1})
	if counted != (Pairs{2, 3, 2, 2}) {
		t.Errorf("counted %+v", counted)
	}
}
