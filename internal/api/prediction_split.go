package api

import (
	"encoding/json"
	"mime"
	"net/http"
	"strings"

	"github.com/tallystick/tallystick"
)

// sentBatch is a body taken apart: the records are not yet read, so that each is at fault by itself.
type sentBatch struct {
	id      string // as batch_id
	records []string
}

func isLines(r *http.Request) bool {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return kind == mediaLines
}

// splitLines takes a body apart that has a record on each line. Empty lines are none.
func splitLines(body string) (sent sentBatch, err error) {
	for line := range strings.Lines(body) {
		if line = strings.TrimSpace(line); line != "" {
			sent.records = append(sent.records, line)
		}
	}
	return sent, nil
}

// splitBody takes a body apart that is one record, an array of records, or an object with the member
// records.
func splitBody(body string) (sent sentBatch, err error) {
	c := cutter{data: body}
	switch c.peek() {
	case '[':
		sent.records, err = c.elements()
	case '{':
		sent, err = c.object()
	default:
		return sent, errBody("it begins with neither { nor [")
	}
	if err == nil && c.peek() != 0 {
		err = errBody("something follows it, at byte %d", c.at)
	}
	return sent, err
}

func errBody(format string, args ...any) error {
	return tallystick.Errorf(tallystick.Invalid, "the body is not JSON: "+format, args...).
		WithHint("send a record, an array of records, {\"records\": [...]}, or a record on each line as %s", mediaLines)
}

// cutter finds where values of JSON end. It looks at quotation marks and brackets alone: whether what is
// between them is JSON, who reads the value finds out.
type cutter struct {
	data string
	at   int
}

// peek skips white space and returns the byte after it, 0 at the end.
func (c *cutter) peek() byte {
	for c.at < len(c.data) {
		switch b := c.data[c.at]; b {
		case ' ', '\t', '\n', '\r':
			c.at++
		default:
			return b
		}
	}
	return 0
}

// value returns the value that begins here, false if it does not end or is none.
func (c *cutter) value() (string, bool) {
	c.peek()
	start, depth := c.at, 0
	for ; c.at < len(c.data); c.at++ {
		switch c.data[c.at] {
		case '"':
			if !c.text() {
				return "", false
			}
			if depth == 0 {
				return c.data[start:c.at], true
			}
			c.at-- // the loop goes on behind it
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				c.at++
				return c.data[start:c.at], true
			}
			if depth < 0 { // of what the value is in
				return c.data[start:c.at], c.at > start
			}
		case ',', ' ', '\t', '\n', '\r':
			if depth == 0 {
				return c.data[start:c.at], c.at > start
			}
		}
	}
	return c.data[start:c.at], depth == 0 && c.at > start
}

// text skips a string, false if it does not end.
func (c *cutter) text() bool {
	for c.at++; c.at < len(c.data); c.at++ {
		switch c.data[c.at] {
		case '"':
			c.at++
			return true
		case '\\':
			c.at++
		}
	}
	return false
}

// elements returns the elements of the array that begins here.
func (c *cutter) elements() (found []string, err error) {
	c.at++
	if c.peek() == ']' {
		c.at++
		return nil, nil
	}
	for {
		element, ok := c.value()
		if !ok {
			return nil, errBody("record %d is missing or does not end", len(found))
		}
		found = append(found, element)
		switch c.peek() {
		case ',':
			c.at++
		case ']':
			c.at++
			return found, nil
		default:
			return nil, errBody("record %d is followed by neither a comma nor ], at byte %d", len(found)-1, c.at)
		}
	}
}

// object takes the object that begins here for a batch if it has the member records, else for a record.
func (c *cutter) object() (sent sentBatch, err error) {
	whole := *c
	record, ok := whole.value()
	if !ok {
		return sent, errBody("the object does not end")
	}
	inner := cutter{data: record, at: 1}
	var batch, others bool
	for inner.peek() == '"' {
		key, _ := inner.value()
		if inner.peek() != ':' {
			break // a record that is not JSON, which its reader says
		}
		inner.at++
		switch key {
		case `"records"`:
			if inner.peek() != '[' || batch {
				return sent, errBody("records is not one array")
			}
			batch = true
			if sent.records, err = inner.elements(); err != nil {
				return sent, err
			}
		case `"batch_id"`:
			id, _ := inner.value()
			if json.Unmarshal([]byte(id), &sent.id) != nil {
				return sent, errBody("batch_id is not a text")
			}
		default:
			others = true
			inner.value()
		}
		if inner.peek() != ',' {
			break
		}
		inner.at++
	}
	c.at = whole.at
	switch {
	case !batch:
		return sentBatch{records: []string{record}}, nil
	case others:
		return sent, errBody("beside records there may be batch_id and nothing else")
	}
	return sent, nil
}
