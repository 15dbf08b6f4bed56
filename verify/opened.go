package verify

import (
	"crypto/sha256"
	"slices"
	"strings"
)

// anEvent is what an event is called here: its data comes before its id.
const anEvent = "the event"

// AppendOpened appends the data of a leaf with the values of ds in their places, each checked first: the RFC 8785 form
// of what [SealedEvent.Open] returns, for whoever passes it on. It copies text, and makes nothing of what it says.
func AppendOpened(dst, leaf []byte, ds []Disclosure) ([]byte, error) {
	if len(leaf) > MaxLeaf {
		return dst, errLeafSize(len(leaf))
	}
	o := opener{parser: parser{s: string(leaf)}, dst: dst, ds: ds, shown: make([]bool, len(ds))}
	there := false
	ok := o.members(func(name string) (ok bool) {
		if name != "data" {
			return o.skip(1)
		}
		there, o.from = true, o.i
		ok = o.object(1)
		o.copy(o.i)
		return ok
	})
	switch {
	case o.fault != nil:
		return dst, o.fault
	case !ok || o.i != len(o.s):
		return dst, o.err()
	case !there:
		return dst, errNoData()
	}
	for i, shown := range o.shown {
		if shown {
			continue
		}
		if slices.ContainsFunc(ds[:i], func(before Disclosure) bool { return before.Pointer == ds[i].Pointer }) {
			return dst, errTwice(anEvent, ds[i].Pointer)
		}
		return dst, errNotSealed(anEvent, ds[i].Pointer)
	}
	return o.dst, nil
}

// opener reads a leaf and writes its data with what is shown.
type opener struct {
	parser
	dst     []byte
	from    int // what comes before it in the leaf is in dst
	pointer []byte
	ds      []Disclosure
	shown   []bool // each of ds
	fault   error  // why one of ds is refused
}

// copy copies the leaf up to an offset.
func (o *opener) copy(to int) {
	o.dst = append(o.dst, o.s[o.from:to]...)
	o.from = to
}

func (o *opener) object(depth int) bool {
	return depth <= maxDepth && o.members(func(name string) bool {
		parent := len(o.pointer)
		o.pointer = appendPointer(o.pointer, name)
		ok := o.field(depth + 1)
		o.pointer = o.pointer[:parent]
		return ok
	})
}

// field reads the value at the pointer. Like those who seal, it does not look into arrays.
func (o *opener) field(depth int) bool {
	if o.i >= len(o.s) || o.s[o.i] != '{' {
		return o.skip(depth)
	}
	for i := range o.ds {
		if o.ds[i].Pointer == string(o.pointer) {
			return o.show(i)
		}
	}
	return o.object(depth)
}

// show writes a value in the place of its commitment.
func (o *opener) show(i int) bool {
	const before = `{"` + commitmentMember + `":"`
	d := o.ds[i]
	canonical, err := d.canonical()
	var sum [sha256.Size]byte
	if err == nil {
		sum, err = d.sum(canonical)
	}
	if err != nil {
		o.fault = err
		return false
	}
	at := o.i
	var room [len(before) + 2*sha256.Size + 16]byte
	if want := append(appendDigest(append(room[:0], before...), sum), `"}`...); !o.literal(string(want)) {
		o.fault = errOther(anEvent, d.Pointer)
		if !strings.HasPrefix(o.s[at:], before) {
			o.fault = errNotSealed(anEvent, d.Pointer)
		}
		return false
	}
	after := o.i
	o.copy(at)
	o.dst, o.from, o.shown[i] = append(o.dst, canonical...), after, true
	return true
}
