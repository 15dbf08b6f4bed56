package conduct

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

var monday = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

func at(i int, by string, t time.Time) Act {
	return Act{Event: uint64(i + 1), ID: fmt.Sprint("e", i+1), At: t, By: by, Model: "credit", Environment: "production", Resource: fmt.Sprint("credit@", i)}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		hours []float64
		since float64
		want  []int // acts of each case
	}{
		"none":                       {nil, 0, nil},
		"two":                        {[]float64{0, 1}, 0, nil},
		"three in 24 hours":          {[]float64{0, 12, 24}, 0, []int{3}},
		"three in more":              {[]float64{0, 12, 24.1}, 0, nil},
		"a second three":             {[]float64{0, 1, 2, 30, 31, 32}, 0, []int{3, 3}},
		"the first ones stand apart": {[]float64{0, 20, 40, 41, 42}, 0, []int{4}},
		"before the moment":          {[]float64{0, 1, 2}, 3, nil},
	} {
		var acts []Act
		for i, h := range c.hours {
			acts = append(acts, at(i, "u1", monday.Add(time.Duration(h*float64(time.Hour)))))
			other := at(100+i, "u2", monday) // the other places of the same person are others
			other.By, other.Environment = "u1", fmt.Sprint("env", i)
			acts = append(acts, other)
		}
		var got []int
		for _, k := range Refusals(acts, monday.Add(time.Duration(c.since*float64(time.Hour)))) {
			got = append(got, len(k.Acts))
			if !strings.HasPrefix(k.Reason, fmt.Sprint(len(k.Acts), " attempts")) || k.By != "u1" || k.Environment != "production" {
				t.Errorf("%s: %+v", name, k)
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%s: cases of %v acts, want %v", name, got, c.want)
		}
	}
}

// Reference values: scipy.stats.poisson.sf(n-1, 4), scipy.stats.nbinom.sf(n-1, r, r/(r+m)) with r = m*m/(v-m).
func TestTail(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		h    habit
		n    int
		want float64
	}{
		{habit{mean: 4, variance: 0}, 10, 0.00813224279693387},
		{habit{mean: 4, variance: 4}, 20, 1.02005221059683e-08},
		{habit{mean: 5, variance: 9}, 15, 0.00676301911308301},
		{habit{mean: 2.5, variance: 30}, 40, 0.00257459675824793},
		{habit{mean: 12, variance: 80}, 60, 0.000724347193994598},
		{habit{mean: 0}, 1, 0}, {habit{mean: 5, variance: 9}, 0, 1},
	} {
		if got := c.h.tail(c.n); math.Abs(got-c.want) > 1e-9*c.want {
			t.Errorf("%+v, %d: %.12g, want %.12g", c.h, c.n, got, c.want)
		}
	}
}

func TestCompanions(t *testing.T) {
	t.Parallel()
	var acts []Act
	for i, h := range []float64{0.5, 23.7, 23.2, 2, 24*5 + 0.5} { // the last is a Saturday
		acts = append(acts, at(i, "u1", monday.Add(time.Duration(h*float64(time.Hour)))))
	}
	last := at(9, "u1", monday.Add(24*time.Hour+15*time.Minute))
	if lonely, company := rank(append(acts, last)); lonely != 4 || company != 2 { // all but 23:42
		t.Errorf("%d as lonely, %d companions", lonely, company)
	}
}

// year is ordinary work: people in office hours who stay late at times, somebody on call at weekends, a
// pipeline that deploys each night, and reads that come in bursts.
func year(r *rand.Rand) (placed, taken []Act) {
	i := 0
	add := func(list *[]Act, by string, t time.Time) { *list = append(*list, at(i, by, t)); i++ }
	clock := func(d time.Time, hour, spread float64) time.Time {
		return d.Add(time.Duration((hour + spread*r.NormFloat64()) * float64(time.Hour)))
	}
	for n := range 365 {
		d := monday.AddDate(0, 0, n)
		free := weekend(d) == 1
		add(&placed, "nightly", clock(d.AddDate(0, 0, 1), 2, 0.1))
		if free && r.Float64() < 0.4 {
			add(&placed, "oncall", clock(d, 14, 2))
		}
		for p := range 6 {
			by := fmt.Sprint("u", p)
			many := 1 + float64(p)
			if free {
				many /= 20
			} else if r.Float64() < 0.7 {
				hour, spread := 13.0, 2.5
				if r.Float64() < 0.05 {
					hour, spread = 19.5, 1.5
				}
				add(&placed, by, clock(d, hour, spread))
			}
			for range poisson(r, many*gamma(r, 2)/2) { // negative binomial of size 2
				add(&taken, by, clock(d, 13, 2.5))
			}
		}
	}
	return inOrder(placed), inOrder(taken)
}

func poisson(r *rand.Rand, mean float64) (n int) {
	for p := r.Float64(); p > math.Exp(-mean); p *= r.Float64() {
		n++
	}
	return n
}

func gamma(r *rand.Rand, shape int) (sum float64) {
	for range shape {
		sum += r.ExpFloat64()
	}
	return sum
}

func between(acts []Act, from, until time.Time) (some []Act) {
	for _, a := range acts {
		if !a.At.Before(from) && a.At.Before(until) {
			some = append(some, a)
		}
	}
	return some
}

// TestYear looks each day at years of ordinary work, as the job does, and counts the false alarms; then at
// the same work with what is not ordinary.
func TestYear(t *testing.T) {
	t.Parallel()
	const years = 2
	sameRole := func(string) []string { return []string{"operator"} }
	var odd, much int
	var documented float64 // false alarms about hours
	for seed := range years {
		placed, taken := year(rand.New(rand.NewPCG(uint64(seed), 31)))
		for n := range 365 {
			now := monday.AddDate(0, 0, n+1)
			since := now.Add(-day)
			window := between(placed, now.Add(-History), now)
			cases, _ := OddHours(window, since)
			odd += len(cases)
			all := occasions(window)
			before := len(between(all, since.Add(-hoursHistory), since))
			if before >= hoursEnough {
				documented += float64(len(between(all, since, now))) * max(alpha, 1/float64(before+1))
			}
			much += len(MuchIsTaken(between(taken, now.Add(-History), now), since, sameRole))
		}
	}
	t.Logf("%d years: %d odd hours, documented %.1f; %d days of much taken", years, odd, documented, much)
	if float64(odd) > documented+3*math.Sqrt(documented) { // they scatter around it
		t.Errorf("%d odd hours of ordinary work, documented are %.1f", odd, documented)
	}
	if float64(much) > 2*alpha*365*years+1 {
		t.Errorf("%d days of ordinary reading are told", much)
	}

	r := rand.New(rand.NewPCG(99, 31))
	placed, taken := year(r)
	told, planted := 0, 0
	var night time.Time
	for week := 15; week < 52; week++ {
		planted++
		night = monday.AddDate(0, 0, 7*week+5).Add(4*time.Hour + time.Duration(r.Int64N(int64(2*time.Hour)))) // a Saturday
		odd := []Act{at(1_000_000, "u3", night), at(1_000_001, "u3", night.Add(time.Minute))}
		cases, _ := OddHours(append(between(placed, night.Add(-History), night), odd...), night)
		if len(cases) == 1 && cases[0].By == "u3" {
			told++
		}
	}
	t.Logf("%d of %d changes on a Saturday between 4 and 6 are told", told, planted)
	if told*2 < planted {
		t.Errorf("%d of %d changes on a Saturday between 4 and 6 are told", told, planted)
	}
	for i := range 120 {
		taken = append(taken, at(2_000_000+i, "u3", night.Add(time.Duration(i)*time.Second)))
		taken = append(taken, at(3_000_000+i, "new", night.Add(time.Duration(i)*time.Second)))
	}
	window := func(acts []Act) []Act { return between(acts, night.Add(-History), night.Add(day)) }
	found := map[string]string{}
	for _, c := range MuchIsTaken(window(taken), night, sameRole) {
		found[c.By] = c.Reason
	}
	if len(found) != 2 || found["u3"] == "" || found["new"] == "" {
		t.Errorf("two who took 120 files are not told: %v", found)
	}
	t.Log(found)
}

func TestTooFewToSay(t *testing.T) {
	t.Parallel()
	var acts []Act
	for i := range 99 {
		acts = append(acts, at(i, "u1", monday.AddDate(0, 0, i/2).Add(time.Duration(10+i%2)*time.Hour)))
	}
	odd := at(100, "u1", monday.AddDate(0, 0, 55).Add(3*time.Hour))
	if cases, enough := OddHours(append(acts, odd), odd.At); cases != nil || enough {
		t.Errorf("99 occasions say %v, %v", cases, enough)
	}
	acts = append(acts, at(101, "u2", monday.AddDate(0, 0, 50).Add(10*time.Hour)))
	if cases, enough := OddHours(append(acts, odd), odd.At); len(cases) != 1 || !enough {
		t.Errorf("100 occasions say %v, %v", cases, enough)
	}
}

func TestFirstsTaken(t *testing.T) {
	t.Parallel()
	acts := []Act{at(0, "u1", monday), at(1, "u2", monday.Add(day)), at(2, "u2", monday.Add(2*day)), at(3, "own", monday.Add(day))}
	cases := FirstsTaken(acts, monday.Add(time.Hour), func(by, model string) bool { return by != "own" && model == "credit" })
	if len(cases) != 1 || cases[0].By != "u2" || len(cases[0].Acts) != 1 || cases[0].Acts[0].Event != 2 {
		t.Errorf("%+v", cases)
	}
}
