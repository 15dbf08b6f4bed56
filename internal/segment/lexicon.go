package segment

import (
	"encoding/binary"
	"hash/maphash"
)

// lexicon gives the different texts of a column codes, in the order in which they come. That is the dictionary of
// the chunk, unless it takes too much: then it knows no text again, and every value has a code of its own.
type lexicon struct {
	all  []uint64 // by code: the text, as the group has it
	size int      // of a dictionary, in bytes
	full bool     // size is too much

	recent [64]recentText // that came lately, by a hash
	slots  []uint32       // by hash: a code plus 1
	shift  uint           // of a hash, so that it is a place in slots
	seed   maphash.Seed
}

// recentText is a text that came lately. Up to 16 bytes are all in first and last.
type recentText struct {
	first, last uint64
	size        uint32 // in bytes, plus 1
	code        uint32
}

func newLexicon() *lexicon {
	l := &lexicon{seed: maphash.MakeSeed()}
	l.reset()
	return l
}

func (l *lexicon) reset() {
	const small = 6 // bits
	l.all, l.size, l.full, l.recent = l.all[:0], 0, false, [64]recentText{}
	l.slots, l.shift = resized(l.slots, 1<<small), 64-small
	clear(l.slots)
}

// code returns the code of the text b, which the group has as text.
func (l *lexicon) code(g *group, text uint64, b []byte) uint32 {
	if l.full {
		return l.add(text)
	}
	first, last := edges(b)
	known := &l.recent[(first^last<<7^uint64(len(b)))*0x9e3779b97f4a7c15>>58]
	if known.first == first && known.last == last && known.size == uint32(len(b)+1) &&
		(len(b) <= 16 || string(g.text(l.all[known.code])) == string(b)) {
		return known.code
	}
	code := l.find(g, text, b)
	*known = recentText{first, last, uint32(len(b) + 1), code}
	return code
}

// find is code for a text that did not come lately.
func (l *lexicon) find(g *group, text uint64, b []byte) uint32 {
	at := maphash.Bytes(l.seed, b) >> l.shift
	for ; l.slots[at] != 0; at = (at + 1) & uint64(len(l.slots)-1) {
		if code := l.slots[at] - 1; string(g.text(l.all[code])) == string(b) {
			return code
		}
	}
	l.size += 4 + len(b)
	l.full = l.size > dictionaryBytes
	code := l.add(text)
	if l.slots[at] = code + 1; 2*len(l.all) > len(l.slots) {
		l.grow(g)
	}
	return code
}

func (l *lexicon) add(text uint64) uint32 {
	l.all = append(l.all, text)
	return uint32(len(l.all) - 1)
}

// grow makes the table four times as large.
func (l *lexicon) grow(g *group) {
	l.slots, l.shift = resized(l.slots, 4*len(l.slots)), l.shift-2
	clear(l.slots)
	for code, text := range l.all {
		at := maphash.Bytes(l.seed, g.text(text)) >> l.shift
		for l.slots[at] != 0 {
			at = (at + 1) & uint64(len(l.slots)-1)
		}
		l.slots[at] = uint32(code + 1)
	}
}

// edges returns the first and the last bytes, which can be the same ones.
func edges(b []byte) (first, last uint64) {
	n := len(b)
	switch {
	case n >= 8:
		return binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[n-8:])
	case n >= 4:
		return uint64(binary.LittleEndian.Uint32(b)), uint64(binary.LittleEndian.Uint32(b[n-4:]))
	case n > 0:
		return uint64(b[0]) | uint64(b[n/2])<<8, uint64(b[n-1])
	}
	return 0, 0
}
