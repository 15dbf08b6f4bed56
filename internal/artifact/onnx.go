package artifact

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
)

// Bounds of an ONNX file.
const (
	maxONNXDepth  = 32      // messages in messages
	maxONNXString = 4096    // bytes of a string that is read; longer ones are skipped
	maxONNXDims   = 1 << 10 // bytes of a packed shape
)

// The field numbers of onnx.proto that are read (github.com/onnx/onnx, onnx/onnx.proto).
const (
	modelIRVersion  = 1
	modelProducer   = 2
	modelProdVer    = 3
	modelDomain     = 4
	modelVersion    = 5
	modelGraph      = 7
	modelOpset      = 8
	modelMetadata   = 14
	modelFunctions  = 25
	graphNode       = 1
	graphInit       = 5
	graphSparseInit = 15
	nodeAttribute   = 5
	nodeDomain      = 7
	attributeTensor = 5
	attributeGraph  = 6
	attributeTs     = 10
	attributeGs     = 11
	functionNode    = 7
	tensorDims      = 1
	tensorType      = 2
	tensorName      = 8
	tensorExternal  = 13
	pairKey         = 1
	pairValue       = 2
)

// onnxTypes names TensorProto.DataType.
var onnxTypes = [...]string{
	"UNDEFINED", "FLOAT", "UINT8", "INT8", "UINT16", "INT16", "INT32", "INT64", "STRING", "BOOL", "FLOAT16", "DOUBLE", "UINT32",
	"UINT64", "COMPLEX64", "COMPLEX128", "BFLOAT16", "FLOAT8E4M3FN", "FLOAT8E4M3FNUZ", "FLOAT8E5M2", "FLOAT8E5M2FNUZ", "UINT4", "INT4", "FLOAT4E2M1",
}

// looksLikeONNX reports whether head begins as a ModelProto: with the field ir_version, a small
// number, and then another field of the message.
func looksLikeONNX(head []byte) bool {
	if len(head) < 3 || head[0] != modelIRVersion<<3 || head[1] == 0 || head[1] > 64 {
		return false
	}
	number, kind, n := protowire.ConsumeTag(head[2:])
	return n > 0 && (number <= 8 || number == modelMetadata || number == 20 || number == modelFunctions) &&
		(kind == protowire.BytesType || kind == protowire.VarintType && number == modelVersion)
}

// message is a protobuf message that is read in passing: only short strings are kept.
type message struct {
	src *input
	end int64 // offset behind the message, -1 if it goes on to the end of src
}

// field is the header of one field; the reader takes or skips what follows.
type field struct {
	number protowire.Number
	kind   protowire.Type
	value  uint64 // of a number
	length int64  // of bytes
}

// onnxReader gathers what a model says.
type onnxReader struct {
	in    *inspector
	src   *input
	ops   map[string]bool // domains of operators that are not ONNX's own
	graph bool
}

// onnx reads a model: its producer, operator sets, the shapes of its weights, and the files that it
// refers to.
func (in *inspector) onnx(src *input) {
	r := &onnxReader{in: in, src: src, ops: map[string]bool{}}
	err := r.model(message{src, src.size})
	if err == nil && !r.graph {
		err = errors.New("there is no graph in it")
	}
	if err != nil {
		in.unreadable("onnx", src, err)
	}
	for _, domain := range sortedKeys(r.ops) {
		in.find(Medium, "onnx.custom", src.where, "uses operators of the domain %q, which run code that is not ONNX's own", domain)
	}
}

// next reads the header of the next field, or returns false at the end of the message.
func (m message) next() (f field, more bool, err error) {
	if m.end >= 0 && m.src.offset() >= m.end || m.end < 0 && m.src.ended() {
		if m.end >= 0 && m.src.offset() > m.end {
			return f, false, errors.New("a field is longer than its message")
		}
		return f, false, nil
	}
	tag, err := m.varint()
	if err != nil {
		return f, false, err
	}
	f.number, f.kind = protowire.DecodeTag(tag)
	if f.number <= 0 {
		return f, false, fmt.Errorf("there is no field %d", f.number)
	}
	switch f.kind {
	case protowire.VarintType:
		f.value, err = m.varint()
	case protowire.Fixed32Type:
		f.length = 4
	case protowire.Fixed64Type:
		f.length = 8
	case protowire.BytesType:
		n, err := m.varint()
		if err != nil {
			return f, false, err
		}
		if n > maxTotal {
			return f, false, fmt.Errorf("a field of %d bytes", n)
		}
		f.length = int64(n)
	default:
		return f, false, fmt.Errorf("there is no wire type %d in this format", f.kind)
	}
	if m.end >= 0 && f.length > m.end-m.src.offset() {
		return f, false, errors.New("a field is longer than its message")
	}
	return f, true, err
}

func (m message) varint() (uint64, error) {
	b, err := m.src.Peek(10)
	if len(b) == 0 {
		return 0, unexpected(err)
	}
	v, n := protowire.ConsumeVarint(b)
	if n < 0 {
		return 0, io.ErrUnexpectedEOF
	}
	_, err = m.src.Discard(n)
	return v, err
}

// walk calls visit for every field and skips what it leaves.
func (m message) walk(depth int, visit func(field) error) error {
	if depth == maxONNXDepth {
		return fmt.Errorf("messages in messages, more than %d deep", maxONNXDepth)
	}
	for {
		f, more, err := m.next()
		if err != nil || !more {
			return err
		}
		end := m.src.offset() + f.length
		if err := visit(f); err != nil {
			return err
		}
		if left := end - m.src.offset(); left < 0 {
			return errors.New("a field is longer than its message")
		} else if err := m.src.skip(uint64(left)); err != nil {
			return err
		}
	}
}

// message returns the message that a field holds.
func (r *onnxReader) message(f field) message { return message{r.src, r.src.offset() + f.length} }

// text returns a short string; a long one is skipped.
func (r *onnxReader) text(f field) (string, error) {
	if f.kind != protowire.BytesType || f.length > maxONNXString {
		return "", nil
	}
	b, err := r.src.take(int(f.length))
	return string(b), err
}

func (r *onnxReader) model(m message) error {
	return m.walk(0, func(f field) error {
		if err := r.in.ctx.Err(); err != nil {
			return err
		}
		if f.kind == protowire.VarintType {
			switch f.number {
			case modelIRVersion:
				r.in.meta("onnx.ir_version", strconv.FormatUint(f.value, 10))
			case modelVersion:
				r.in.meta("onnx.model_version", strconv.FormatUint(f.value, 10))
			}
			return nil
		}
		if f.kind != protowire.BytesType {
			return nil
		}
		switch f.number {
		case modelProducer, modelProdVer, modelDomain:
			s, err := r.text(f)
			r.in.meta(map[protowire.Number]string{modelProducer: "onnx.producer", modelProdVer: "onnx.producer_version", modelDomain: "onnx.domain"}[f.number], s)
			return err
		case modelGraph:
			r.graph = true
			return r.body(f, 1, graphNode)
		case modelFunctions:
			return r.body(f, 1, functionNode)
		case modelOpset:
			domain, version, err := r.opset(f)
			if domain == "" {
				domain = "ai.onnx"
			}
			r.in.meta("onnx.opset."+domain, version)
			return err
		case modelMetadata:
			key, value, err := r.pair(f)
			r.in.meta(key, value)
			return err
		}
		return nil
	})
}

func (r *onnxReader) opset(f field) (domain, version string, err error) {
	err = r.message(f).walk(1, func(f field) (err error) {
		switch {
		case f.number == 1:
			domain, err = r.text(f)
		case f.number == 2 && f.kind == protowire.VarintType:
			version = strconv.FormatUint(f.value, 10)
		}
		return err
	})
	return domain, version, err
}

func (r *onnxReader) pair(f field) (key, value string, err error) {
	err = r.message(f).walk(1, func(f field) (err error) {
		switch f.number {
		case pairKey:
			key, err = r.text(f)
		case pairValue:
			value, err = r.text(f)
		}
		return err
	})
	return key, value, err
}

// body reads a graph or a function, whose nodes are in the field nodes.
func (r *onnxReader) body(f field, depth int, nodes protowire.Number) error {
	return r.message(f).walk(depth, func(f field) error {
		switch {
		case f.kind != protowire.BytesType:
			return nil
		case f.number == nodes:
			return r.node(f, depth+1)
		case nodes == graphNode && f.number == graphInit:
			return r.tensor(f, depth+1)
		case nodes == graphNode && f.number == graphSparseInit:
			// SparseTensorProto: values in 1, indices in 2.
			return r.message(f).walk(depth+1, func(f field) error {
				if f.number > 2 || f.kind != protowire.BytesType {
					return nil
				}
				return r.tensor(f, depth+2)
			})
		}
		return nil
	})
}

func (r *onnxReader) node(f field, depth int) error {
	return r.message(f).walk(depth, func(f field) error {
		if f.kind != protowire.BytesType {
			return nil
		}
		switch f.number {
		case nodeDomain:
			domain, err := r.text(f)
			if domain != "" && domain != "ai.onnx" && !strings.HasPrefix(domain, "ai.onnx.") && len(r.ops) < maxFindings {
				r.ops[domain] = true
			}
			return err
		case nodeAttribute:
			return r.message(f).walk(depth+1, func(f field) error {
				if f.kind != protowire.BytesType {
					return nil
				}
				switch f.number {
				case attributeTensor, attributeTs:
					return r.tensor(f, depth+2)
				case attributeGraph, attributeGs:
					return r.body(f, depth+2, graphNode)
				}
				return nil
			})
		}
		return nil
	})
}

func (r *onnxReader) tensor(f field, depth int) error {
	var dims []int64
	dtype, name := uint64(0), ""
	err := r.message(f).walk(depth, func(f field) (err error) {
		switch {
		case f.number == tensorDims && f.kind == protowire.VarintType:
			dims = append(dims, int64(f.value))
		case f.number == tensorDims && f.kind == protowire.BytesType:
			if f.length > maxONNXDims {
				return fmt.Errorf("a shape of %d bytes", f.length)
			}
			for end := r.src.offset() + f.length; r.src.offset() < end; {
				d, err := message{r.src, end}.varint()
				if err != nil {
					return err
				}
				dims = append(dims, int64(d))
			}
		case f.number == tensorType && f.kind == protowire.VarintType:
			dtype = f.value
		case f.number == tensorName && f.kind == protowire.BytesType:
			name, err = r.text(f)
		case f.number == tensorExternal && f.kind == protowire.BytesType:
			return r.external(f)
		}
		if len(dims) > maxONNXDims {
			return errors.New("a shape of too many dimensions")
		}
		return err
	})
	if err != nil {
		return err
	}
	elements, ok := elementsOf(dims)
	if !ok {
		return fmt.Errorf("tensor %.80q has an impossible shape", name)
	}
	kind := fmt.Sprintf("type %d", dtype)
	if dtype < uint64(len(onnxTypes)) {
		kind = onnxTypes[dtype]
	}
	r.in.tensor(kind, elements)
	return nil
}

// external checks the name of a file in which the numbers of a tensor lie. A runtime opens it
// relative to the model.
func (r *onnxReader) external(f field) error {
	key, value, err := r.pair(f)
	if err != nil || key != "location" {
		return err
	}
	if err := ValidateFileName(value); err != nil {
		r.in.find(Critical, "onnx.external", r.src.where, "reads the file %.200q, which is not beside the model: %v", value, err)
		return nil
	}
	r.in.find(Info, "onnx.external", r.src.where, "keeps numbers in the file %q beside it, which must be part of the version", value)
	return nil
}
