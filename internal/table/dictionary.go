package table

import (
	"errors"
	"unicode/utf8"
)

// Caps of the dictionary of one category column. A column that needs more becomes Text, as does one
// that finds the room of the table used up.
const (
	maxDictionaryValues = 1 << 17
	maxDictionaryBytes  = 64 << 20
	tooManyValues       = "has too many different values for a category (more than 131,072, or too long ones): it is read as text"

	valueOverhead = 64 // bytes that a value takes in the map and the slice, about
)

var (
	errDictionaryFull = errors.New("dictionary is full")
	errNotUTF8        = errors.New("value is not UTF-8")
)

// dictionary gives codes to the values of a category column in the order in which they come.
type dictionary struct {
	codes  map[string]uint32
	values []string
	taken  int64  // bytes
	room   *int64 // left in the table
}

func newDictionary(room *int64) *dictionary {
	return &dictionary{codes: make(map[string]uint32), room: room}
}

// lookup returns the code of a value that has one.
func (d *dictionary) lookup(value []byte) (uint32, bool) {
	code, ok := d.codes[string(value)]
	return code, ok
}

// add gives value the next code. It must not have one yet.
func (d *dictionary) add(value []byte) (uint32, error) {
	need := int64(len(value) + valueOverhead)
	switch {
	case !utf8.Valid(value):
		return 0, errNotUTF8
	case len(d.values) == maxDictionaryValues || d.taken+need > maxDictionaryBytes || need > *d.room:
		return 0, errDictionaryFull
	}
	code := uint32(len(d.values))
	text := string(value)
	d.codes[text] = code
	d.values = append(d.values, text)
	d.taken += need
	*d.room -= need
	return code, nil
}
