package artifact

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/tallystick/tallystick"
)

// Format is what a file is, by its content.
type Format string

// The formats that are recognised.
const (
	FormatSafetensors   Format = "safetensors"
	FormatONNX          Format = "onnx"
	FormatGGUF          Format = "gguf"
	FormatNumPy         Format = "numpy"
	FormatNPZ           Format = "npz"
	FormatPickle        Format = "pickle"
	FormatJoblib        Format = "joblib"
	FormatPyTorch       Format = "pytorch"
	FormatPyTorchLegacy Format = "pytorch-legacy"
	FormatTorchScript   Format = "torchscript"
	FormatKeras         Format = "keras"
	FormatHDF5          Format = "hdf5"
	FormatZip           Format = "zip"
	FormatTar           Format = "tar"
	FormatGzip          Format = "gzip"
	FormatZlib          Format = "zlib"
	FormatBzip2         Format = "bzip2"
	FormatZstd          Format = "zstd"
	FormatXZ            Format = "xz"
	FormatJSON          Format = "json"
	FormatText          Format = "text"
	FormatExecutable    Format = "executable"
	FormatEmpty         Format = "empty"
	FormatUnknown       Format = "unknown"
)

// Severity says how much a finding matters.
type Severity string

// The severities, from the least to the worst. Unjudged stands for what could not be read, and is
// therefore not known to be safe.
const (
	Info     Severity = "info"
	Low      Severity = "low"
	Medium   Severity = "medium"
	Unjudged Severity = "unjudged"
	High     Severity = "high"
	Critical Severity = "critical"
)

// Verdict returns what a finding of this severity makes of a file: info is a pass, low and medium
// warn, high and critical fail, and anything else is insufficient.
func (s Severity) Verdict() tallystick.Verdict {
	switch s {
	case Info:
		return tallystick.Pass
	case Low, Medium:
		return tallystick.Warn
	case High, Critical:
		return tallystick.Fail
	default:
		return tallystick.Insufficient
	}
}

// Finding is one thing that somebody should know about a file before loading it.
type Finding struct {
	// Rule names the check, such as "pickle.global". It does not change between releases.
	Rule     string   `json:"rule"`
	Severity Severity `json:"severity"`
	// Where is the file, the member of an archive in it, and the byte if there is one:
	// "model.pt/archive/data.pkl, byte 57".
	Where   string `json:"where"`
	Message string `json:"message"`
}

// Inspection is what one file turned out to be.
type Inspection struct {
	Name   string `json:"name"`
	Format Format `json:"format"`
	// Verdict is the worst of the findings: pass if loading the file in its own format runs no code of
	// the file, warn if it might under known conditions (a pickle of known types only), fail if it does
	// or if the file is built to deceive, insufficient if it could not be read to its end.
	Verdict  tallystick.Verdict `json:"verdict"`
	Findings []Finding          `json:"findings"`
	// Tensors counts tensors or arrays, Parameters their elements, where the format tells.
	Tensors    int64 `json:"tensors"`
	Parameters int64 `json:"parameters"`
	// DTypes counts elements by the format's own name of their type.
	DTypes map[string]int64 `json:"dtypes"`
	// Metadata is what the file says of itself, such as its producer; nothing vouches for it.
	Metadata map[string]string `json:"metadata"`
}

// Bounds of an inspection. What lies beyond them is a finding.
const (
	maxFindings      = 100
	maxMetadata      = 64       // entries
	maxMetadataValue = 1 << 10  // bytes of a value; longer ones are cut
	maxInspectDepth  = 4        // archives in archives
	maxMembers       = 50_000   // of all archives of a file together
	maxMemberMemory  = 64 << 20 // bytes of a compressed archive in an archive
	maxExpansion     = 200      // decompressed bytes for each byte of the file
	minExpansion     = 64 << 20 // decompressed bytes that any file may have
)

// Inspect judges the size bytes of r, which are those of the file name. It loads nothing and keeps
// little: memory does not grow with the file. What is wrong with the file is in the Inspection; an
// error means that it could not be read or that ctx has ended.
func Inspect(ctx context.Context, name string, r io.ReaderAt, size int64) (Inspection, error) {
	in := &inspector{
		ctx:    ctx,
		result: Inspection{Name: name, Findings: []Finding{}, DTypes: map[string]int64{}, Metadata: map[string]string{}},
		budget: max(minExpansion, min(size, maxTotal/maxExpansion)*maxExpansion),
	}
	source := &failingReaderAt{r: r}
	in.result.Format = in.inspect(newInput(name, source, size))
	if source.err != nil {
		return Inspection{}, fmt.Errorf("inspect %q: %w", name, source.err)
	}
	if err := ctx.Err(); err != nil {
		return Inspection{}, fmt.Errorf("inspect %q: %w", name, err)
	}
	in.result.Verdict = tallystick.Pass
	for _, f := range in.result.Findings {
		in.result.Verdict = in.result.Verdict.Worse(f.Severity.Verdict())
	}
	if in.more {
		in.result.Findings = append(in.result.Findings, Finding{
			Rule: "inspection.findings", Severity: Unjudged, Where: name,
			Message: fmt.Sprintf("more than %d findings: the others are not listed", maxFindings),
		})
		in.result.Verdict = in.result.Verdict.Worse(tallystick.Insufficient)
	}
	return in.result, nil
}

// Report holds the inspections of all files of a version.
type Report struct {
	Verdict tallystick.Verdict `json:"verdict"` // the worst of the files
	Files   []Inspection       `json:"files"`   // in the order of names
}

// InspectFiles inspects every file that Hash would put into the manifest of the same paths.
func InspectFiles(ctx context.Context, paths []string, o HashOptions) (Report, error) {
	sources, err := findSources(ctx, paths, o)
	if err != nil {
		return Report{}, err
	}
	slices.SortFunc(sources, func(a, b source) int { return cmp.Compare(a.name, b.name) })
	r := Report{Verdict: tallystick.Pass}
	for _, s := range sources {
		i, err := s.inspect(ctx)
		if err != nil {
			return Report{}, err
		}
		r.Files = append(r.Files, i)
		r.Verdict = r.Verdict.Worse(i.Verdict)
	}
	return r, nil
}

func (s source) inspect(ctx context.Context) (Inspection, error) {
	f, err := os.Open(s.path)
	if err != nil {
		return Inspection{}, fmt.Errorf("inspect: %w", err)
	}
	defer f.Close()
	if err := s.unchanged(f.Stat()); err != nil {
		return Inspection{}, err
	}
	i, err := Inspect(ctx, s.name, f, s.info.Size())
	if err != nil {
		return Inspection{}, err
	}
	return i, s.unchanged(f.Stat())
}

// failingReaderAt remembers an error of the disk, which says nothing about the file.
type failingReaderAt struct {
	r   io.ReaderAt
	err error
}

func (f *failingReaderAt) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 { // asked for by a directory that lies, not by the disk
		return 0, errors.New("negative offset")
	}
	n, err := f.r.ReadAt(p, off)
	if err != nil && err != io.EOF {
		f.err = err
	}
	return n, err
}
