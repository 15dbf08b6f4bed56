package contract

import (
	"fmt"
	"regexp"
	"strconv"

	"github.com/tallystick/tallystick/internal/table"
)

// valueCheck holds what the expectations of single values need: accepted values, a pattern,
// shares, and how many values there are. Categories are counted by code and judged at the end,
// over the dictionary; numbers and text are judged row by row.
type valueCheck struct {
	want       *Column
	kind       table.Kind
	dictionary func() []string
	pattern    *regexp.Regexp

	accepted        map[string]bool
	acceptedNumbers map[float64]bool
	shareNumbers    map[float64][]int // indexes into want.Shares, where 1 and 1.0 are two
	shareTexts      map[string]int

	codes    []codeCount
	unknown  offence // of Values
	strange  offence // of Pattern
	shares   []int64 // rows of each of want.Shares
	looked   int64   // rows with a value; NaN is none
	distinct map[uint64]struct{}
	most     int // values after which distinct need not grow: the verdict is certain
}

// codeCount counts the rows of one code and remembers the first.
type codeCount struct{ count, row int64 }

func (c *valueCheck) prepare(want *Column, have table.Column, dictionary func() []string) {
	c.want, c.kind, c.dictionary = want, have.Kind, dictionary
	c.shares = make([]int64, len(want.Shares))
	if want.Pattern != "" {
		c.pattern = regexp.MustCompile(want.Pattern) // Parse has compiled it before
	}
	switch have.Kind {
	case table.Number:
		c.acceptedNumbers, c.shareNumbers = map[float64]bool{}, map[float64][]int{}
		for _, value := range want.Values {
			if x, err := strconv.ParseFloat(value, 64); err == nil {
				c.acceptedNumbers[x] = true
			}
		}
		for i, s := range want.Shares {
			if x, err := strconv.ParseFloat(s.Value, 64); err == nil {
				c.shareNumbers[x] = append(c.shareNumbers[x], i)
			}
		}
	default:
		c.accepted, c.shareTexts = make(map[string]bool, len(want.Values)), map[string]int{}
		for _, value := range want.Values {
			c.accepted[value] = true
		}
		for i, s := range want.Shares {
			c.shareTexts[s.Value] = i
		}
	}
	if !want.Distinct.empty() && have.Kind != table.Category {
		c.distinct = map[uint64]struct{}{}
		for _, bound := range []*float64{want.Distinct.Min, want.Distinct.Max} {
			if bound != nil {
				c.most = max(c.most, int(min(*bound, maxUnique))+1)
			}
		}
	}
}

func (c *valueCheck) add(row int64, n int, v *table.Vector) {
	switch {
	case v.Kind == table.Category:
		c.addCodes(row, v.Code)
		return
	case len(c.want.Values) == 0 && len(c.want.Shares) == 0 && c.pattern == nil && c.distinct == nil:
		return
	case v.Kind == table.Number:
		c.addNumbers(row, v.Float)
	case v.Kind == table.Text:
		c.addTexts(row, n, v)
	}
	if c.distinct != nil && len(c.distinct) < c.most {
		eachKey(n, v, func(_ int, key uint64) { c.distinct[key] = struct{}{} })
	}
}

func (c *valueCheck) addCodes(row int64, codes []uint32) {
	for i, code := range codes {
		if code == table.NoCode {
			continue
		}
		if int(code) >= len(c.codes) {
			c.codes = append(c.codes, make([]codeCount, int(code)+1-len(c.codes))...)
		}
		if c.codes[code].count == 0 {
			c.codes[code].row = row + int64(i)
		}
		c.codes[code].count++
	}
}

func (c *valueCheck) addNumbers(row int64, values []float64) {
	for i, x := range values {
		if x != x {
			continue
		}
		c.looked++
		if len(c.acceptedNumbers) > 0 && !c.acceptedNumbers[x] {
			c.unknown.hit(row+int64(i), func() string { return formatNumber(x) })
		}
		for _, s := range c.shareNumbers[x] {
			c.shares[s]++
		}
	}
}

func (c *valueCheck) addTexts(row int64, n int, v *table.Vector) {
	for i := range n {
		if v.Null != nil && v.Null[i] {
			continue
		}
		c.looked++
		c.see(v.Bytes(i), 1, row+int64(i))
	}
}

// see takes in count rows of one value, of which row is the first.
func (c *valueCheck) see(value []byte, count, row int64) {
	if len(c.accepted) > 0 && !c.accepted[string(value)] {
		c.unknown.merge(count, row, strconv.Quote(clip(value)))
	}
	if c.pattern != nil && !c.pattern.Match(value) {
		c.strange.merge(count, row, strconv.Quote(clip(value)))
	}
	if s, ok := c.shareTexts[string(value)]; ok {
		c.shares[s] += count
	}
}

// clip keeps an example short.
func clip(value []byte) string {
	if len(value) > 80 {
		return string(value[:80]) + "…"
	}
	return string(value)
}

// settle judges the categories, once all rows are in, and returns how many values there are.
func (c *valueCheck) settle() (distinct int) {
	if c.kind != table.Category {
		return len(c.distinct)
	}
	values := c.dictionary()
	for code, seen := range c.codes {
		if seen.count == 0 || code >= len(values) {
			continue
		}
		distinct++
		c.looked += seen.count
		c.see([]byte(values[code]), seen.count, seen.row)
	}
	c.codes = nil
	return distinct
}

// checkValues judges accepted values, pattern, shares and the number of values.
func (c *columnCheck) checkValues() []Check {
	v, want := &c.value, &c.want
	if !want.discrete() && want.Distinct.empty() {
		return nil
	}
	var distinct int
	if c.present {
		distinct = v.settle()
	}
	var all []Check
	rate := func(r rowExpectation) {
		r.looked, r.allowed = v.looked, want.Tolerance
		all = append(all, c.rate(r))
	}
	discrete := c.have.Kind != table.Time
	if len(want.Values) > 0 {
		rate(rowExpectation{name: "values", title: "Accepted values", what: "hold none of " + quoted(want.Values),
			offence: v.unknown, fits: discrete, need: "categories, numbers or text"})
	}
	if want.Pattern != "" {
		rate(rowExpectation{name: "pattern", title: "Pattern of the values", what: "do not match " + strconv.Quote(want.Pattern),
			offence: v.strange, fits: discrete && c.have.Kind != table.Number, need: "categories or text"})
	}
	for i, s := range want.Shares {
		check := c.check("shares."+s.Value, "Share of "+strconv.Quote(s.Value), shareWords(s.Range))
		if !c.unjudged(&check, discrete, "categories, numbers or text") && !c.unjudged(&check, v.looked > 0, "at least one value") {
			check = c.checkShare(check, s, v.shares[i])
		}
		all = append(all, check)
	}
	if !want.Distinct.empty() {
		check := c.check("distinct", "Number of different values", rangeWords(want.Distinct))
		if !c.unjudged(&check, true, "") {
			check = c.within("distinct", "Number of different values", float64(distinct), want.Distinct)
			if c.have.Kind != table.Category && distinct >= v.most {
				check.Found = "at least " + commas(int64(distinct))
			}
		}
		all = append(all, check)
	}
	return all
}

func (c *columnCheck) checkShare(check Check, want Share, count int64) Check {
	found := share(count, c.value.looked)
	check.Found = percent(float64(found))
	check.Words = fmt.Sprintf("%s: %s of %s values are %q, which is %s; expected %s",
		c.want.Name, commas(count), commas(c.value.looked), want.Value, check.Found, check.Expected)
	if !want.holds(float64(found)) {
		check.Verdict = c.broken()
	}
	return check
}
