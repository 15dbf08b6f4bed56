package artifact

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Bounds of a GGUF header. The largest models have a few thousand tensors and vocabularies of a few
// hundred thousand words.
const (
	maxGGUFEntries = 1 << 16  // metadata entries
	maxGGUFTensors = 1 << 20  // tensors
	maxGGUFString  = 16 << 20 // bytes of a string
	maxGGUFArray   = 1 << 26  // elements of an array
	maxGGUFDims    = 8
)

// The types of metadata values (ggml/docs/gguf.md).
const (
	ggufUint8 = iota
	ggufInt8
	ggufUint16
	ggufInt16
	ggufUint32
	ggufInt32
	ggufFloat32
	ggufBool
	ggufString
	ggufArray
	ggufUint64
	ggufInt64
	ggufFloat64
)

// ggufWidth is the bytes of a scalar by its type.
var ggufWidth = [...]uint64{1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8}

// ggufTypes names the tensor types, with the elements and bytes of a block (ggml/src/ggml.c).
var ggufTypes = map[uint32]struct {
	name            string
	elements, bytes int64
}{
	0: {"F32", 1, 4}, 1: {"F16", 1, 2}, 2: {"Q4_0", 32, 18}, 3: {"Q4_1", 32, 20}, 6: {"Q5_0", 32, 22}, 7: {"Q5_1", 32, 24},
	8: {"Q8_0", 32, 34}, 9: {"Q8_1", 32, 36}, 10: {"Q2_K", 256, 84}, 11: {"Q3_K", 256, 110}, 12: {"Q4_K", 256, 144},
	13: {"Q5_K", 256, 176}, 14: {"Q6_K", 256, 210}, 15: {"Q8_K", 256, 292}, 16: {"IQ2_XXS", 256, 66}, 17: {"IQ2_XS", 256, 74},
	18: {"IQ3_XXS", 256, 98}, 19: {"IQ1_S", 256, 50}, 20: {"IQ4_NL", 32, 18}, 21: {"IQ3_S", 256, 110}, 22: {"IQ2_S", 256, 82},
	23: {"IQ4_XS", 256, 136}, 24: {"I8", 1, 1}, 25: {"I16", 1, 2}, 26: {"I32", 1, 4}, 27: {"I64", 1, 8}, 28: {"F64", 1, 8},
	29: {"IQ1_M", 256, 56}, 30: {"BF16", 1, 2}, 34: {"TQ1_0", 256, 54}, 35: {"TQ2_0", 256, 66}, 39: {"MXFP4", 32, 17},
}

// gguf reads a header of version 2 or 3, little-endian, and checks that its tensors lie in the file.
func (in *inspector) gguf(src *input) {
	if err := in.ggufHeader(src); err != nil {
		in.unreadable("gguf", src, err)
	}
}

func (in *inspector) ggufHeader(src *input) error {
	if err := src.skip(4); err != nil {
		return err
	}
	version, err := src.uint32()
	if err != nil {
		return err
	}
	if version != 2 && version != 3 {
		return fmt.Errorf("version %d of the format is not read, only 2 and 3 in little-endian order", version)
	}
	in.meta("gguf.version", strconv.FormatUint(uint64(version), 10))
	tensors, err := src.uint64()
	if err != nil {
		return err
	}
	entries, err := src.uint64()
	if err != nil {
		return err
	}
	if tensors > maxGGUFTensors || entries > maxGGUFEntries {
		return fmt.Errorf("%d tensors and %d entries are more than are read", tensors, entries)
	}
	alignment := int64(32)
	for range entries {
		if err := in.ctx.Err(); err != nil {
			return err
		}
		key, err := ggufText(src, 1<<16)
		if err != nil {
			return err
		}
		t, err := src.uint32()
		if err != nil {
			return err
		}
		v, err := ggufValue(src, t, 0)
		if err != nil {
			return fmt.Errorf("entry %.80q: %w", key, err)
		}
		switch {
		case key == "general.alignment":
			if alignment, err = strconv.ParseInt(v, 10, 32); err != nil || alignment <= 0 || alignment%8 != 0 {
				return fmt.Errorf("the alignment %.20q is none", v)
			}
		case strings.HasSuffix(key, "chat_template"):
			in.find(Info, "gguf.template", src.where, "brings a chat template (%s), which its loader runs as a program; it should do so in a sandbox", key)
		case strings.HasPrefix(key, "general."):
			in.meta(key, v)
		}
	}
	return in.ggufTensors(src, tensors, alignment)
}

func (in *inspector) ggufTensors(src *input, tensors uint64, alignment int64) error {
	end := int64(0) // of the data that the tensors need
	for range tensors {
		name, err := ggufText(src, 1<<16)
		if err != nil {
			return err
		}
		n, err := src.uint32()
		if err != nil {
			return err
		}
		if n > maxGGUFDims {
			return fmt.Errorf("tensor %.80q has %d dimensions", name, n)
		}
		dims := make([]int64, n)
		for i := range dims {
			d, err := src.uint64()
			if err != nil {
				return err
			}
			dims[i] = int64(min(d, math.MaxInt64))
		}
		elements, ok := elementsOf(dims)
		if !ok {
			return fmt.Errorf("tensor %.80q has the impossible shape %v", name, dims)
		}
		t, err := src.uint32()
		if err != nil {
			return err
		}
		offset, err := src.uint64()
		if err != nil {
			return err
		}
		kind, known := ggufTypes[t]
		if !known {
			in.find(Medium, "gguf.type", src.where, "has tensors of the unknown type %d, whose place in the file cannot be checked", t)
			in.tensor(fmt.Sprintf("type %d", t), elements)
			continue
		}
		in.tensor(kind.name, elements)
		if offset > maxTotal || offset%uint64(alignment) != 0 || elements%kind.elements != 0 || elements/kind.elements > maxTotal/kind.bytes {
			return fmt.Errorf("tensor %.80q lies at the impossible offset %d", name, offset)
		}
		end = max(end, int64(offset)+elements/kind.elements*kind.bytes)
	}
	begin := (src.offset() + alignment - 1) / alignment * alignment
	if src.size >= 0 && end > 0 && (begin > src.size || end > src.size-begin) {
		return fmt.Errorf("its tensors need %d bytes behind byte %d, the file ends at %d", end, begin, src.size)
	}
	return nil
}

// ggufText reads a string of at most limit bytes.
func ggufText(src *input, limit uint64) (string, error) {
	n, err := src.uint64()
	if err != nil {
		return "", err
	}
	if n > limit {
		return "", fmt.Errorf("a name of %d bytes", n)
	}
	b, err := src.take(int(n))
	return string(b), err
}

// ggufValue reads a value and returns it as text if it is a scalar or a short string.
func ggufValue(src *input, t uint32, depth int) (string, error) {
	switch {
	case t == ggufString:
		n, err := src.uint64()
		if err != nil {
			return "", err
		}
		if n > maxGGUFString {
			return "", fmt.Errorf("a string of %d bytes", n)
		}
		if n > maxMetadataValue {
			return "", src.skip(n)
		}
		b, err := src.take(int(n))
		return string(b), err
	case t == ggufArray:
		if depth == maxInspectDepth {
			return "", fmt.Errorf("arrays in arrays, more than %d deep", maxInspectDepth)
		}
		element, err := src.uint32()
		if err != nil {
			return "", err
		}
		n, err := src.uint64()
		if err != nil {
			return "", err
		}
		if n > maxGGUFArray {
			return "", fmt.Errorf("an array of %d elements", n)
		}
		if element < uint32(len(ggufWidth)) && ggufWidth[element] > 0 {
			return "", src.skip(n * ggufWidth[element])
		}
		for range n {
			if _, err := ggufValue(src, element, depth+1); err != nil {
				return "", err
			}
		}
		return "", nil
	case t >= uint32(len(ggufWidth)):
		return "", fmt.Errorf("there is no type %d", t)
	}
	b, err := src.take(int(ggufWidth[t]))
	if err != nil {
		return "", err
	}
	var bits uint64
	for i, c := range b {
		bits |= uint64(c) << (8 * i)
	}
	switch t {
	case ggufFloat32:
		return strconv.FormatFloat(float64(math.Float32frombits(uint32(bits))), 'g', -1, 32), nil
	case ggufFloat64:
		return strconv.FormatFloat(math.Float64frombits(bits), 'g', -1, 64), nil
	case ggufBool:
		return strconv.FormatBool(bits != 0), nil
	case ggufInt8, ggufInt16, ggufInt32, ggufInt64:
		shift := 64 - 8*len(b)
		return strconv.FormatInt(int64(bits<<shift)>>shift, 10), nil
	default:
		return strconv.FormatUint(bits, 10), nil
	}
}
