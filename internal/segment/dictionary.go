package segment

// dictionary gives the different numbers of a chunk codes, in the order in which they come.
type dictionary struct {
	entries []uint64
	slots   []uint32 // by hash: the number of an entry plus 1
	shift   uint     // of a hash, so that it is a place in slots
}

func (d *dictionary) reset() {
	const small = 9 // bits
	d.entries, d.slots, d.shift = d.entries[:0], resized(d.slots, 1<<small), 64-small
	clear(d.slots)
}

// grow makes the table four times as large, and puts the entries into it by their hashes.
func (d *dictionary) grow() {
	d.slots, d.shift = resized(d.slots, 4*len(d.slots)), d.shift-2
	clear(d.slots)
	for i, e := range d.entries {
		at := hashNumber(e) >> d.shift
		for d.slots[at] != 0 {
			at = (at + 1) & uint64(len(d.slots)-1)
		}
		d.slots[at] = uint32(i + 1)
	}
}

func hashNumber(v uint64) uint64 { return (v ^ v>>32) * 0x9e3779b97f4a7c15 }

// of makes the codes of values, unless they are too many.
func (d *dictionary) of(values []uint64, codes *[]uint32) bool {
	d.reset()
	*codes = resized(*codes, len(values))
	for i, v := range values {
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
				(*codes)[i] = slot - 1
				if 2*len(d.entries) > len(d.slots) {
					d.grow()
				}
				break
			}
			if d.entries[slot-1] == v {
				(*codes)[i] = slot - 1
				break
			}
			at = (at + 1) & uint64(len(d.slots)-1)
		}
	}
	return true
}
