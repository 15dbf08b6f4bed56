package cloudevents

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
)

// cell is a value of a row with its name, as JSON.
type cell struct {
	name  string
	value json.RawMessage
}

// table is what a request or response says: a row for each prediction.
type table struct {
	rows           [][]cell
	model, version string // that answered, if the body names them
}

// maxValues bounds the values of a body: taken apart, each takes some hundred bytes.
const maxValues = 200_000

var errBody = errors.New("not a body of protocol v1 or v2")

// read reads a body: of v1 instances or predictions, of v2 inputs or outputs.
func read(data []byte) (t table, err error) {
	members, err := object(data)
	if err != nil || bytes.Count(data, []byte{','}) > maxValues {
		return t, errBody
	}
	word := func(name string) (text string) {
		_ = json.Unmarshal(members[name], &text) // of another type it is not the name
		return text
	}
	t.model, t.version = word("model_name"), word("model_version")
	for _, name := range []string{"instances", "predictions"} {
		if raw, ok := members[name]; ok {
			t.rows, err = instances(raw)
			return t, err
		}
	}
	for _, name := range []string{"inputs", "outputs"} {
		if raw, ok := members[name]; ok {
			t.rows, err = tensors(raw)
			return t, err
		}
	}
	return t, errBody
}

// object returns the members of a JSON object. One that stands twice is read in one way by one program and in
// another by the next, so it is refused.
func object(data []byte) (map[string]json.RawMessage, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	if start, err := d.Token(); err != nil || start != json.Delim('{') {
		return nil, errBody
	}
	members := map[string]json.RawMessage{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, errBody
		}
		var value json.RawMessage
		text, _ := name.(string)
		if _, twice := members[text]; twice || d.Decode(&value) != nil {
			return nil, errBody
		}
		members[text] = value
	}
	return members, nil
}

func instances(raw json.RawMessage) ([][]cell, error) {
	var all []json.RawMessage
	if json.Unmarshal(raw, &all) != nil || len(all) == 0 || len(all) > maxRows {
		return nil, errBody
	}
	rows := make([][]cell, len(all))
	for i, instance := range all {
		var err error
		if rows[i], err = instanceCells(instance); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// instanceCells returns the values of a row: by their names, or numbered.
func instanceCells(raw json.RawMessage) (row []cell, err error) {
	switch raw[0] {
	case '{':
		members, err := object(raw)
		for name, value := range members {
			row = append(row, cell{name, value})
		}
		return row, err
	case '[':
		var values []json.RawMessage
		if json.Unmarshal(raw, &values) != nil {
			return nil, errBody
		}
		for i, value := range values {
			row = append(row, cell{"x" + strconv.Itoa(i), value})
		}
		return row, nil
	}
	return []cell{{"x0", raw}}, nil
}

// tensors returns the rows of tensors of which the first dimension is the row (Open Inference Protocol).
func tensors(raw json.RawMessage) ([][]cell, error) {
	var all []struct {
		Name  string          `json:"name"`
		Shape []int64         `json:"shape"`
		Data  json.RawMessage `json:"data"`
	}
	if json.Unmarshal(raw, &all) != nil || len(all) == 0 {
		return nil, errBody
	}
	var rows [][]cell
	for i, of := range all {
		values, err := flat(nil, of.Data, 0)
		n := 1
		if len(of.Shape) > 0 && 0 < of.Shape[0] && of.Shape[0] <= maxRows {
			n = int(of.Shape[0])
		}
		if err != nil || len(values) == 0 || len(values)%n != 0 || i > 0 && n != len(rows) {
			return nil, errBody
		}
		if i == 0 {
			rows = make([][]cell, n)
		}
		width := len(values) / n
		for r := range rows {
			for c, value := range values[r*width : (r+1)*width] {
				name := of.Name
				switch {
				case width > 1 && len(all) == 1:
					name = "x" + strconv.Itoa(c)
				case width > 1:
					name = fmt.Sprintf("%s.%d", of.Name, c)
				}
				rows[r] = append(rows[r], cell{name, value})
			}
		}
	}
	return rows, nil
}

const maxDimensions = 16

// flat appends the values of nested arrays.
func flat(dst []json.RawMessage, raw json.RawMessage, depth int) ([]json.RawMessage, error) {
	if len(raw) == 0 || depth > maxDimensions {
		return nil, errBody
	}
	if raw[0] != '[' {
		return append(dst, raw), nil
	}
	var inner []json.RawMessage
	if json.Unmarshal(raw, &inner) != nil {
		return nil, errBody
	}
	for _, value := range inner {
		var err error
		if dst, err = flat(dst, value, depth+1); err != nil {
			return nil, err
		}
	}
	return dst, nil
}
