package window

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/gowebpki/jcs"
	"github.com/tallystick/tallystick"
)

// Roles of a feature.
const (
	RoleFeature = "feature"
	RoleScore   = "score"
	RoleOutput  = "output"
)

// Kinds of a feature.
const (
	KindNumber   = "number"
	KindCategory = "category"
)

// Limits of a reference.
const (
	MaxRows       = 1<<31 - 1 // rows of a reference; so that comparisons fit 64 bits
	MaxFeatures   = 10_000
	MaxVocabulary = 1024 // values of a category that are counted one by one
	maxName       = 256
	maxDocument   = 256 << 20
)

const schema = "tallystick.window.reference/1"

// Reference is what windows are compared with: frozen, and named by its digest, which covers the
// edges, the vocabulary and the counts. Its fields are for reading. Many goroutines may use it.
type Reference struct {
	Schema   string    `json:"schema"`
	Rows     int64     `json:"rows"`
	Features []Feature `json:"features"`

	digest tallystick.Digest
}

// Feature is one column of the reference: a Number or a Category as Kind says.
type Feature struct {
	Name     string             `json:"name"`
	Role     string             `json:"role"`
	Kind     string             `json:"kind"`
	Missing  int64              `json:"missing"`
	Number   *NumberReference   `json:"number,omitempty"`
	Category *CategoryReference `json:"category,omitempty"`
}

// Digest returns the digest of the canonical document.
func (r *Reference) Digest() tallystick.Digest { return r.digest }

// Marshal returns the canonical document: JSON by RFC 8785.
func (r *Reference) Marshal() ([]byte, error) {
	plain, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encode reference: %w", err)
	}
	canonical, err := jcs.Transform(plain)
	if err != nil {
		return nil, fmt.Errorf("encode reference: %w", err)
	}
	return canonical, nil
}

// ParseReference reads what Marshal wrote. It returns an Invalid error for anything else, an
// equivalent document in another form too.
func ParseReference(document []byte) (*Reference, error) {
	if len(document) > maxDocument {
		return nil, tallystick.Errorf(tallystick.Invalid, "reference of %d bytes, more than %d", len(document), maxDocument)
	}
	r := new(Reference)
	decoder := json.NewDecoder(bytes.NewReader(document))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(r); err != nil {
		return nil, tallystick.Errorf(tallystick.Invalid, "reference is not a document of schema %s: %v", schema, err)
	}
	if err := r.validate(); err != nil {
		return nil, err
	}
	canonical, err := r.Marshal()
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(canonical, document) {
		return nil, tallystick.Errorf(tallystick.Invalid, "reference is not in canonical form").
			WithHint("keep the bytes as they were written")
	}
	r.ready(canonical)
	return r, nil
}

// ready fills in what follows from the document.
func (r *Reference) ready(document []byte) {
	r.digest = tallystick.DigestOf(document)
	for _, f := range r.Features {
		switch f.Kind {
		case KindNumber:
			f.Number.ready()
		case KindCategory:
			f.Category.ready()
		}
	}
}

func (r *Reference) validate() error {
	if r.Schema != schema {
		return tallystick.Errorf(tallystick.Invalid, "reference of schema %.80q, want %s", r.Schema, schema)
	}
	if r.Rows < 1 || r.Rows > MaxRows {
		return tallystick.Errorf(tallystick.Invalid, "reference of %d rows, want 1 to %d", r.Rows, MaxRows).
			WithHint("use a random sample of the reference")
	}
	if len(r.Features) == 0 || len(r.Features) > MaxFeatures {
		return tallystick.Errorf(tallystick.Invalid, "reference of %d features, want 1 to %d", len(r.Features), MaxFeatures)
	}
	names := make(map[string]bool, len(r.Features))
	for _, f := range r.Features {
		if names[f.Name] {
			return tallystick.Errorf(tallystick.Invalid, "reference has feature %q twice", f.Name)
		}
		names[f.Name] = true
		if err := f.validate(r.Rows); err != nil {
			return err
		}
	}
	return nil
}

func (f *Feature) validate(rows int64) error {
	if f.Name == "" || len(f.Name) > maxName || !utf8.ValidString(f.Name) {
		return tallystick.Errorf(tallystick.Invalid, "name of feature %.80q is not 1 to %d bytes of UTF-8", f.Name, maxName)
	}
	if !slices.Contains([]string{RoleFeature, RoleScore, RoleOutput}, f.Role) {
		return tallystick.Errorf(tallystick.Invalid, "feature %q has role %.80q, want feature, score or output", f.Name, f.Role)
	}
	if f.Missing < 0 || f.Missing > rows {
		return tallystick.Errorf(tallystick.Invalid, "feature %q has %d missing values in %d rows", f.Name, f.Missing, rows)
	}
	var total int64
	var err error
	switch {
	case f.Kind == KindNumber && f.Number != nil && f.Category == nil:
		total, err = f.Number.validate(rows)
	case f.Kind == KindCategory && f.Category != nil && f.Number == nil:
		total, err = f.Category.validate(rows)
	default:
		return tallystick.Errorf(tallystick.Invalid, "feature %q is neither a number nor a category", f.Name)
	}
	if err != nil {
		return fmt.Errorf("feature %q: %w", f.Name, err)
	}
	if total+f.Missing != rows {
		return tallystick.Errorf(tallystick.Invalid, "feature %q has %d values, others %d", f.Name, total+f.Missing, rows).
			WithHint("count missing values as well, so that every feature has every row")
	}
	return nil
}

// Profile returns an empty profile.
func (r *Reference) Profile() *Profile {
	p := &Profile{reference: r, columns: make([]column, len(r.Features))}
	for i, f := range r.Features {
		switch f.Kind {
		case KindNumber:
			p.columns[i].number = &numberCounts{reference: f.Number, cells: make([]cell, len(f.Number.Edges)+1)}
		case KindCategory:
			p.columns[i].category = newCategoryCounts(f.Category)
		}
	}
	return p
}
