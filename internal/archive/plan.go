package archive

import (
	"slices"
	"time"
)

// Files are joined while all of these hold for the new one.
const (
	fanIn      = 16        // files of one tier that are joined on a day that is not over
	maxJoin    = 64        // files at once, so that the event stays small
	maxParts   = 4096      // segments in a file, as package segment has it
	maxRecords = 1 << 20   // in a file
	maxBytes   = 128 << 20 // of the files together
)

// settled is how long after its end a day is over: what came late is there then.
const settled = time.Hour

// tier returns how often the segments of a file were joined at most: a file of tier n has fewer than 16^(n+1).
func (k kept) tier() (n int) {
	for s := k.segments; s >= fanIn; s /= fanIn {
		n++
	}
	return n
}

// day returns the day of the earliest record, in days since 1970.
func (k kept) day() int64 { return floorDiv(k.firstUS, 24*time.Hour.Microseconds()) }

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// choose returns the files of a model that are joined next, nil if there are none. It follows from the files and from
// the days that are over alone: 16 neighbours of one tier, so that each record is written a few times and not with
// each new file; and what is left of a day that is over.
func choose(files []kept, now time.Time) []kept {
	byDay := map[int64][]kept{}
	var days []int64
	for _, k := range files {
		if byDay[k.day()] == nil {
			days = append(days, k.day())
		}
		byDay[k.day()] = append(byDay[k.day()], k)
	}
	slices.Sort(days)
	for _, day := range days {
		of := byDay[day]
		slices.SortFunc(of, func(a, b kept) int { return int(int64(a.firstEvent) - int64(b.firstEvent)) })
		if run := full(of); run != nil {
			return run
		}
		if end := time.UnixMicro((day + 1) * 24 * time.Hour.Microseconds()); now.After(end.Add(settled)) {
			if run := rest(of); run != nil {
				return run
			}
		}
	}
	return nil
}

// full returns the first 16 neighbours of one tier that fit into one file.
func full(files []kept) []kept {
	for start := 0; start+fanIn <= len(files); start++ {
		run := files[start : start+fanIn]
		if fits(run) && !slices.ContainsFunc(run, func(k kept) bool { return k.tier() != run[0].tier() }) {
			return run
		}
	}
	return nil
}

// rest returns the first neighbours that fit into one file, as many as do.
func rest(files []kept) []kept {
	for start := range files {
		end := start + 1
		for end < len(files) && end-start < maxJoin && fits(files[start:end+1]) {
			end++
		}
		if end-start > 1 {
			return files[start:end]
		}
	}
	return nil
}

func fits(run []kept) bool {
	var sum kept
	for _, k := range run {
		sum.segments, sum.records, sum.bytes = sum.segments+k.segments, sum.records+k.records, sum.bytes+k.bytes
	}
	return sum.segments <= maxParts && sum.records <= maxRecords && sum.bytes <= maxBytes
}
