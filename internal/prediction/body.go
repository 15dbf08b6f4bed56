package prediction

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"unicode/utf8"

	"github.com/tallystick/tallystick"
)

// MaxBody bounds a body, in bytes.
const MaxBody = 256 << 10

// Dropped is the rule of a body that was sent and that no rule kept.
const Dropped = "none"

// Body is what was sent to a model, or what came from it, as it was. The record has its media type and its
// digest, which are encoded and proved with it; the bytes lie beside the record, so that a proof discloses none of
// them, and who has both can hold one against the other.
type Body struct {
	Type   string            // media type; empty if unknown
	Digest tallystick.Digest // SHA-256 of the bytes; it need not be set where Data is
	Data   []byte            // nil if they are not at hand
}

// Sum returns the SHA-256 of the bytes; false if it is not known.
func (b *Body) Sum() (sum [sha256.Size]byte, ok bool) {
	if b.Data != nil {
		return sha256.Sum256(b.Data), true
	}
	return digestBytes(b.Digest)
}

// validate returns an Invalid error unless b is within its bounds.
func (b *Body) validate(field string) error {
	if b == nil {
		return nil
	}
	if len(b.Data) > MaxBody {
		return tallystick.Errorf(tallystick.Invalid, "%s has %d bytes, the limit is %d", field, len(b.Data), MaxBody).
			WithHint("keep it elsewhere, and send input_digest and features_ref")
	}
	if len(b.Type) > maxWord || strings.ContainsFunc(b.Type, func(r rune) bool { return r < ' ' || r > '~' }) {
		return invalid(field+".type", "is no media type of up to 128 printable ASCII characters")
	}
	if _, ok := digestBytes(b.Digest); b.Data == nil && !ok {
		return invalid(field+".digest", "is not sha256: and 64 lower-case hexadecimal digits")
	}
	return nil
}

// MarshalJSON writes the canonical form of b, which has its digest and not its bytes.
func (b *Body) MarshalJSON() ([]byte, error) { return b.append(nil, false), nil }

// append appends b, with the bytes as its sender writes them or without.
func (b *Body) append(dst []byte, whole bool) []byte {
	w := jsonWriter{out: append(dst, '{'), start: len(dst) + 1}
	if whole = whole && b.Data != nil; whole && !utf8.Valid(b.Data) {
		w.text("base64", base64.StdEncoding.EncodeToString(b.Data))
	}
	if sum, ok := b.Sum(); ok && !whole {
		w.text("digest", "sha256:"+hex.EncodeToString(sum[:]))
	}
	if whole && utf8.Valid(b.Data) {
		w.key("text")
		w.out = appendText(w.out, string(b.Data))
	}
	w.text("type", b.Type)
	return append(w.out, '}')
}

// body writes a body, if there is one.
func (w *jsonWriter) body(name string, b *Body) {
	if b != nil {
		w.key(name)
		w.out = b.append(w.out, w.whole)
	}
}

// body reads a body: its bytes as text or in base64 as a sender has them, or the digest alone, as a record has it.
// A text by itself is one without a media type.
func (p *parser) body() *Body {
	switch p.peek() {
	case 'n':
		p.scalar()
		return nil
	case '"':
		return &Body{Data: []byte(p.scanner.text())}
	case '{':
	default:
		p.refuse("is not an object or a text")
		return nil
	}
	b, field, seen, ways := &Body{}, p.field, map[string]bool{}, 0
	p.object(func(key string) bool {
		p.field = field + "." + clip(key)
		if seen[key] {
			p.refuse("stands twice")
		}
		seen[key] = true
		switch key {
		case "type":
			b.Type = p.string()
			return p.wrong == nil
		case "digest":
			b.Digest = tallystick.Digest(p.string())
		case "text":
			b.Data = []byte(p.string())
		case "base64":
			var err error
			if b.Data, err = base64.StdEncoding.Strict().DecodeString(p.string()); err != nil {
				p.refuse("is not base64")
			}
		default:
			p.refuse("is not known")
		}
		ways++
		return p.wrong == nil
	})
	if p.field = field; ways != 1 {
		p.refuse("has not one of text, base64 and digest")
	}
	return b
}
