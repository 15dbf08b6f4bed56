package contract

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/tallystick/tallystick/internal/stat"
	"go.yaml.in/yaml/v3"
)

// moments adds finite numbers block by block.
type moments struct{ stat.Moments }

func (m *moments) add(values []float64) { m.Merge(stat.MomentsOf(values)) }

// seen is the comment of a rate.
func (o *observation) seen(count int64) string {
	if count == 0 {
		return ""
	}
	return fmt.Sprintf("%s of %s seen", commas(count), commas(o.n))
}

// rate returns the largest accepted share of a fault that count of n rows have.
func (o *observation) rate(count, n int64) *yaml.Node {
	if count == 0 {
		return whole(0)
	}
	return float(roundUp(stat.Proportion{K: count, N: n}.Wilson(0.99).High, 3))
}

func (o *observation) expectNumbers(m *mapping) {
	// A column of whole numbers that has neither NaN nor infinities says so by its type and range.
	clean := o.kind() == TypeInteger && o.number.nan.count+o.number.inf.count == 0
	if !clean {
		m.add("nan", o.rate(o.number.nan.count, o.n-o.null), o.seen(o.number.nan.count))
	}
	if !clean && o.number.values > 0 {
		m.add("infinite", o.rate(o.number.inf.count, o.number.values), o.seen(o.number.inf.count))
	}
	if o.number.finite == 0 {
		return
	}
	// Infinities lie outside every range: where they are accepted there can be none.
	if o.number.inf.count == 0 {
		low, high := o.widened()
		note := fmt.Sprintf("%s to %s seen", formatNumber(o.moments.Min), formatNumber(o.moments.Max))
		m.add("min", float(low))
		m.add("max", float(high), note)
	}
	if o.few != nil && o.number.fraction.count == 0 && o.number.inf.count == 0 && len(o.few) > 1 {
		counts := make([]valueCount, 0, len(o.few))
		for x, n := range o.few {
			counts = append(counts, valueCount{formatNumber(x), n})
		}
		o.expectShares(m, counts)
		return
	}
	if o.number.finite >= 30 {
		sd := o.moments.SD()
		slack := max(sd/4, 4*sd/math.Sqrt(float64(o.number.finite)))
		mean := o.number.sum.total() / float64(o.number.finite)
		if low, high := roundDown(mean-slack, 3), roundUp(mean+slack, 3); low <= mean && mean <= high && !math.IsInf(high-low, 0) {
			m.add("mean", newFlow().add("min", float(low)).add("max", float(high)).node(), "seen "+strconv.FormatFloat(mean, 'g', 4, 64))
		}
	}
}

// widened returns the observed range with slack at either end.
func (o *observation) widened() (low, high float64) {
	low, high = o.moments.Min, o.moments.Max
	slack := (high - low) / 10
	if slack == 0 {
		slack = math.Abs(high) / 10
	}
	share := low >= 0 && high <= 1
	wide := [2]float64{roundDown(low-slack, 3), roundUp(high+slack, 3)}
	if low >= 0 {
		wide[0] = max(0, wide[0])
	}
	if high <= 0 {
		wide[1] = min(0, wide[1])
	}
	if share {
		wide[1] = min(1, wide[1])
	}
	if o.number.fraction.count == 0 {
		wide[0], wide[1] = math.Floor(wide[0]), math.Ceil(wide[1])
	}
	// Nothing that was rounded may leave the data outside, whatever their size.
	return max(min(wide[0], low), -math.MaxFloat64), min(max(wide[1], high), math.MaxFloat64)
}

// valueCount is a value and how many rows have it.
type valueCount struct {
	value string
	n     int64
}

func (o *observation) expectCategories(m *mapping) {
	var counts []valueCount
	for code, n := range o.codes {
		if n > 0 && code < len(o.dictionary) {
			counts = append(counts, valueCount{o.dictionary[code], n})
		}
	}
	if distinct := int64(len(counts)); distinct == 0 || distinct > maxValues || distinct*10 > o.n {
		m.note = fmt.Sprintf("%s different values: not listed", commas(distinct))
		return
	}
	list := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
	slices.SortFunc(counts, byValue)
	for _, c := range counts {
		list.Content = append(list.Content, word(c.value))
	}
	m.add("values", list)
	if len(counts) > 1 {
		o.expectShares(m, counts)
	}
}

// byValue orders numbers by size and other values after them by letters.
func byValue(a, b valueCount) int {
	x, errX := strconv.ParseFloat(a.value, 64)
	y, errY := strconv.ParseFloat(b.value, 64)
	if errX == nil && errY == nil {
		return cmp.Or(cmp.Compare(x, y), cmp.Compare(a.value, b.value))
	}
	return cmp.Compare(a.value, b.value)
}

// expectShares states the shares of the values that are not rare, the commonest first.
func (o *observation) expectShares(m *mapping, counts []valueCount) {
	var all int64
	for _, c := range counts {
		all += c.n
	}
	slices.SortFunc(counts, func(a, b valueCount) int { return cmp.Or(cmp.Compare(b.n, a.n), cmp.Compare(a.value, b.value)) })
	shares := newMapping()
	for _, c := range counts[:min(len(counts), maxShares)] {
		share := stat.Proportion{K: c.n, N: all}
		if share.Rate() < minShare {
			break
		}
		interval := share.Wilson(0.999)
		low := max(0, min(roundDown(share.Rate()-0.1, 2), roundDown(interval.Low, 2)))
		high := min(1, max(roundUp(share.Rate()+0.1, 2), roundUp(interval.High, 2)))
		bounds := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle, Content: []*yaml.Node{float(low), float(high)}}
		shares.add(c.value, bounds, "seen "+percent(share.Rate()))
	}
	if len(shares.yaml.Content) > 0 {
		m.add("shares", shares.node())
	}
}

// roundUp returns the least number of that many significant digits that is not below x.
func roundUp(x float64, digits int) float64 { return round(x, digits, math.Ceil) }

// roundDown returns the greatest number of that many significant digits that is not above x.
func roundDown(x float64, digits int) float64 { return round(x, digits, math.Floor) }

func round(x float64, digits int, to func(float64) float64) float64 {
	if x == 0 || math.IsInf(x, 0) || math.IsNaN(x) {
		return x
	}
	exponent := int(math.Floor(math.Log10(math.Abs(x)))) - digits + 1
	// Through text, so that the result is the number that is written.
	scaled := x / math.Pow10(exponent)
	rounded, err := strconv.ParseFloat(fmt.Sprintf("%.0fe%d", to(scaled), exponent), 64)
	if err != nil || math.IsInf(scaled, 0) {
		return x
	}
	return rounded
}
