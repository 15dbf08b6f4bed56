package quality

import (
	"cmp"
	"math"
	"slices"

	"github.com/tallystick/tallystick/internal/stat"
)

// halves counts rows by cell (a category, or a bin of numbers) and class, for two halves of the
// rows: what is learnt from the first is judged on the second.
type halves struct {
	classes int
	counts  [2][]float64 // cell*classes + class
	rows    [2]float64   // rows behind the counts, where counts are weighted
}

func (h *halves) add(half, cell, class int, weight float64) {
	at := cell*h.classes + class
	for i := range h.counts {
		if at >= len(h.counts[i]) {
			h.counts[i] = append(h.counts[i], make([]float64, (cell+1)*h.classes-len(h.counts[i]))...)
		}
	}
	h.counts[half][at] += weight
	h.rows[half]++
}

func (h *halves) cells() int { return len(h.counts[0]) / max(1, h.classes) }

// cell returns the counts of one cell by class.
func (h *halves) cell(half, cell int) []float64 {
	return h.counts[half][cell*h.classes : (cell+1)*h.classes]
}

// auc orders the cells by their rate of class 1 in the first half and returns the area under the
// ROC curve of that order in the second.
func (h *halves) auc() stat.Estimate {
	var all [2]float64
	for cell := range h.cells() {
		all[0] += h.cell(0, cell)[0]
		all[1] += h.cell(0, cell)[1]
	}
	prior := all[1] / (all[0] + all[1])
	type ranked struct {
		rate   float64
		counts []float64
	}
	order := make([]ranked, h.cells())
	for cell := range order {
		seen := h.cell(0, cell)
		// One row's worth of the overall rate stands in for what a rare cell has not shown.
		order[cell] = ranked{(seen[1] + prior) / (seen[0] + seen[1] + 1), h.cell(1, cell)}
	}
	slices.SortFunc(order, func(a, b ranked) int { return cmp.Compare(a.rate, b.rate) })
	var negatives, positives, above float64
	for i := 0; i < len(order); {
		var tied [2]float64
		for rate := order[i].rate; i < len(order) && order[i].rate == rate; i++ {
			tied[0] += order[i].counts[0]
			tied[1] += order[i].counts[1]
		}
		above += tied[1] * (negatives + tied[0]/2)
		negatives += tied[0]
		positives += tied[1]
	}
	return aucEstimate(above/(negatives*positives), int64(min(negatives, positives)), "categories ordered by one half of the rows and judged on the other")
}

// aucEstimate gives an area under a ROC curve the Wilson interval of a share of the smaller class:
// its variance is at most A(1-A)/min(P, N) whatever the distributions (Birnbaum and Klose, Annals
// of Mathematical Statistics 28 (1957) 929-945), and unlike DeLong's it does not vanish at 1.
func aucEstimate(area float64, n int64, how string) stat.Estimate {
	area = max(area, 1-area)
	if n == 0 || area != area {
		return stat.Estimate{Value: math.NaN(), Interval: stat.Interval{Low: math.NaN(), High: math.NaN()}}
	}
	p := stat.Proportion{K: int64(area*float64(n) + 1e-9), N: n}
	return stat.Estimate{Value: area, Interval: p.Wilson(stat.Confidence), N: n, Method: how + "; Wilson on the smaller class"}
}

// lambda guesses in the second half the commonest class that each cell has in the first, and
// returns the share of the mistakes of guessing the commonest class of all that this avoids.
func (h *halves) lambda() stat.Estimate {
	none := stat.Estimate{Value: math.NaN(), Interval: stat.Interval{Low: math.NaN(), High: math.NaN()}}
	first, second := make([]float64, h.classes), make([]float64, h.classes)
	for cell := range h.cells() {
		for class := range h.classes {
			first[class] += h.cell(0, cell)[class]
			second[class] += h.cell(1, cell)[class]
		}
	}
	commonest := largest(first)
	var right, all float64
	for cell := range h.cells() {
		guess := commonest
		if g := largest(h.cell(0, cell)); h.cell(0, cell)[g] > 0 {
			guess = g
		}
		right += h.cell(1, cell)[guess]
	}
	for _, n := range second {
		all += n
	}
	base := second[largest(second)] / all
	if !(base < 1) {
		return none
	}
	n := int64(h.rows[1])
	interval := stat.Proportion{K: int64(right/all*float64(n) + 1e-9), N: n}.Wilson(stat.Confidence)
	avoided := func(accuracy float64) float64 { return max(0, (accuracy-base)/(1-base)) }
	return stat.Estimate{
		Value: avoided(right / all), Interval: stat.Interval{Low: avoided(interval.Low), High: avoided(interval.High)}, N: n,
		Method: "guessed from one half of the rows and judged on the other; Wilson",
	}
}

func largest(counts []float64) (at int) {
	for i, n := range counts {
		if n > counts[at] {
			at = i
		}
	}
	return at
}

// renames reports whether every cell has one class and every class one cell: the label under
// another name. What has no cell, or no class, does not count.
func (h *halves) renames() bool {
	cellOf := make([]int, h.classes)
	classes := 0
	for cell := range h.cells() {
		found := -1
		for class := range h.classes {
			if h.cell(0, cell)[class]+h.cell(1, cell)[class] == 0 {
				continue
			}
			if found >= 0 || cellOf[class] != 0 {
				return false
			}
			found, cellOf[class] = class, cell+1
			classes++
		}
	}
	return classes > 1
}
