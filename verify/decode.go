package verify

import (
	"bytes"
	"encoding/json"

	"github.com/gowebpki/jcs"
	"github.com/tallystick/tallystick"
)

// maxDocument bounds every JSON document of a bundle, in bytes.
const maxDocument = 4 << 20

// decodeCanonical reads an RFC 8785 document into v, a pointer to a struct or slice. It encodes v
// again and compares all bytes, so that members which are unknown, repeated, written in another
// case or left empty where they must be absent are refused, and one document has one encoding.
func decodeCanonical(what string, data []byte, v any) error {
	if len(data) > maxDocument {
		return tallystick.Errorf(tallystick.Invalid, "%s is longer than %d bytes", what, maxDocument)
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(v); err != nil {
		return tallystick.Errorf(tallystick.Invalid, "%s: %w", what, err)
	}
	again, err := Canonical(v)
	if err != nil {
		return tallystick.Errorf(tallystick.Invalid, "%s: %w", what, err)
	}
	if !bytes.Equal(again, data) {
		return tallystick.Errorf(tallystick.Invalid, "%s is not written in its one accepted form", what).
			WithHint("it must be RFC 8785 json with exactly the documented member names, none of them empty")
	}
	return nil
}

// decodeStrict is decodeCanonical for documents that people may have laid out: white space and the
// order of members are free, everything else is as strict.
func decodeStrict(what string, data []byte, v any) error {
	if len(data) > maxDocument {
		return tallystick.Errorf(tallystick.Invalid, "%s is longer than %d bytes", what, maxDocument)
	}
	canonical, err := jcs.Transform(data)
	if err != nil {
		return tallystick.Errorf(tallystick.Invalid, "%s: %w", what, err)
	}
	return decodeCanonical(what, canonical, v)
}
