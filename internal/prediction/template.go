package prediction

import "encoding/binary"

// template is the names of a map that was decoded. Most records have the names of the one before, which need not be
// looked at again: they are UTF-8, and in order.
type template struct {
	names  []byte // one after the other, each with its length in one byte before it
	known  []knownName
	layout int // changes with them
}

// knownName is a name of a template with its length. Up to 16 bytes are all in head and tail.
type knownName struct {
	head, mask uint64 // the first eight bytes; mask has the bits of those that there are
	tail       uint64 // the last eight, if there are more than eight
	at, size   int
}

// match returns how many bytes the name i takes, with its length, if data begins with it, and 0 otherwise.
func (t *template) match(i int, data []byte) int {
	if i >= len(t.known) {
		return 0
	}
	k := &t.known[i]
	if len(data) < 8 || len(data) < k.size || binary.LittleEndian.Uint64(data)&k.mask != k.head {
		return 0
	}
	if k.size > 8 && binary.LittleEndian.Uint64(data[k.size-8:]) != k.tail {
		return 0
	}
	if k.size > 16 && string(data[:k.size]) != string(t.names[k.at:k.at+k.size]) {
		return 0
	}
	return k.size
}

// learn puts a name in the place of those from i on. Long names are not learnt, and none after them.
func (t *template) learn(i int, name []byte) {
	if i < len(t.known) {
		t.forget(i)
	}
	t.layout++
	if i > len(t.known) || len(name) >= 0x80 {
		return
	}
	k := knownName{at: len(t.names), size: 1 + len(name)}
	t.names = append(append(t.names, byte(len(name))), name...)
	text := t.names[k.at:]
	if k.size >= 8 {
		k.head, k.mask = binary.LittleEndian.Uint64(text), 1<<64-1
		k.tail = binary.LittleEndian.Uint64(text[k.size-8:])
	} else {
		for j, c := range text {
			k.head |= uint64(c) << (8 * j)
			k.mask |= 0xff << (8 * j)
		}
	}
	t.known = append(t.known, k)
}

// forget leaves out the names from i on.
func (t *template) forget(i int) {
	t.layout++
	if i < len(t.known) {
		t.names, t.known = t.names[:t.known[i].at], t.known[:i]
	}
}
