package table

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// csvReader splits CSV text into records by the rules of RFC 4180 as encoding/csv reads them:
// empty lines are skipped, CRLF ends a line as LF does, quotes stand around whole fields only.
type csvReader struct {
	src       io.Reader
	delimiter byte
	maxField  int
	maxRecord int

	buf        []byte
	start, end int // the unread part of buf
	srcErr     error
	line       int64 // where the present record begins, from 1
	nextLine   int64
	fields     [][]byte
	unquoted   []byte // fields whose quoting had to be undone
}

// syntaxError says what is wrong with a record, for a person.
type syntaxError struct {
	line  int64 // where the record begins
	field int   // from 0
	what  string
	hint  string
}

func (e *syntaxError) Error() string {
	return fmt.Sprintf("line %d, field %d: %s", e.line, e.field+1, e.what)
}

var errMore = errors.New("record goes on beyond the buffer")

func newCSVReader(src io.Reader, maxField int) *csvReader {
	return &csvReader{
		src: src, delimiter: ',', maxField: maxField, maxRecord: max(16<<20, 2*maxField+1024),
		buf: make([]byte, 64<<10), line: 1, nextLine: 1,
	}
}

// begin skips a byte-order mark and, if delimiter is 0, takes the one that is most frequent in the
// first line. It must be called before the first next.
func (r *csvReader) begin(delimiter byte) error {
	for r.srcErr == nil && bytes.IndexByte(r.buf[r.start:r.end], '\n') < 0 && r.end < len(r.buf) {
		r.read()
	}
	if r.srcErr != nil && !errors.Is(r.srcErr, io.EOF) {
		return r.srcErr
	}
	if bytes.HasPrefix(r.buf[r.start:r.end], []byte("\xef\xbb\xbf")) {
		r.start += 3
	}
	r.delimiter = delimiter
	if delimiter == 0 {
		r.delimiter = likelyDelimiter(r.buf[r.start:r.end])
	}
	return nil
}

// likelyDelimiter returns the most frequent candidate outside quotes in the first line of text, a
// comma if there is none.
func likelyDelimiter(text []byte) byte {
	var counts [256]int
	quoted := false
	for _, c := range bytes.TrimLeft(text, "\r\n") {
		if c == '"' {
			quoted = !quoted
		}
		if c == '\n' && !quoted {
			break
		}
		if !quoted {
			counts[c]++
		}
	}
	best := byte(',')
	for _, c := range []byte(";\t|") {
		if counts[c] > counts[best] {
			best = c
		}
	}
	return best
}

// read adds to the buffer what the source gives at once.
func (r *csvReader) read() {
	n, err := r.src.Read(r.buf[r.end:])
	r.end += n
	r.srcErr = err
}

// next returns the fields of the next record, valid until it is called again, or io.EOF.
func (r *csvReader) next() ([][]byte, error) {
	for {
		if r.start < r.end {
			n, err := r.parse(r.buf[r.start:r.end])
			if err == nil {
				r.start += n
				if len(r.fields) == 0 {
					continue // an empty line
				}
				return r.fields, nil
			}
			if !errors.Is(err, errMore) {
				return nil, err
			}
		} else if errors.Is(r.srcErr, io.EOF) {
			return nil, io.EOF
		}
		if r.srcErr != nil {
			return nil, r.srcErr
		}
		if err := r.more(); err != nil {
			return nil, err
		}
	}
}

// more fills the buffer, after making it larger if the present record already takes all of it.
// Parsing begins again at the record's start, so the buffer doubles to keep that linear.
func (r *csvReader) more() error {
	if r.start > 0 {
		copy(r.buf, r.buf[r.start:r.end])
		r.start, r.end = 0, r.end-r.start
	}
	if r.end == len(r.buf) {
		if len(r.buf) >= r.maxRecord {
			return &syntaxError{r.nextLine, len(r.fields), fmt.Sprintf("the record is longer than %d bytes", r.maxRecord),
				"look for a quote that is not closed"}
		}
		grown := make([]byte, min(2*len(r.buf), r.maxRecord))
		copy(grown, r.buf[:r.end])
		r.buf = grown
	}
	for r.end < len(r.buf) && r.srcErr == nil {
		r.read()
	}
	return nil
}

// parse splits the record at the start of text and returns its length, or errMore if text may not
// hold all of it.
func (r *csvReader) parse(text []byte) (int, error) {
	r.fields, r.unquoted = r.fields[:0], r.unquoted[:0]
	r.line = r.nextLine
	delimiter, last := r.delimiter, errors.Is(r.srcErr, io.EOF)
	lines := int64(0)
	i := 0
	for {
		if i < len(text) && text[i] == '"' {
			field, n, breaks, err := r.quoted(text[i:], last)
			if err != nil {
				return 0, err
			}
			if len(field) > r.maxField {
				return 0, r.tooLong(len(r.fields))
			}
			r.fields = append(r.fields, field)
			lines += breaks
			i += n
			switch {
			case i == len(text): // only when last
				r.nextLine += lines
				return i, nil
			case text[i] == delimiter:
				i++
				continue
			default: // LF, of CRLF too
				r.nextLine += lines + 1
				return i + 1, nil
			}
		}
		start := i
		for i < len(text) && text[i] != delimiter && text[i] != '\n' && text[i] != '"' {
			i++
		}
		switch {
		case i == len(text) && !last:
			if i-start > r.maxField {
				return 0, r.tooLong(len(r.fields))
			}
			return 0, errMore
		case i < len(text) && text[i] == '"':
			return 0, &syntaxError{r.line, len(r.fields), "a quote stands inside a field that does not begin with one",
				`put the whole field in quotes and write the quote twice`}
		}
		field := text[start:i]
		ended := i == len(text) || text[i] == '\n'
		if ended && len(field) > 0 && field[len(field)-1] == '\r' {
			field = field[:len(field)-1]
		}
		if len(field) > r.maxField {
			return 0, r.tooLong(len(r.fields))
		}
		if ended && len(field) == 0 && len(r.fields) == 0 {
			r.nextLine++
			return min(i+1, len(text)), nil
		}
		r.fields = append(r.fields, field)
		if !ended {
			i++
			continue
		}
		r.nextLine += lines + 1
		return min(i+1, len(text)), nil
	}
}

func (r *csvReader) tooLong(field int) error {
	return &syntaxError{r.line, field, fmt.Sprintf("the field is longer than %d bytes", r.maxField),
		"look for a quote that is not closed, or leave that column out"}
}

// quoted reads the quoted field at the start of text. It returns the field, how much of text it
// takes up to the delimiter or line feed that must follow, and how many line feeds are in it.
func (r *csvReader) quoted(text []byte, last bool) (field []byte, n int, breaks int64, err error) {
	body := text[1:]
	kept := len(r.unquoted) // where the undone copy begins, if one is needed
	from := 0               // of body, not yet copied
	for {
		q := bytes.IndexByte(body[n:], '"')
		if q < 0 {
			if !last {
				return nil, 0, 0, errMore
			}
			return nil, 0, 0, &syntaxError{r.line, len(r.fields), "a quoted field is not closed before the end of the file",
				"close the quote"}
		}
		q += n
		after := q + 1
		if after < len(body) && body[after] == '"' {
			r.unquoted = append(r.unquoted, body[from:after]...)
			from, n = after+1, after+1
			continue
		}
		if after == len(body) && !last {
			return nil, 0, 0, errMore
		}
		if after < len(body) && body[after] == '\r' {
			if after+1 == len(body) && !last {
				return nil, 0, 0, errMore
			}
			if after+1 == len(body) || body[after+1] == '\n' {
				after++
			}
		}
		if after < len(body) && body[after] != r.delimiter && body[after] != '\n' {
			return nil, 0, 0, &syntaxError{r.line, len(r.fields), "text follows the closing quote of a field",
				"write a quote inside a quoted field twice"}
		}
		field = body[from:q]
		if len(r.unquoted) > kept {
			r.unquoted = append(r.unquoted, field...)
			field = r.unquoted[kept:]
		}
		breaks = int64(bytes.Count(body[:q], []byte("\n")))
		if breaks > 0 && bytes.Contains(field, []byte("\r\n")) {
			field = bytes.ReplaceAll(field, []byte("\r\n"), []byte("\n"))
		}
		return field[:len(field):len(field)], after + 1, breaks, nil
	}
}
