package journal

const (
	trimBlocks = 256      // removed in one transaction
	trimBytes  = 32 << 20 // likewise
)

// stretch is the oldest blocks of a log, as many as are removed at once.
type stretch struct {
	after, last int64
	hash        []byte
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

// trimmed returns up to where the log is trimmed when the stretch is gone.
func (s stretch) trimmed(t Trim) uint64 {
	if s.more {
		return uint64(s.last)
	}
	return t.To
}
