package artifact

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
)

// maxSafetensorsHeader bounds what is read of a header; the format itself allows 100 MB.
const maxSafetensorsHeader = 16 << 20

// safetensorsBits are the bits of an element (safetensors/src/tensor.rs).
func safetensorsBits(dtype string) (int64, bool) {
	switch dtype {
	case "F4":
		return 4, true
	case "F6_E2M3", "F6_E3M2":
		return 6, true
	case "BOOL", "U8", "I8", "F8_E5M2", "F8_E4M3", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ":
		return 8, true
	case "I16", "U16", "F16", "BF16":
		return 16, true
	case "I32", "U32", "F32":
		return 32, true
	case "I64", "U64", "F64", "C64":
		return 64, true
	default:
		return 0, false
	}
}

// isSafetensors reports a length that the file can hold, and then a JSON object.
func isSafetensors(head []byte, size int64) bool {
	if len(head) < 10 || head[8] != '{' {
		return false
	}
	n := binary.LittleEndian.Uint64(head)
	if size >= 0 {
		return n <= uint64(size)-8
	}
	return n < 1<<40 // a stream: text has no zero bytes there
}

type safetensor struct {
	DType  string   `json:"dtype"`
	Shape  []int64  `json:"shape"`
	Offset [2]int64 `json:"data_offsets"`
}

// safetensors checks a header as the library does: every tensor as long as its shape says, one after the
// other without gaps, up to the end of the file.
func (in *inspector) safetensors(src *input) {
	if err := in.safetensorsHeader(src); err != nil {
		in.unreadable("safetensors", src, err)
	}
}

func (in *inspector) safetensorsHeader(src *input) error {
	n, err := src.uint64()
	if err != nil {
		return err
	}
	if n > maxSafetensorsHeader {
		return fmt.Errorf("its header of %d bytes is longer than the %d that are read", n, maxSafetensorsHeader)
	}
	header, err := src.take(int(n))
	if err != nil {
		return err
	}
	if err := CheckJSON("its header", header); err != nil {
		return err
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(header, &members); err != nil {
		return fmt.Errorf("its header is not a json object")
	}
	if raw, ok := members["__metadata__"]; ok {
		var metadata map[string]string
		if err := json.Unmarshal(raw, &metadata); err != nil {
			return fmt.Errorf("its metadata is not of strings")
		}
		for _, k := range sortedKeys(metadata) {
			in.meta(k, metadata[k])
		}
		delete(members, "__metadata__")
	}
	tensors := make([]safetensor, 0, len(members))
	for name, raw := range members {
		var t safetensor
		d := json.NewDecoder(bytes.NewReader(raw))
		d.DisallowUnknownFields()
		if err := d.Decode(&t); err != nil {
			return fmt.Errorf("tensor %.80q: %w", name, err)
		}
		bits, ok := safetensorsBits(t.DType)
		if !ok {
			return fmt.Errorf("tensor %.80q has the unknown type %.20q", name, t.DType)
		}
		elements, ok := elementsOf(t.Shape)
		if !ok || elements > maxTotal/bits {
			return fmt.Errorf("tensor %.80q has the impossible shape %v", name, t.Shape[:min(len(t.Shape), 8)])
		}
		if t.Offset[0] < 0 || t.Offset[1] < t.Offset[0] || (t.Offset[1]-t.Offset[0]) != (elements*bits+7)/8 || elements*bits%8 != 0 {
			return fmt.Errorf("tensor %.80q lies at %v, which is not as long as its shape", name, t.Offset)
		}
		in.tensor(t.DType, elements)
		tensors = append(tensors, t)
	}
	slices.SortFunc(tensors, func(a, b safetensor) int {
		return cmp.Or(cmp.Compare(a.Offset[0], b.Offset[0]), cmp.Compare(a.Offset[1], b.Offset[1]))
	})
	end := int64(0)
	for _, t := range tensors {
		if t.Offset[0] != end {
			return fmt.Errorf("its tensors overlap or leave a gap at byte %d of the data", min(end, t.Offset[0]))
		}
		end = t.Offset[1]
	}
	if src.size >= 0 && end != src.size-8-int64(n) {
		return fmt.Errorf("its tensors end at byte %d of the data, which has %d", end, src.size-8-int64(n))
	}
	return nil
}
