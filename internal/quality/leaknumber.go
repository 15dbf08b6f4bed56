package quality

import (
	"math"
	"slices"

	"github.com/tallystick/tallystick/internal/stat"
	"github.com/tallystick/tallystick/internal/table"
)

// auc returns the better of two areas: that of the values as they are, and that of their bins in
// the order of the label's rate, which sees relations that rise and fall, and missing values.
func (d *LeakDetector) auc() (best stat.Estimate, same bool) {
	if d.cfg.Column.Kind == table.Category {
		return d.cells.auc(), d.cells.renames()
	}
	binned := d.bin()
	best = binned.auc()
	negatives, positives := d.samples[0].kept, d.samples[1].kept
	values, labels := slices.Concat(negatives, positives), make([]bool, len(negatives)+len(positives))
	for i := range positives {
		labels[len(negatives)+i] = true
	}
	// Infinities have a rank like other values.
	for i, x := range values {
		values[i] = min(max(x, -math.MaxFloat64), math.MaxFloat64)
	}
	if scored, err := stat.NewScored(values, labels); err == nil && len(negatives) > 0 && len(positives) > 0 {
		direct := aucEstimate(scored.ROCAUC().Value, int64(min(len(negatives), len(positives))), "rank statistic of "+d.sampleWords())
		if !(best.Interval.Low >= direct.Interval.Low) {
			best = direct
		}
	}
	return best, binned.renames()
}

// lambda returns the share of mistakes that categories, or bins of numbers, avoid.
func (d *LeakDetector) lambda() (best stat.Estimate, same bool) {
	if d.cfg.Column.Kind == table.Category {
		return d.cells.lambda(), d.cells.renames()
	}
	binned := d.bin()
	return binned.lambda(), binned.renames()
}

func (d *LeakDetector) sampleWords() string {
	var seen, kept int64
	for _, s := range d.samples {
		seen += s.seen
		kept += int64(len(s.kept))
	}
	if seen == kept {
		return "all rows"
	}
	return count(kept) + " of " + count(seen) + " rows"
}

// leakBins is the number of bins of n numbers, if they have more different values than that.
func leakBins(n int) int { return min(max(16, n/64), 256) }

// bin cuts the sampled numbers into cells: one for each value if there are few, else bins of equal
// mass; cell 0 holds missing values. Each class is weighted by what its sample stands for.
func (d *LeakDetector) bin() *halves {
	h := &halves{classes: d.cfg.Classes}
	var all []float64
	for _, s := range d.samples {
		all = append(all, s.kept...)
	}
	slices.Sort(all)
	edges := slices.Compact(slices.Clone(all))
	if bins := leakBins(len(all)); len(edges) > bins {
		edges = edges[:0]
		for i := 1; i <= bins; i++ {
			edges = append(edges, all[len(all)*i/bins-1])
		}
		edges = slices.Compact(edges)
	}
	for class, s := range d.samples {
		weight := 1.0
		if len(s.kept) > 0 && d.cfg.Classes > 2 { // an area does not depend on how common a class is
			weight = float64(s.seen) / float64(len(s.kept))
		}
		for i, x := range s.kept {
			cell, _ := slices.BinarySearch(edges, x)
			h.add(half(int64(i)), cell+1, class, weight)
		}
		// Missing values are counted in full: they are scaled to what a sample of them would be.
		sampled := 1.0
		if s.seen > 0 {
			sampled = float64(len(s.kept)) / float64(s.seen)
		}
		for half, n := range d.missing[class] {
			if n > 0 {
				rows := float64(n) * sampled
				h.add(half, 0, class, rows*weight)
				h.rows[half] += rows - 1
			}
		}
	}
	return h
}
