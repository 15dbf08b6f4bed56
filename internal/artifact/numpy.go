package artifact

import (
	"encoding/binary"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// maxNumPyHeader is what numpy itself reads without being asked for more (numpy.lib.format).
const maxNumPyHeader = 10_000

// numpyHeader is the header as numpy writes it, a Python dictionary literal. Python reads others too, with
// keys in any order, twice or in escapes; what this one does not match is not read.
var numpyHeader = regexp.MustCompile(`^\{'descr': ('[^'"\\]*'|\[[^"\\{}]*\]), 'fortran_order': (?:True|False), 'shape': \(([0-9, ]*)\), ?\} *\n?$`)

// numpy reads an array: magic bytes, version, header, numbers. An array of objects is a pickle.
func (in *inspector) numpy(src *input) {
	if err := in.numpyArray(src); err != nil {
		in.unreadable("numpy", src, err)
	}
}

func (in *inspector) numpyArray(src *input) error {
	head, err := src.take(8)
	if err != nil {
		return err
	}
	var length uint32
	switch head[6] {
	case 1:
		b, err := src.take(2)
		if err != nil {
			return err
		}
		length = uint32(binary.LittleEndian.Uint16(b))
	case 2, 3:
		if length, err = src.uint32(); err != nil {
			return err
		}
	default:
		return fmt.Errorf("there is no version %d of the format", head[6])
	}
	if length > maxNumPyHeader {
		return fmt.Errorf("its header of %d bytes is longer than %d", length, maxNumPyHeader)
	}
	header, err := src.take(int(length))
	if err != nil {
		return err
	}
	parts := numpyHeader.FindSubmatch(header)
	if parts == nil {
		return fmt.Errorf("its header is not as numpy writes it")
	}
	descr, shape := string(parts[1]), string(parts[2])
	var dims []int64
	for d := range strings.SplitSeq(shape, ",") {
		if d = strings.TrimSpace(d); d == "" {
			continue
		}
		n, err := strconv.ParseInt(d, 10, 64)
		if err != nil {
			return fmt.Errorf("its shape is not of numbers: %.40q", shape)
		}
		dims = append(dims, n)
	}
	elements, ok := elementsOf(dims)
	if !ok {
		return fmt.Errorf("it has the impossible shape %.40q", shape)
	}
	dtype := strings.Trim(descr, "'")
	in.tensor(dtype, elements)
	// A structured type is a list; an object among its fields makes the whole array a pickle.
	if strings.Contains(dtype, "O") {
		in.find(Medium, "numpy.objects", src.where, "is an array of objects, which is a pickle")
		in.pickles(src)
		return nil
	}
	if width, ok := numpyWidth(dtype); ok {
		if elements > maxTotal/width {
			return fmt.Errorf("it has the impossible shape %.40q", shape)
		}
		if err := src.skip(uint64(elements * width)); err != nil {
			return err
		}
		if !src.ended() {
			in.find(Medium, "numpy.trailing", place(src.where, src.offset()), "goes on behind the end of the array")
		}
	}
	return nil
}
