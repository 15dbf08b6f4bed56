package table

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/parquet-go/parquet-go/format"
)

// readRows makes the next n rows of the present page ready.
func (c *parquetCursor) readRows(n int) error {
	v := &c.ready
	start := len(v.Null)
	v.Null = extend(v.Null, n)
	missing := v.Null[start:]
	clear(missing)
	present := n
	if c.optional {
		var err error
		if present, err = c.levels.ReadMissing(missing); err != nil {
			return err
		}
	}
	if c.leaf.meaning == meansNothing {
		for i := range missing {
			missing[i] = true
			v.pad(c.column.kind)
		}
		return nil
	}
	switch c.column.kind {
	case Number:
		v.Float = extend(v.Float, n)
		if err := c.readFloats(v.Float[start:][:present]); err != nil {
			return err
		}
		spread(v.Float[start:], missing, present, math.NaN())
	case Time:
		v.Time = extend(v.Time, n)
		if err := c.readTimes(v.Time[start:][:present]); err != nil {
			return err
		}
		spread(v.Time[start:], missing, present, NoTime)
	case Category:
		v.Code = extend(v.Code, n)
		if err := c.readCodes(v.Code[start:][:present]); err != nil {
			return err
		}
		spread(v.Code[start:], missing, present, NoCode)
		for i, code := range v.Code[start:] {
			missing[i] = code == NoCode // NaN is a missing category too
		}
	case Text:
		return c.readText(missing, present)
	}
	return nil
}

// spread moves the first present elements of dst to where missing is false and puts hole elsewhere.
func spread[T any](dst []T, missing []bool, present int, hole T) {
	for i := len(dst) - 1; present <= i; i-- {
		if missing[i] {
			dst[i] = hole
		} else {
			present--
			dst[i] = dst[present]
		}
	}
}

// extend lengthens s by n elements, whose values are not defined.
func extend[T any](s []T, n int) []T { return slices.Grow(s, n)[:len(s)+n] }

// resize returns n elements, in the memory of s if they fit there.
func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// readIndex decodes n positions in the dictionary page.
func (c *parquetCursor) readIndex(n int) ([]uint32, error) {
	c.index = resize(c.index, n)
	if err := c.values.index.Read(c.index); err != nil {
		return nil, err
	}
	if n > 0 {
		if largest := slices.Max(c.index); largest >= uint32(c.lookup.n) {
			return nil, fmt.Errorf("value %d of a dictionary of %d", largest, c.lookup.n)
		}
	}
	return c.index, nil
}

func (c *parquetCursor) readInts(n int) ([]int64, error) {
	c.ints = resize(c.ints, n)
	return c.ints, c.values.ints.ints(c.ints)
}

func (c *parquetCursor) readFloats(dst []float64) error {
	switch {
	case c.values.index != nil:
		index, err := c.readIndex(len(dst))
		for i, at := range index {
			dst[i] = c.lookup.floats[at]
		}
		return err
	case c.values.floats != nil:
		return c.values.floats.floats(dst)
	case c.values.ints != nil:
		ints, err := c.readInts(len(dst))
		if c.leaf.meaning == meansNumber {
			for i, v := range ints {
				dst[i] = float64(v)
			}
			return err
		}
		for i, v := range ints {
			dst[i] = c.leaf.intNumber(v)
		}
		return err
	}
	for i := range dst {
		b, err := c.nextBytes()
		if err != nil {
			return err
		}
		dst[i] = c.leaf.bytesNumber(b)
	}
	return nil
}

func (c *parquetCursor) readTimes(dst []int64) error {
	switch {
	case c.values.index != nil:
		index, err := c.readIndex(len(dst))
		for i, at := range index {
			dst[i] = c.lookup.times[at]
		}
		return err
	case c.values.ints != nil:
		ints, err := c.readInts(len(dst))
		for i, v := range ints {
			dst[i] = c.leaf.intTime(v)
		}
		return err
	case c.values.bytes == nil:
		return errors.New("times are stored as fractions")
	}
	for i := range dst {
		b, err := c.nextBytes()
		if err != nil {
			return err
		}
		dst[i] = c.leaf.bytesTime(b)
	}
	return nil
}

func (c *parquetCursor) readCodes(dst []uint32) error {
	if c.values.index == nil {
		i := 0
		return c.spell(len(dst), func(text []byte) (err error) {
			dst[i], err = c.code(text)
			i++
			return err
		})
	}
	index, err := c.readIndex(len(dst))
	for i, at := range index {
		code := c.lookup.codes[at]
		if code == NoCode {
			if code, err = c.code(c.lookup.bytes(at)); err != nil {
				return err
			}
			c.lookup.codes[at] = code
		}
		dst[i] = code
	}
	return err
}

// code returns the code of a value, after giving it one if codes are being collected.
func (c *parquetCursor) code(text []byte) (uint32, error) {
	if (c.leaf.physical == format.Double || c.leaf.physical == format.Float) && string(text) == "NaN" {
		return NoCode, nil
	}
	code, ok := c.column.dict.lookup(text)
	switch {
	case ok:
		return code, nil
	case !c.collect:
		return 0, errors.New("a value that was not there before: the file has changed")
	}
	return c.column.dict.add(text)
}

// nextBytes returns the next value of a page of byte arrays.
func (c *parquetCursor) nextBytes() ([]byte, error) {
	b, err := c.values.bytes.next()
	switch {
	case err != nil:
		return nil, err
	case len(b) > c.source.maxField:
		return nil, errLongText
	case c.leaf.meaning == meansDecimal && len(b) > 64:
		return nil, fmt.Errorf("a decimal of %d bytes", len(b))
	}
	return b, nil
}

// readLookup decodes a dictionary page.
func (c *parquetCursor) readLookup(p page) error {
	if c.lookup.n > 0 {
		return errors.New("there is a second dictionary")
	}
	if p.encoding != format.Plain && p.encoding != format.PlainDictionary { //nolint:staticcheck // old files have it
		return fmt.Errorf("a dictionary in encoding %v is not supported", p.encoding)
	}
	if p.rows/8 > len(p.values) {
		return errShort
	}
	var err error
	if c.values, err = plainValues(c.leaf, p.values); err != nil {
		return err
	}
	l := lookup{n: p.rows}
	switch c.column.kind {
	case Number:
		l.floats = make([]float64, l.n)
		err = c.readFloats(l.floats)
	case Time:
		l.times = make([]int64, l.n)
		err = c.readTimes(l.times)
	default:
		err = c.spell(l.n, func(text []byte) error {
			l.text = append(l.text, text...)
			l.ends = append(l.ends, uint32(len(l.text)))
			l.codes = append(l.codes, NoCode)
			if len(l.text) > 4*maxPageBytes {
				return errors.New("its dictionary is too large")
			}
			return nil
		})
	}
	c.lookup = l
	return err
}
