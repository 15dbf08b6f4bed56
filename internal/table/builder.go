package table

import (
	"errors"
	"unicode/utf8"
)

// class is what a single CSV value looks like.
type class uint8

const (
	looksNumber class = iota
	looksTime
	looksOther
)

// A column with at least mixedRows values of which at least mixedShare are numbers, but not all,
// is more likely wrong than a category.
const (
	mixedRows  = 20
	mixedShare = 0.95
)

// place says where in the files a value stands.
type place struct {
	path string
	row  int64 // from 1, after the header
	line int64
	seq  int64 // rows of all files before this one
}

// sighting is the first value of a class.
type sighting struct {
	place
	text string
}

// builder finds the kind of one CSV column and gathers its values, a block at a time.
//
// It takes the kind of the first value and stores on. When a number or time column meets something
// else, what it has stored is of no use: it goes on only counting, and once the whole column has
// been seen settle decides between an error and a second reading.
type builder struct {
	name    string
	forced  Kind // by the options, or by the first reading
	kind    Kind // empty until the first value
	again   bool // no longer storing: the column must be read a second time
	counts  [3]int64
	first   [3]sighting
	classes []class // of the dictionary's values
	dict    *dictionary

	fraction bool // some number has a point or exponent
	inexact  bool // some integer is beyond 2^53
	exact    bool // integers beyond 2^53 are to keep their digits
	clock    bool // some moment has a time of day
	held     bool // some moment is out of range

	n       int    // rows in the pending block
	pending Vector // their values
	bulk    *int   // bytes of text in the pending block of all columns, those to come in a second reading included
}

func newBuilder(name string, forced Kind, dict *dictionary, bulk *int) *builder {
	return &builder{name: name, forced: forced, kind: forced, dict: dict, bulk: bulk}
}

// add takes the next value.
func (b *builder) add(field []byte, at *place) error {
	if b.forced == Text {
		if len(field) == 0 {
			b.addNull()
			return nil
		}
		return b.addText(field)
	}
	value := trimBlanks(field)
	if isNull(value) {
		b.addNull()
		return nil
	}
	if b.kind == "" {
		b.decide(value)
	}
	if !b.again && b.kind == Number {
		if number, integer, ok := parseNumber(value); ok {
			b.addNumber(number, integer)
			if b.first[looksNumber].row == 0 {
				b.see(looksNumber, field, at)
			}
			return nil
		}
		b.again = true
	}
	if isNaN(value) {
		b.addNull()
		return nil
	}
	if !b.again && b.kind == Time {
		if moment, held, ok := parseMoment(value); ok {
			b.addMoment(moment, held, len(value) > len("2006-01-02"))
			if b.first[looksTime].row == 0 {
				b.see(looksTime, field, at)
			}
			return nil
		}
		b.again = true
	}
	switch {
	case b.again:
		*b.bulk += len(field)
		b.count(classify(value), field, at)
		return nil
	case b.kind == Category:
		return b.addCategory(field, value, at)
	}
	b.count(classify(value), field, at)
	return b.addText(field)
}

// decide sets the kind by the column's first value, and gives the missing ones before it their
// place.
func (b *builder) decide(value []byte) {
	switch classify(value) {
	case looksNumber:
		b.kind = Number
	case looksTime:
		b.kind = Time
	default:
		b.kind = Category
	}
	n := b.n
	b.n, b.pending.Null = 0, b.pending.Null[:0]
	for range n {
		b.addNull()
	}
}

func classify(value []byte) class {
	if _, _, ok := parseNumber(value); ok {
		return looksNumber
	}
	if _, _, ok := parseMoment(value); ok {
		return looksTime
	}
	return looksOther
}

func (b *builder) count(c class, field []byte, at *place) {
	b.counts[c]++
	if b.counts[c] == 1 {
		b.see(c, field, at)
	}
}

func (b *builder) see(c class, field []byte, at *place) {
	b.first[c] = sighting{*at, string(field[:min(len(field), 60)])}
}

func (b *builder) addNull() {
	b.n++
	b.pending.Null = append(b.pending.Null, true)
	b.pending.pad(b.kind)
}

func (b *builder) addNumber(value float64, integer bool) {
	b.fraction = b.fraction || !integer
	b.inexact = b.inexact || integer && (value >= maxExact || value <= -maxExact) // 2^53 + 1 is 2^53 by now
	b.pending.Null = append(b.pending.Null, false)
	b.pending.Float = append(b.pending.Float, value)
	b.n++
	if value == value { // NaN may still turn out to be a missing category
		b.counts[looksNumber]++
	}
}

func (b *builder) addMoment(moment int64, held, clock bool) {
	b.held = b.held || held
	b.clock = b.clock || clock
	b.pending.Null = append(b.pending.Null, false)
	b.pending.Time = append(b.pending.Time, moment)
	b.n++
	b.counts[looksTime]++
}

func (b *builder) addCategory(field, value []byte, at *place) error {
	code, ok := b.dict.lookup(field)
	if !ok {
		var err error
		code, err = b.dict.add(field)
		switch {
		case errors.Is(err, errDictionaryFull):
			// Too many values for a category. Blocks stored so far keep their codes; the pending one is
			// turned into text.
			b.kind = Text
			b.pending.spell(b.dict.values)
			*b.bulk += len(b.pending.text)
			b.count(classify(value), field, at)
			return b.addText(field)
		case err != nil:
			return err
		}
		b.classes = append(b.classes, classify(value))
	}
	b.count(b.classes[code], field, at)
	b.pending.Null = append(b.pending.Null, false)
	b.pending.Code = append(b.pending.Code, code)
	b.n++
	return nil
}

func (b *builder) addText(field []byte) error {
	if !utf8.Valid(field) {
		return errNotUTF8
	}
	b.kind = Text
	b.pending.Null = append(b.pending.Null, false)
	b.pending.text = append(b.pending.text, field...)
	b.pending.ends = append(b.pending.ends, uint32(len(b.pending.text)))
	*b.bulk += len(field)
	b.n++
	return nil
}
