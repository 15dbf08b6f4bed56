package contract

import (
	"fmt"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/table"
)

// maxUnique bounds the keys that one pass over a column holds, about 100 MB.
const maxUnique = 1 << 22

// uniqueCheck looks for values that occur twice, among those whose key falls into one part of
// parts. A column with more values than one pass may hold takes several passes.
type uniqueCheck struct {
	want        bool
	limit       int // of keys in one pass
	part, parts uint64
	seen        map[uint64]struct{}
	full        bool // more than limit values came: later ones were not looked at
	looked      int64
	repeated    offence
}

func (u *uniqueCheck) prepare(want *Column) {
	u.want, u.limit, u.parts = want.Unique, maxUnique, 1
	if u.want {
		u.seen = map[uint64]struct{}{}
	}
}

func (u *uniqueCheck) add(row int64, n int, v *table.Vector) {
	if !u.want {
		return
	}
	eachKey(n, v, func(i int, key uint64) {
		if u.parts > 1 && spread(key)%u.parts != u.part {
			return
		}
		if _, ok := u.seen[key]; ok {
			u.repeated.hit(row+int64(i), func() string { return describe(v, i) })
			u.looked++
			return
		}
		if len(u.seen) == u.limit {
			u.full = true
			return
		}
		u.looked++
		u.seen[key] = struct{}{}
	})
}

// split deals n rows out over as many parts as one pass each can hold. A part that is to be a
// quarter emptier than it may be does not fill up by chance.
func (u *uniqueCheck) split(n int64) {
	if n > int64(u.limit) {
		u.parts = uint64(n/int64(u.limit*3/4) + 1)
	}
}

// next forgets the keys of this part and goes on to the next; it reports whether there is one.
func (u *uniqueCheck) next() bool {
	clear(u.seen)
	u.part++
	return u.part < u.parts
}

// spread mixes a key so that its remainder says nothing about the value (splitmix64).
func spread(key uint64) uint64 {
	key ^= key >> 30
	key *= 0xbf58476d1ce4e5b9
	key ^= key >> 27
	key *= 0x94d049bb133111eb
	return key ^ key>>31
}

func (c *columnCheck) checkUnique() Check {
	u := &c.unique
	check := c.rate(rowExpectation{name: "unique", title: "No value twice", what: "repeat the value of an earlier row",
		offence: u.repeated, looked: u.looked, fits: true})
	if u.full && check.Verdict == tallystick.Pass {
		check.Verdict = tallystick.Insufficient
		check.Words = fmt.Sprintf("%s: no value occurs twice among the first %s, and more were not looked at", c.want.Name, commas(int64(u.limit)))
	}
	return check
}
