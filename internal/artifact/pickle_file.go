package artifact

import (
	"slices"

	"github.com/tallystick/tallystick"
)

// torchMagic is the number that the first pickle of an old PyTorch file holds (torch/serialization.py).
var torchMagic = []byte{0x80, 2, opLong1, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, opStop}

// pickles scans one pickle after the other, to the end of src: some loaders read more than the first.
func (in *inspector) pickles(src *input) Format {
	if head, _ := src.Peek(len(torchMagic)); string(head) == string(torchMagic) {
		in.torchLegacy(src)
		return FormatPyTorchLegacy
	}
	format, begin, objects := FormatPickle, src.offset(), false
	for first := true; first || !src.ended(); first = false {
		p := &pickle{in: in, src: src}
		err := p.scan()
		if p.joblib {
			format = FormatJoblib
			objects = objects || p.objects
		}
		if err != nil {
			if first {
				in.unreadable("pickle", src, err)
			} else {
				in.find(Unjudged, "pickle.trailing", place(src.where, p.start), "goes on behind the end of the pickle with something that is none: %v", err)
			}
			break
		}
	}
	if format == FormatJoblib {
		in.plainPickle(src, begin, objects)
	}
	in.pickleNote(src)
	return format
}

// plainPickle scans a joblib file once more as pickle.load reads it, to which the numbers of arrays
// are opcodes. Real numbers are none, and end the scan; what is written for this reader calls something.
// Arrays of objects are pickles, which this reader takes for a part of the outer one, so that it mixes
// up their memos and their names: there, a name that is merely unknown is a warning.
func (in *inspector) plainPickle(src *input, begin int64, objects bool) {
	if src.at == nil {
		in.find(Low, "joblib.stream", src.where, "is judged as joblib reads it; a plain pickle loader would read it otherwise")
		return
	}
	trial := in.trial()
	again := newInput(src.where, src.at, src.size)
	if err := again.skip(uint64(begin)); err != nil {
		return
	}
	p := &pickle{in: trial, src: again, plain: true}
	_ = p.scan() // the numbers end it
	for _, f := range trial.result.Findings {
		switch {
		case !p.called || f.Severity.Verdict() != tallystick.Fail || slices.ContainsFunc(in.result.Findings, func(g Finding) bool { return g.Where == f.Where && g.Rule == f.Rule }):
		case objects && f.Severity != Critical:
			in.find(Medium, "joblib.plain", f.Where, "%s, if a plain pickle loader reads it", f.Message)
		default:
			in.find(f.Severity, f.Rule, f.Where, "%s", f.Message)
		}
	}
}

// pickleNote says what holds for every pickle.
func (in *inspector) pickleNote(src *input) {
	in.find(Low, "pickle.format", src.where, "is a pickle, which runs what it names when it is loaded; safetensors, ONNX and GGUF do not")
}

// torchLegacy scans a PyTorch file from before version 1.6: five pickles, and raw numbers that are
// never unpickled.
func (in *inspector) torchLegacy(src *input) {
	for range 5 {
		p := &pickle{in: in, src: src, torch: true}
		if err := p.scan(); err != nil {
			in.unreadable("pickle", src, err)
			break
		}
	}
	in.pickleNote(src)
}
