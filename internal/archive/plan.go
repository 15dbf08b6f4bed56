package archive

import (
	"slices"
	"time"

	"github.com/tallystick/tallystick"
)

// Files are joined while all of these hold for the new one.
const (
	fanIn      = 16        // files of one tier that are joined on a day that is not over
	maxJoin    = 64        // files at once, so that the event stays small
	maxParts   = 4096      // segments in a file, as package segment has it
	maxRecords = 1 << 20   // in a file
	maxBytes   = 128 << 20 // of the files together
)

const day = 24 * time.Hour

// settled is how long after its end a day is over: what came late is there then.
const settled = time.Hour

// tier returns how often the segments of a file were joined at most: a file of tier n has fewer than 16^(n+1).
func (k kept) tier() (n int) {
	for s := k.segments; s >= fanIn; s /= fanIn {
		n++
	}
	return n
}

// dayOf returns the day of a time in microseconds, in days since 1970.
func dayOf(us int64) int64 {
	days := us / day.Microseconds()
	if us%day.Microseconds() < 0 {
		days--
	}
	return days
}

// over reports whether a day is over.
func over(days int64, now time.Time) bool {
	return now.After(time.UnixMicro((days + 1) * day.Microseconds()).Add(settled))
}

// choose returns which of the files of a model and a day, in the order of their first segments, are joined next: those from
// first to end, exclusive; none if these are the same. It follows from the files, and from whether the day is over, alone: 16
// neighbours of one tier, so that each record is written a few times and not with each new file; and what is left of a day
// that is over. Those that are passed over are joined with nothing.
func choose(files []kept, over bool, passed map[tallystick.Digest]bool) (first, end int) {
	fits := func(run []kept) bool {
		var sum kept
		for _, k := range run {
			if passed[k.digest] {
				return false
			}
			sum.segments, sum.records, sum.bytes = sum.segments+k.segments, sum.records+k.records, sum.bytes+k.bytes
		}
		return sum.segments <= maxParts && sum.records <= maxRecords && sum.bytes <= maxBytes
	}
	for first := 0; first+fanIn <= len(files); first++ {
		run := files[first : first+fanIn]
		if !slices.ContainsFunc(run, func(k kept) bool { return k.tier() != run[0].tier() }) && fits(run) {
			return first, first + fanIn
		}
	}
	for first := 0; over && first < len(files); first++ {
		end := first + 1
		for end < len(files) && end-first < maxJoin && fits(files[first:end+1]) {
			end++
		}
		if end-first > 1 {
			return first, end
		}
	}
	return 0, 0
}
