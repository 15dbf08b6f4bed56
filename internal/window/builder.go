package window

import (
	"fmt"

	"github.com/tallystick/tallystick"
)

// Options sets how a reference is made.
type Options struct {
	Vocabulary int // values of a category that are counted one by one; 0 is MaxVocabulary, which is also the most
}

// Builder gathers the columns of a reference, in the order in which its profiles will have them.
type Builder struct {
	vocabulary int
	reference  *Reference
}

// NewBuilder returns an empty builder.
func NewBuilder(o Options) *Builder {
	vocabulary := MaxVocabulary
	if o.Vocabulary > 0 {
		vocabulary = min(o.Vocabulary, MaxVocabulary)
	}
	return &Builder{vocabulary, &Reference{Schema: schema}}
}

// Number adds a number; missing values are not among values, while NaN and infinite ones may be and
// are counted apart. It returns an Invalid error if nothing finite is left.
func (b *Builder) Number(name, role string, values []float64, missing int64) error {
	number, err := newNumberReference(values)
	if err != nil {
		return fmt.Errorf("reference of %q: %w", name, err)
	}
	return b.add(Feature{Name: name, Role: role, Kind: KindNumber, Missing: missing, Number: number}, int64(len(values)))
}

// Category adds a category with its rows by value, missing ones apart.
func (b *Builder) Category(name, role string, counts map[string]int64, missing int64) error {
	var total int64
	for value, n := range counts {
		if n < 0 || n > MaxRows {
			return tallystick.Errorf(tallystick.Invalid, "reference of %q counts %d rows of %.80q", name, n, value)
		}
		total += n
	}
	category := newCategoryReference(counts, b.vocabulary)
	return b.add(Feature{Name: name, Role: role, Kind: KindCategory, Missing: missing, Category: category}, total)
}

func (b *Builder) add(f Feature, values int64) error {
	if len(b.reference.Features) == 0 {
		b.reference.Rows = values + f.Missing
	}
	if err := f.validate(b.reference.Rows); err != nil {
		return err
	}
	b.reference.Features = append(b.reference.Features, f)
	return nil
}

// Build returns the reference. It returns an Invalid error without features, where a name comes twice
// or features have different numbers of rows.
func (b *Builder) Build() (*Reference, error) {
	r := *b.reference
	r.Features = append([]Feature(nil), b.reference.Features...)
	if err := r.validate(); err != nil {
		return nil, err
	}
	document, err := r.Marshal()
	if err != nil {
		return nil, err
	}
	r.ready(document)
	return &r, nil
}
