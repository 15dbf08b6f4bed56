package artifact

import (
	"fmt"
	"strconv"
	"strings"
)

// joblibWrapper is the object behind which joblib writes the raw numbers of an array, between the
// opcodes (joblib/numpy_pickle.py, NumpyArrayWrapper.read_array).
const joblibWrapper = "joblib.numpy_pickle NumpyArrayWrapper"

// joblibArray skips the array behind a wrapper with this state. An array of objects is another
// pickle, which is scanned.
func (p *pickle) joblibArray(state *value) error {
	fields := map[string]*value{}
	for i := 0; i+1 < len(state.items); i += 2 {
		fields[state.items[i].text] = state.items[i+1]
	}
	shape, dtype := fields["shape"], fields["dtype"]
	if shape == nil || shape.kind != kindTuple || dtype == nil || dtype.kind != kindObject || dtype.text != "numpy dtype" || len(dtype.items) == 0 {
		return fmt.Errorf("an array wrapper does not tell shape and type")
	}
	name := dtype.items[0].text
	dims := make([]int64, len(shape.items))
	for i, v := range shape.items {
		if v.kind != kindInt {
			return fmt.Errorf("an array wrapper has a shape that is not of numbers")
		}
		dims[i] = v.number
	}
	elements, ok := elementsOf(dims)
	if !ok {
		return fmt.Errorf("an array has the impossible shape %v", dims)
	}
	objects, ok := numpyState(dtype)
	if !ok {
		return fmt.Errorf("an array has a type whose state says something else than its name %q", name)
	}
	if objects {
		p.objects = true
		return p.nestedPickle()
	}
	width, ok := numpyWidth(name)
	if !ok || elements > maxTotal/width {
		return fmt.Errorf("an array has elements of the unknown type %q", name)
	}
	if alignment := fields["numpy_array_alignment_bytes"]; alignment != nil && alignment.kind == kindInt {
		padding, err := p.src.ReadByte()
		if err != nil {
			return unexpected(err)
		}
		if err := p.src.skip(uint64(padding)); err != nil {
			return err
		}
	}
	p.in.tensor(name, elements)
	return p.src.skip(uint64(elements * width))
}

// numpyState reports whether the elements of a type are objects. A pickled type is a name, such as
// "V64", and a state: version, byte order, subtype, names, fields, size, alignment, flags. NumPy
// believes the state (numpy/_core/src/multiarray/descriptor.c, arraydescr_setstate), so the two must agree.
func numpyState(dtype *value) (objects, ok bool) {
	name := strings.TrimLeft(dtype.items[0].text, "|<>=")
	objects = strings.HasPrefix(name, "O")
	if dtype.state == nil {
		return objects, true
	}
	if dtype.state.kind != kindTuple || len(dtype.state.items) < 8 {
		return false, false
	}
	const hasObject = 1 // NPY_ITEM_HASOBJECT
	size, flags := dtype.state.items[5], dtype.state.items[7]
	if size.kind != kindInt || flags.kind != kindInt {
		return false, false
	}
	objects = objects || flags.number&hasObject != 0
	if width, known := numpyWidth(name); known && size.number >= 0 && size.number != width && !objects {
		return false, false
	}
	return objects, true
}

// nestedPickle scans a pickle that begins at the next byte and ends before the opcodes go on.
func (p *pickle) nestedPickle() error {
	if p.nested == maxInspectDepth {
		return fmt.Errorf("pickles in pickles, more than %d deep", maxInspectDepth)
	}
	inner := &pickle{in: p.in, src: p.src, torch: p.torch, plain: p.plain, nested: p.nested + 1}
	err := inner.scan()
	p.called = p.called || inner.called
	return err
}

// numpyWidth returns the bytes of one element of a plain type, such as "<f4" or "U10".
func numpyWidth(dtype string) (int64, bool) {
	dtype = strings.TrimLeft(dtype, "|<>=")
	if len(dtype) < 2 {
		return 0, false
	}
	n, err := strconv.ParseInt(dtype[1:], 10, 32)
	if err != nil || n < 0 {
		return 0, false
	}
	switch dtype[0] {
	case 'b', 'i', 'u', 'f', 'c', 'S', 'V', 'm', 'M':
		return max(n, 1), true
	case 'U':
		return max(4*n, 1), true
	default:
		return 0, false
	}
}
