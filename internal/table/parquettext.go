package table

import "unicode/utf8"

// readText makes rows of a Text column ready.
func (c *parquetCursor) readText(missing []bool, present int) error {
	v := &c.ready
	row := 0
	add := func(text []byte) error {
		for missing[row] {
			v.pad(Text)
			row++
		}
		if !utf8.Valid(text) {
			return errNotUTF8
		}
		v.text = append(v.text, text...)
		v.ends = append(v.ends, uint32(len(v.text)))
		row++
		return nil
	}
	if c.values.index == nil {
		if err := c.spell(present, add); err != nil {
			return err
		}
	} else {
		index, err := c.readIndex(present)
		if err != nil {
			return err
		}
		for _, at := range index {
			if err := add(c.lookup.bytes(at)); err != nil {
				return err
			}
		}
	}
	for range missing[row:] {
		v.pad(Text)
	}
	return nil
}

// spell calls yield with the next n values of a page without dictionary, as text.
func (c *parquetCursor) spell(n int, yield func([]byte) error) error {
	switch {
	case c.values.ints != nil:
		ints, err := c.readInts(n)
		if err != nil {
			return err
		}
		for _, v := range ints {
			c.text = c.leaf.appendInt(c.text[:0], v)
			if err := yield(c.text); err != nil {
				return err
			}
		}
		return nil
	case c.values.floats != nil:
		c.floats = resize(c.floats, n)
		if err := c.values.floats.floats(c.floats); err != nil {
			return err
		}
		for _, v := range c.floats {
			c.text = c.leaf.appendFloat(c.text[:0], v)
			if err := yield(c.text); err != nil {
				return err
			}
		}
		return nil
	}
	for range n {
		text, err := c.nextBytes()
		if err != nil {
			return err
		}
		if c.leaf.meaning != meansText {
			c.text = c.leaf.appendBytes(c.text[:0], text)
			text = c.text
		}
		if err := yield(text); err != nil {
			return err
		}
	}
	return nil
}
