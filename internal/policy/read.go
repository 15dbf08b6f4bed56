package policy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/tidwall/gjson"
)

// members splits a JSON object into its members, which stay bytes of data. It reads no further than that: of thousands
// of past documents most is never looked at. The last of several members with one name counts, as in encoding/json.
func members(data []byte) (map[string]json.RawMessage, error) {
	if !valid(data) {
		var value any
		return nil, json.Unmarshal(data, &value)
	}
	object := gjson.ParseBytes(data)
	if !object.IsObject() {
		return nil, fmt.Errorf("it is %s and no object", kindOf(read(data)))
	}
	pieces := map[string]json.RawMessage{}
	object.ForEach(func(name, value gjson.Result) bool {
		pieces[stringOf(name)] = data[value.Index : value.Index+len(value.Raw)]
		return true
	})
	return pieces, nil
}

// maxOpened is how many brackets are left to gjson, which sees faster than encoding/json whether JSON is valid, but goes as deep as it is.
const maxOpened = 10_000

func valid(data []byte) bool {
	if bytes.Count(data, []byte("["))+bytes.Count(data, []byte("{")) > maxOpened {
		return json.Valid(data)
	}
	return gjson.ValidBytes(data)
}

// read returns valid JSON with its numbers as they are written.
func read(valid []byte) any { return plainOf(gjson.ParseBytes(valid), 0) }

// maxLevels is how deep gjson is asked: it looks through all that lies below once for each level.
const maxLevels = 16

func plainOf(value gjson.Result, level int) (plain any) {
	switch {
	case level > maxLevels:
		decoder := json.NewDecoder(strings.NewReader(value.Raw))
		decoder.UseNumber()
		_ = decoder.Decode(&plain) // which was found to be valid
		return plain
	case value.IsObject():
		object := map[string]any{}
		value.ForEach(func(name, member gjson.Result) bool {
			object[stringOf(name)] = plainOf(member, level+1)
			return true
		})
		return object
	case value.IsArray():
		list := []any{}
		value.ForEach(func(_, element gjson.Result) bool {
			list = append(list, plainOf(element, level+1))
			return true
		})
		return list
	}
	switch value.Type {
	case gjson.True, gjson.False:
		return value.Bool()
	case gjson.Number:
		return json.Number(value.Raw)
	case gjson.String:
		return stringOf(value)
	}
	return nil
}

// stringOf leaves what is not plain UTF-8 to encoding/json, which reads half a surrogate pair as one character that is none.
func stringOf(quoted gjson.Result) (s string) {
	if strings.IndexByte(quoted.Raw, '\\') < 0 && utf8.ValidString(quoted.Raw) {
		return quoted.Str
	}
	_ = json.Unmarshal([]byte(quoted.Raw), &s) // which was found to be valid
	return s
}
