package journal

import (
	"bytes"
	"cmp"
	"slices"
)

// ranges is a set of sequences, in order, in which neighbours are one.
type ranges []Range

// add puts a sequence into the set and reports whether it is new there.
func (r *ranges) add(n uint64) bool {
	i, found := slices.BinarySearchFunc(*r, n, func(a Range, n uint64) int {
		switch {
		case n < a.From:
			return 1
		case n > a.To:
			return -1
		}
		return 0
	})
	if found {
		return false
	}
	s := *r
	left := i > 0 && s[i-1].To+1 == n
	right := i < len(s) && n+1 == s[i].From
	switch {
	case left && right:
		s[i-1].To = s[i].To
		s = slices.Delete(s, i, i+1)
	case left:
		s[i-1].To = n
	case right:
		s[i].From = n
	default:
		s = slices.Insert(s, i, Range{n, n})
	}
	*r = s
	return true
}

// without returns what the set leaves out between two sequences, both included.
func (r ranges) without(from, to uint64) (left []Range) {
	for _, a := range r {
		if a.From > to {
			break
		}
		if a.From > from {
			left = append(left, Range{from, a.From - 1})
		}
		from = max(from, a.To+1)
	}
	if from <= to {
		left = append(left, Range{from, to})
	}
	return left
}

// maxLost bounds the ranges that a gap lists. What lies between the last two is then lost, too, as far as
// the list says.
const maxLost = 1000

func shorten(lost []Range) []Range {
	for len(lost) > maxLost {
		lost[maxLost-1].To = lost[len(lost)-1].To
		lost = lost[:maxLost]
	}
	return lost
}

// found is a frame that was read from a damaged store.
type found struct {
	frame
	raw []byte
}

// findFrames returns the frames that are whole in b, which may begin and end anywhere and be damaged.
func findFrames(b []byte) (frames []found) {
	for {
		i := bytes.Index(b, []byte(frameMagic))
		if i < 0 {
			return frames
		}
		b = b[i:]
		f, size, err := decode(b)
		if err != nil {
			size = 1
		} else {
			frames = append(frames, found{f, b[:size:size]})
		}
		b = b[size:]
	}
}

// byFirst orders pieces of a store by the sequence with which they begin, those of the tail last.
func byFirst(a, b piece) int {
	if a.tail != b.tail {
		if a.tail {
			return 1
		}
		return -1
	}
	return cmp.Compare(a.first, b.first)
}

// piece is where in a damaged store a block may be.
type piece struct {
	first  uint64 // as it says, which nothing proves
	offset int64  // of the page in its file
	cell   int    // -1: the page as it is
	inLog  bool   // the file is the write-ahead log
	tail   bool   // behind the last commit in it
}
