package monitor

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/query"
	"github.com/tallystick/tallystick/internal/rollup"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/window"
)

// breakdown is a breakdown that was read.
type breakdown struct {
	Breakdown
	parts map[string]breakdownProfile
}

type breakdownProfile struct {
	profile *window.Profile
	windows int64
}

// breakdownOf returns the breakdown of a window that is judged, or says in words why there is none.
func (s *subject) breakdownOf(ctx context.Context, kind string) (b *breakdown, lacks string, err error) {
	command := fmt.Sprintf("`tallystick reference %s %s` counts one", kind, s.document.Model)
	if s.office == nil {
		return nil, fmt.Sprintf("There is no reference by %s where nothing is on record.", kind), nil
	}
	b = &breakdown{parts: map[string]breakdownProfile{}}
	err = s.office.config.DB.Read(ctx, func(tx *state.Tx) (err error) {
		b.Breakdown, err = newestBreakdown(tx, kind, s.document.Model, s.version, s.selection.Registered)
		return err
	})
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, fmt.Sprintf("No reference by %s is pinned for %s: %s.", kind, s.document.Model, command), nil
	case err != nil:
		return nil, "", fmt.Errorf("reference by %s of %s: %w", kind, s.document.Model, err)
	case s.reference == nil || b.Reference != s.reference.Digest():
		return nil, fmt.Sprintf("The reference by %s of %s was counted by another reference than the one in force: %s anew.", kind, s.document.Model, command), nil
	}
	data, err := s.office.config.Evidence.Get(ctx, b.Digest)
	if err != nil {
		return nil, "", fmt.Errorf("reference by %s of %s: %w", kind, s.document.Model, err)
	}
	var document breakdownDocument
	if err := json.Unmarshal(data, &document); err != nil || document.Schema != breakdownSchema {
		return nil, "", tallystick.Errorf(tallystick.Invalid, "breakdown %s is no document of the form %s", b.Digest, breakdownSchema)
	}
	for _, part := range document.Parts {
		p, err := s.reference.ParseProfile(part.Profile)
		if err != nil {
			return nil, "", fmt.Errorf("breakdown %s, %s: %w", b.Digest, part.Name, err)
		}
		b.parts[part.Name] = breakdownProfile{p, part.Windows}
	}
	return b, "", nil
}

// slicesOf returns the conditions of slices: of the values of features that are frequent in the reference, and those that are
// written.
func slicesOf(reference *window.Reference, by, where []string) (all []query.Condition, err error) {
	for _, name := range by {
		at := slices.IndexFunc(reference.Features, func(f window.Feature) bool { return f.Name == name && f.Kind == window.KindCategory })
		if at < 0 {
			return nil, tallystick.Errorf(tallystick.Invalid, "the reference has no category %.80q to slice by", name).WithHint("name a feature with texts, or write a condition: where: \"age < 25\"")
		}
		f := &reference.Features[at]
		for i, value := range f.Category.Values[:min(maxSlicesBy, len(f.Category.Values))] {
			if f.Category.Counts[i]*100 >= reference.Rows && !strings.ContainsAny(value, `"`) {
				all = append(all, query.Equals(rollup.ColumnOf(f), value))
			}
		}
	}
	for _, text := range where {
		c, err := sliceCondition(text)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	if len(all) == 0 || len(all) > rollup.MaxSlices {
		return nil, tallystick.Errorf(tallystick.Invalid, "there are %d slices, want 1 to %d", len(all), rollup.MaxSlices)
	}
	return all, nil
}

// sliceCondition reads a condition in which features may stand without f_.
func sliceCondition(text string) (query.Condition, error) {
	c, err := query.ParseCondition(text)
	if err == nil {
		return c, nil
	}
	if of, featureErr := query.ParseCondition("f_" + strings.TrimSpace(text)); featureErr == nil {
		return of, nil
	}
	return c, err
}

// sliceName is a slice as people read it.
func sliceName(c query.Condition) string { return strings.TrimPrefix(c.String(), "f_") }
