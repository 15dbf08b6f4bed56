package catalog

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/tallystick/tallystick/internal/state"
)

// ModelsNamed returns models in the order of their names as given, without those that there are not. At most 1,000 are looked for.
func (c *Catalog) ModelsNamed(ctx context.Context, names []string) (models []Model, err error) {
	if names = names[:min(len(names), 1000)]; len(names) == 0 {
		return nil, nil
	}
	args, place := make([]any, len(names)), map[string]int{}
	for i, name := range names {
		args[i], place[name] = name, i
	}
	err = c.db.Read(ctx, func(tx *state.Tx) error {
		models, err = state.Collect(tx, scanModel, "SELECT "+modelColumns+" FROM models WHERE name IN (?"+strings.Repeat(", ?", len(names)-1)+")", args...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("models by name: %w", err)
	}
	slices.SortFunc(models, func(a, b Model) int { return place[a.Name] - place[b.Name] })
	return models, nil
}
