package quality

import (
	"fmt"
	"slices"
	"sync"

	"github.com/tallystick/tallystick/internal/table"
)

// MaxHashedRows is how many rows of a table are looked at for duplicates.
const MaxHashedRows = 10_000_000

// RowHasher finds rows that are equal, from columns that are added in any order and block by
// block. It holds eight bytes a row, for at most MaxHashedRows rows. Two rows that differ are taken
// for equal by chance with probability n²/2⁶⁵ among n rows. It may be used by several goroutines.
type RowHasher struct {
	total int64
	ids   bool

	mu      sync.Mutex
	rows    []uint64 // sum of the hashes of the row's values, so that the order of columns is free
	counted bool
	found   int64
}

// NewRowHasher returns a RowHasher for a table of n rows.
func NewRowHasher(n int64) *RowHasher {
	return &RowHasher{total: n, rows: make([]uint64, min(n, MaxHashedRows))}
}

// NewIDHasher returns a RowHasher for the one column that identifies rows. Rows without an id do
// not equal each other.
func NewIDHasher(n int64) *RowHasher {
	h := NewRowHasher(n)
	h.ids = true
	return h
}

// missingWord stands for a missing value, and nanWord for NaN, among the words that are hashed.
const (
	missingWord = 0x6d697373696e6721
	nanWord     = 0x7ff8000000000001
)

// Add takes in the n rows from row on of the column with that index in the table.
func (h *RowHasher) Add(column int, row int64, n int, v *table.Vector) {
	if row >= int64(len(h.rows)) {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	rows := h.rows[row:min(row+int64(n), int64(len(h.rows)))]
	seed := h.seed(column)
	add := func(i int, word uint64) { rows[i] += mix(seed ^ word) }
	switch v.Kind {
	case table.Number:
		for i, x := range v.Float[:len(rows)] {
			word := numberKey(x)
			if x != x {
				word = nanWord
			}
			rows[i] += mix(seed ^ word)
		}
	case table.Category:
		for i, code := range v.Code[:len(rows)] {
			rows[i] += mix(seed ^ uint64(code))
		}
	case table.Time:
		for i, at := range v.Time[:len(rows)] {
			rows[i] += mix(seed ^ uint64(at))
		}
	case table.Text:
		for i := range rows {
			add(i, v.Hash(i))
		}
	}
	if v.Null != nil {
		h.addMissing(rows, seed, v)
	}
}

// addMissing puts one and the same word in place of what missing values hold.
func (h *RowHasher) addMissing(rows []uint64, seed uint64, v *table.Vector) {
	for i := range rows {
		if !v.Null[i] {
			continue
		}
		var held uint64
		switch v.Kind {
		case table.Number:
			if held = numberKey(v.Float[i]); v.Float[i] != v.Float[i] {
				held = nanWord
			}
		case table.Category:
			held = uint64(v.Code[i])
		case table.Time:
			held = uint64(v.Time[i])
		case table.Text:
			held = v.Hash(i)
		}
		rows[i] += mix(seed^missingWord) - mix(seed^held)
	}
}

// seed keeps equal values in different columns apart.
func (h *RowHasher) seed(column int) uint64 {
	if h.ids {
		column = 0
	}
	return mix(uint64(column) + 1)
}

// Duplicates returns how many rows equal an earlier one. It ends the adding of rows.
func (h *RowHasher) Duplicates() int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.counted {
		return h.found
	}
	h.found = repeats(h.rows)
	if h.ids {
		h.found -= h.nameless()
	}
	h.rows, h.counted = nil, true
	return h.found
}

// nameless returns how many rows without an id were counted because there was one before.
func (h *RowHasher) nameless() int64 {
	without := int64(0)
	for _, hash := range h.rows {
		if hash == mix(h.seed(0)^missingWord) {
			without++
		}
	}
	return max(0, without-1)
}

// bucketBits says how many buckets hashes are dealt into: as many as make those of ten million rows
// fit a table in the nearest cache.
const bucketBits = 11

// repeats returns how many hashes equal another one before them. It deals them, which are spread
// evenly, into buckets by their first bits, in place (McIlroy, Bostic and McIlroy, Computing Systems
// 6 (1993) 5-27), and looks for equal ones bucket by bucket.
func repeats(hashes []uint64) (n int64) {
	var starts [1<<bucketBits + 1]int
	for _, hash := range hashes {
		starts[hash>>(64-bucketBits)+1]++
	}
	for i := range starts[1:] {
		starts[i+1] += starts[i]
	}
	next := starts
	table := make([]uint64, 1<<14)
	for bucket := range uint64(1 << bucketBits) {
		for next[bucket] < starts[bucket+1] {
			hash := hashes[next[bucket]]
			for to := hash >> (64 - bucketBits); to != bucket; to = hash >> (64 - bucketBits) {
				hash, hashes[next[to]] = hashes[next[to]], hash
				next[to]++
			}
			hashes[next[bucket]] = hash
			next[bucket]++
		}
		n += repeatsInBucket(hashes[starts[bucket]:starts[bucket+1]], table)
	}
	return n
}

// repeatsInBucket counts with a table by open addressing, and sorts where that has not twice the room
// for so many different hashes.
func repeatsInBucket(hashes, table []uint64) (n int64) {
	clear(table)
	mask := uint64(len(table) - 1)
	different, zeros := 0, int64(0)
	for _, hash := range hashes {
		if hash == 0 { // that of a free place
			zeros++
			continue
		}
		at := hash & mask
		for table[at] != 0 && table[at] != hash {
			at = (at + 1) & mask
		}
		if table[at] == hash {
			n++
			continue
		}
		if different++; different > len(table)/2 {
			slices.Sort(hashes)
			return int64(len(hashes) - distinct(hashes))
		}
		table[at] = hash
	}
	return n + max(0, zeros-1)
}

func distinct(sorted []uint64) (n int) {
	for i, hash := range sorted {
		if i == 0 || hash != sorted[i-1] {
			n++
		}
	}
	return n
}

// Scope says how many of the rows were looked at.
func (h *RowHasher) Scope() string {
	if h.total <= MaxHashedRows {
		return "all rows"
	}
	return fmt.Sprintf("the first %s of %s rows", count(MaxHashedRows), count(h.total))
}
