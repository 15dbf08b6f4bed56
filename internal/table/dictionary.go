package table

import (
	"errors"
	"unicode/utf8"
)

// Caps of the dictionary of one category column. A column that needs more becomes Text.
const (
	maxDictionaryValues = 1 << 17
	maxDictionaryBytes  = 64 << 20
)

var (
	errDictionaryFull = errors.New("dictionary is full")
	errNotUTF8        = errors.New("value is not UTF-8")
)

// dictionary gives codes to the values of a category column in the order in which they come.
type dictionary struct {
	codes  map[string]uint32
	values []string
	bytes  int
}

func newDictionary() *dictionary { return &dictionary{codes: make(map[string]uint32)} }

// lookup returns the code of a value that has one.
func (d *dictionary) lookup(value []byte) (uint32, bool) {
	code, ok := d.codes[string(value)]
	return code, ok
}

// add gives value the next code. It must not have one yet.
func (d *dictionary) add(value []byte) (uint32, error) {
	switch {
	case !utf8.Valid(value):
		return 0, errNotUTF8
	case len(d.values) == maxDictionaryValues || d.bytes+len(value) > maxDictionaryBytes:
		return 0, errDictionaryFull
	}
	code := uint32(len(d.values))
	text := string(value)
	d.codes[text] = code
	d.values = append(d.values, text)
	d.bytes += len(value)
	return code, nil
}
