package table

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/tallystick/tallystick"
)

// fileFormat is what the first bytes of a file say that it is. Its name plays no part.
type fileFormat string

const (
	formatCSV     fileFormat = "csv"
	formatGzipCSV fileFormat = "csv.gz"
	formatParquet fileFormat = "parquet"
)

// input is one open file that is to be read.
type input struct {
	path   string
	file   *os.File
	info   fs.FileInfo
	size   int64
	format fileFormat
}

// openInputs opens the files at paths and tells their formats, which must be one.
func openInputs(paths []string) ([]*input, error) {
	var inputs []*input
	for _, path := range paths {
		in, err := openInput(path)
		if err != nil {
			return nil, errors.Join(err, closeInputs(inputs))
		}
		inputs = append(inputs, in)
		for _, other := range inputs[:len(inputs)-1] {
			if os.SameFile(in.info, other.info) {
				err := tallystick.Errorf(tallystick.Invalid, "%s is named twice", path).WithHint("name each file once")
				return nil, errors.Join(err, closeInputs(inputs))
			}
		}
		if (in.format == formatParquet) != (inputs[0].format == formatParquet) {
			err := tallystick.Errorf(tallystick.Invalid, "%s is %s but %s is %s", path, in.format, paths[0], inputs[0].format).
				WithHint("give files of one format")
			return nil, errors.Join(err, closeInputs(inputs))
		}
	}
	return inputs, nil
}

func closeInputs(inputs []*input) error {
	var errs []error
	for _, in := range inputs {
		errs = append(errs, in.file.Close())
	}
	return errors.Join(errs...)
}

func openInput(path string) (_ *input, err error) {
	file, err := os.Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, tallystick.Errorf(tallystick.NotFound, "%s: no such file", path).WithHint("check the path")
	case errors.Is(err, fs.ErrPermission):
		return nil, tallystick.Errorf(tallystick.Invalid, "%s: may not be read", path).WithHint("check its permissions")
	case err != nil:
		return nil, tallystick.Errorf(tallystick.Invalid, "%s: cannot be opened: %w", path, err)
	}
	defer func() {
		if err != nil {
			file.Close()
		}
	}()
	info, err := file.Stat()
	switch {
	case err != nil:
		return nil, tallystick.Errorf(tallystick.Unavailable, "%s: cannot be read: %w", path, err)
	case info.IsDir():
		return nil, tallystick.Errorf(tallystick.Invalid, "%s is a directory", path).WithHint("name the files in it")
	case !info.Mode().IsRegular():
		return nil, tallystick.Errorf(tallystick.Invalid, "%s is not a regular file", path).
			WithHint("it is read more than once: save the data to a file first")
	case info.Size() == 0:
		return nil, tallystick.Errorf(tallystick.Invalid, "%s is empty", path).
			WithHint("give a CSV or Parquet file with a header and at least one row")
	}
	head := make([]byte, 4096)
	n, err := file.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, tallystick.Errorf(tallystick.Unavailable, "%s: cannot be read: %w", path, err)
	}
	format, err := sniff(path, head[:n])
	if err != nil {
		return nil, err
	}
	return &input{path: path, file: file, info: info, size: info.Size(), format: format}, nil
}

// check returns an error if the file is no longer the one that was opened: its digest would speak
// of other bytes.
func (in *input) check() error {
	info, err := in.file.Stat()
	if err != nil {
		return tallystick.Errorf(tallystick.Unavailable, "%s: cannot be read: %w", in.path, err)
	}
	if info.Size() != in.size || !info.ModTime().Equal(in.info.ModTime()) {
		return tallystick.Errorf(tallystick.Conflict, "%s changed while it was being read", in.path).
			WithHint("try again when nothing writes to it")
	}
	return nil
}

// sniff tells the format of a file from its first bytes.
func sniff(path string, head []byte) (fileFormat, error) {
	no := func(what, hint string) error {
		return tallystick.Errorf(tallystick.Invalid, "%s %s", path, what).WithHint("%s", hint)
	}
	starts := func(magic string) bool { return bytes.HasPrefix(head, []byte(magic)) }
	switch {
	case starts("PAR1"):
		return formatParquet, nil
	case starts("PARE"):
		return "", no("is an encrypted Parquet file", "decrypt it first")
	case starts("\x1f\x8b"):
		return formatGzipCSV, nil
	case starts("PK\x03\x04"):
		return "", no("is a zip archive or a spreadsheet", "save the sheet as CSV, or unpack the archive")
	case starts("\x28\xb5\x2f\xfd"), starts("BZh"), starts("\xfd7zXZ"):
		return "", no("is compressed in another way than gzip", "unpack it, or compress it with gzip")
	case starts("\xff\xfe"), starts("\xfe\xff"):
		return "", no("is UTF-16 text", "save it as UTF-8")
	case starts("ARROW1"), starts("FEA1"):
		return "", no("is an Arrow or Feather file", "save it as Parquet")
	case starts("{"), starts("[{"):
		return "", no("is JSON", "save it as CSV or Parquet")
	case bytes.IndexByte(head, 0) >= 0:
		return "", no("is neither CSV nor Parquet", "give CSV, CSV compressed with gzip, or Parquet")
	}
	return formatCSV, nil
}
