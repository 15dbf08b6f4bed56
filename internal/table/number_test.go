package table

import (
	"math"
	"regexp"
	"strconv"
	"testing"
	"time"
)

var decimalPattern = regexp.MustCompile(`^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$`)

// FuzzNumber compares with strconv where the grammar is ours.
func FuzzNumber(f *testing.F) {
	for _, s := range []string{"0", "-0", "1.", ".1", ".", "1e", "1e5", "1E-400", "123456789012345678901234567890", "9007199254740993",
		"0.1e-22", "1e22", "1e23", "4.35", "179769313486231580793728971405301e277", "1_0", "0x1p3", "1e+", "--1", "00000000000000000000000001.5", "1e99999999999999999999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, integer, ok := parseNumber([]byte(s))
		if word := regexp.MustCompile(`(?i)^[+-]?(nan|inf|infinity)$`).MatchString(s); word {
			if !ok || integer {
				t.Fatalf("%q is no number", s)
			}
			return
		}
		if wantOK := decimalPattern.MatchString(s); ok != wantOK {
			t.Fatalf("%q: %v, want %v", s, ok, wantOK)
		}
		if !ok {
			return
		}
		if want, _ := strconv.ParseFloat(s, 64); math.Float64bits(got) != math.Float64bits(want) {
			t.Fatalf("%q: %v, want %v", s, got, want)
		}
		if _, err := strconv.ParseInt(s, 10, 64); err == nil && !integer {
			t.Fatalf("%q is an integer", s)
		}
	})
}

// FuzzMoment compares with package time.
func FuzzMoment(f *testing.F) {
	for _, s := range []string{"2020-01-02", "2020-02-30", "2000-02-29", "1900-02-29", "2020-01-02 03:04:05", "2020-01-02T03:04:05Z", "2020-01-02T03:04:05.123456789Z",
		"2020-01-02T03:04:05+05:30", "0000-01-01", "9999-12-31T23:59:59Z", "1677-09-21T00:12:44Z", "2262-04-11T23:47:16.854775807Z", "2020-01-02T24:00:00Z", "2020-1-2"} {
		f.Add(s)
	}
	layouts := []string{"2006-01-02", "2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02 15:04:05Z07:00", "2006-01-02T15:04:05Z07:00"}
	f.Fuzz(func(t *testing.T, s string) {
		got, held, ok := parseMoment([]byte(s))
		var want time.Time
		var err error
		for _, layout := range layouts {
			if want, err = time.Parse(layout, s); err == nil {
				break
			}
		}
		// Package time also takes a comma before the fraction and hours of one digit.
		if ok && err != nil {
			t.Fatalf("%q: read as %d, but %v", s, got, err)
		}
		if ok && !held && !time.Unix(0, got).Equal(want) {
			t.Fatalf("%q: %v, want %v", s, time.Unix(0, got).UTC(), want)
		}
		if canonical := want.UTC().Format(time.RFC3339Nano); err == nil && want.Year() > 0 && want.UTC().Year() < 10000 && want.UTC().Year() > 0 {
			if _, _, ok := parseMoment([]byte(canonical)); !ok {
				t.Fatalf("%q is not read", canonical)
			}
		}
		if held != (ok && (want.Before(time.Unix(0, -math.MaxInt64)) || want.After(time.Unix(0, math.MaxInt64)))) && ok {
			if d := want.Sub(time.Unix(0, got)).Abs(); d > time.Second {
				t.Fatalf("%q: held is %v", s, held)
			}
		}
	})
}
