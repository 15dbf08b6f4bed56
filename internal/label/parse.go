package label

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/prediction"
)

// maxLine bounds one label as it comes in.
const maxLine = 64 << 10

// ReadLines yields the labels of lines of JSON; empty lines are passed over. An error ends it.
func ReadLines(r io.Reader) iter.Seq2[Sent, error] {
	return func(yield func(Sent, error) bool) {
		lines := bufio.NewScanner(r)
		lines.Buffer(nil, maxLine)
		n := 0
		for lines.Scan() {
			n++
			if line := bytes.TrimSpace(lines.Bytes()); len(line) > 0 && !yield(readObject(line), nil) {
				return
			}
		}
		if err := lines.Err(); err != nil {
			if errors.Is(err, bufio.ErrTooLong) {
				err = tallystick.Errorf(tallystick.Invalid, "line %d is longer than %d bytes", n+1, maxLine)
			}
			yield(Sent{}, err)
		}
	}
}

// ReadCSV yields the labels of a CSV file with a header line: prediction (or trace_id, or subject), value, time and,
// if need be, stated, source and note. A value is a number, true or false if it looks like one, else text; an
// empty one is none. An error ends it.
func ReadCSV(r io.Reader) iter.Seq2[Sent, error] {
	return func(yield func(Sent, error) bool) {
		rows := csv.NewReader(&bounded{r: r})
		rows.ReuseRecord = true
		header, err := rows.Read()
		if err == nil {
			header = slices.Clone(header)
			err = checkHeader(header)
		}
		if err != nil {
			yield(Sent{}, badCSV(err))
			return
		}
		for {
			row, err := rows.Read()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(Sent{}, badCSV(err))
				return
			}
			if !yield(readRow(header, row), nil) {
				return
			}
		}
	}
}

func checkHeader(header []string) error {
	header[0] = strings.TrimPrefix(header[0], "\ufeff")
	for i, name := range header {
		switch name {
		case memberPrediction, memberTrace, memberSubject, memberValue, memberTime, memberStated, memberSource, memberNote:
		default:
			return tallystick.Errorf(tallystick.Invalid, "the header has %.100q, which a label has not", name)
		}
		if slices.Contains(header[:i], name) {
			return tallystick.Errorf(tallystick.Invalid, "the header has %s twice", name)
		}
	}
	return nil
}

func badCSV(err error) error {
	if errors.Is(err, io.EOF) {
		err = errors.New("the file is empty")
	}
	if tallystick.CodeOf(err) != tallystick.Internal {
		return err
	}
	return tallystick.Errorf(tallystick.Invalid, "CSV: %w", err).WithHint("the first line names the columns: prediction,value,time")
}

func readRow(header, row []string) Sent {
	var b builder
	for i, cell := range row {
		switch {
		case cell == "":
		case header[i] == memberValue:
			b.put(memberValue, ValueOf(cell))
		default:
			b.words(header[i], cell)
		}
	}
	return b.sent([]byte(strings.Join(row, ",")))
}

// ValueOf reads a value that stands without quotation marks: a number, true or false, or else text.
func ValueOf(s string) prediction.Value {
	switch s {
	case "true":
		return prediction.Boolean(true)
	case "false":
		return prediction.Boolean(false)
	}
	var v prediction.Value
	if json.Valid([]byte(s)) && (s[0] == '-' || s[0] >= '0' && s[0] <= '9') && v.UnmarshalJSON([]byte(s)) == nil {
		return v
	}
	if f, err := strconv.ParseFloat(s, 64); err == nil && !strings.ContainsAny(s, "xXpP_nN") { // +1, 01, .5: as files write them
		return prediction.Number(f)
	}
	return prediction.String(s)
}

// bounded refuses a line that does not end, which the reader of CSV would hold in memory.
type bounded struct {
	r    io.Reader
	line int
}

// Read implements io.Reader.
func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	for _, part := range bytes.SplitAfter(p[:n], []byte{'\n'}) {
		if b.line += len(part); b.line > maxLine {
			return 0, tallystick.Errorf(tallystick.Invalid, "a line is longer than %d bytes", maxLine)
		}
		if bytes.HasSuffix(part, []byte{'\n'}) {
			b.line = 0
		}
	}
	return n, err
}

// The media types of batches.
const (
	JSON   = "application/json"
	NDJSON = "application/x-ndjson"
	CSV    = "text/csv"
)

// Parse reads a batch in one of the media types; an empty one is JSON. In JSON it is an object with "labels", and perhaps "batch", its id.
func Parse(mediaType string, body []byte) (b Batch, err error) {
	var all iter.Seq2[Sent, error]
	switch mediaType {
	case "", JSON:
		return parseJSON(body)
	case NDJSON, "application/ndjson", "application/jsonl":
		all = ReadLines(bytes.NewReader(body))
	case CSV:
		all = ReadCSV(bytes.NewReader(body))
	default:
		return b, tallystick.Errorf(tallystick.Invalid, "labels do not come as %.100q", mediaType).WithHint("send %s, %s or %s", JSON, NDJSON, CSV)
	}
	for s, err := range all {
		if err != nil {
			return b, err
		}
		if len(b.Labels) == MaxLabels {
			return b, tooMany()
		}
		b.Labels = append(b.Labels, s)
	}
	return b, nil
}

func parseJSON(body []byte) (b Batch, err error) {
	var in struct {
		Batch  string            `json:"batch"`
		Labels []json.RawMessage `json:"labels"`
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err = dec.Decode(&in); err == nil && len(bytes.TrimSpace(body[dec.InputOffset():])) > 0 {
		err = errors.New("something follows the object")
	}
	if err != nil {
		return b, tallystick.Errorf(tallystick.Invalid, "the batch is no JSON object of labels: %.200s", err).WithHint(`send {"batch":"NAME","labels":[{"prediction":"...","value":1,"time":"..."}]}`)
	}
	if len(in.Labels) > MaxLabels {
		return b, tooMany()
	}
	b.ID = in.Batch
	for _, raw := range in.Labels {
		b.Labels = append(b.Labels, readObject(raw))
	}
	return b, nil
}

func tooMany() error {
	return tallystick.Errorf(tallystick.Invalid, "a batch has more than %d labels", MaxLabels).WithHint("send it in parts")
}

// MarshalJSON writes a batch as Parse reads it.
func (b Batch) MarshalJSON() ([]byte, error) {
	var out bytes.Buffer
	fmt.Fprintf(&out, `{"batch":%s,"labels":[`, prediction.String(b.ID).AppendJSON(nil))
	for i, s := range b.Labels {
		if i > 0 {
			out.WriteByte(',')
		}
		if s.Err != nil {
			return nil, fmt.Errorf("label %d: %w", i, s.Err)
		}
		out.Write(bytes.TrimSuffix(appendLine(nil, &s.Label, s.Key), []byte{'\n'}))
	}
	out.WriteString("]}")
	return out.Bytes(), nil
}
