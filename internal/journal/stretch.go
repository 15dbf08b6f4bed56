package journal

const (
	trimBlocks = 64      // removed in one transaction
	trimBytes  = 8 << 20 // likewise; all of their pages are in memory then, as with a group
)

// stretch is the oldest blocks of a log, as many as are removed at once.
type stretch struct {
	after, last int64  // the sequence behind which it begins, and with which it ends
	hash        []byte // of the frame with which it ends
	size        int64
	blocks      int
	more        bool
}

// take adds the next block, unless it ends behind the sequence to, or there are enough.
func (s *stretch) take(last int64, hash []byte, size int64, to uint64) {
	if s.more || uint64(last) > to {
		return
	}
	s.last, s.hash = last, hash
	s.size += size
	s.blocks++
	s.more = s.blocks == trimBlocks || s.size >= trimBytes
}

type statement struct {
	query string
	args  []any
}

// start is that of the log when the stretch is gone.
func (s stretch) start(t Trim) (start Start) {
	start.Sequence, start.Trimmed = uint64(s.last), t.To
	if s.more {
		start.Trimmed = start.Sequence
	}
	copy(start.Hash[:], s.hash)
	return start
}
