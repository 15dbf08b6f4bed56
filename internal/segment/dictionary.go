package segment

import (
	"hash/maphash"
)

// dictionary gives the different values of a chunk numbers, in the order in which they come.
type dictionary struct {
	entries []uint64 // as the chunk has them
	slots   []uint32 // by hash: the number of an entry plus 1
	shift   uint     // of a hash, so that it is a place in slots
	seed    maphash.Seed
	seen    [256]seenText // texts that came lately
}

// seenText is a text as the chunk has it, with its code plus 1. A text that came again is mostly the same number,
// and need not be looked at.
type seenText struct {
	text uint64
	code uint32
}

func (d *dictionary) size() int { return len(d.entries) }

func (d *dictionary) reset() {
	const small = 9 // bits
	d.entries, d.slots, d.shift = d.entries[:0], resized(d.slots, 1<<small), 64-small
	clear(d.slots)
	clear(d.seen[:])
}

// grow makes the table four times as large, and puts the entries into it by their hashes.
func (d *dictionary) grow(hash func(uint64) uint64) {
	d.slots, d.shift = resized(d.slots, 4*len(d.slots)), d.shift-2
	clear(d.slots)
	for i, e := range d.entries {
		at := hash(e) >> d.shift
		for d.slots[at] != 0 {
			at = (at + 1) & uint64(len(d.slots)-1)
		}
		d.slots[at] = uint32(i + 1)
	}
}

func hashNumber(v uint64) uint64 { return (v ^ v>>32) * 0x9e3779b97f4a7c15 }

// numbers makes the codes of the chunk's values, unless they are too many.
func (d *dictionary) numbers(c *chunk) bool {
	d.reset()
	c.codes = resized(c.codes, len(c.values))
	for i, v := range c.values {
		at := hashNumber(v) >> d.shift
		for {
			slot := d.slots[at]
			if slot == 0 {
				if len(d.entries) == dictionaryBytes/8 {
					return false
				}
				d.entries = append(d.entries, v)
				slot = uint32(len(d.entries))
				d.slots[at] = slot
				c.codes[i] = slot - 1
				if 2*len(d.entries) > len(d.slots) {
					d.grow(hashNumber)
				}
				break
			}
			if d.entries[slot-1] == v {
				c.codes[i] = slot - 1
				break
			}
			at = (at + 1) & uint64(len(d.slots)-1)
		}
	}
	return true
}

// ofTexts is numbers for texts. Many columns have the same text in most rows.
func (d *dictionary) ofTexts(c *chunk) bool {
	d.reset()
	if d.seed == (maphash.Seed{}) {
		d.seed = maphash.MakeSeed()
	}
	hash := func(v uint64) uint64 { return maphash.Bytes(d.seed, c.text(v)) }
	c.codes = resized(c.codes, len(c.values))
	size := 0
	for i, v := range c.values {
		seen := &d.seen[v>>16*0x9e3779b97f4a7c15>>(64-8)]
		if seen.code > 0 && seen.text == v {
			c.codes[i] = seen.code - 1
			continue
		}
		text := c.text(v)
		at := hash(v) >> d.shift
		for {
			slot := d.slots[at]
			if slot == 0 {
				if size += 4 + len(text); size > dictionaryBytes {
					return false
				}
				d.entries = append(d.entries, v)
				slot = uint32(len(d.entries))
				d.slots[at] = slot
				c.codes[i] = slot - 1
				if 2*len(d.entries) > len(d.slots) {
					d.grow(hash)
				}
				break
			}
			if string(c.text(d.entries[slot-1])) == string(text) {
				c.codes[i] = slot - 1
				break
			}
			at = (at + 1) & uint64(len(d.slots)-1)
		}
		*seen = seenText{v, c.codes[i] + 1}
	}
	return true
}
