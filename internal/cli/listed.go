package cli

import (
	"context"
	"encoding/json"
	"net/url"

	"github.com/tallystick/tallystick/client"
)

// listed lists. If there is nothing it looks whether there is what was asked about: a name that nobody
// knows, or that is misspelt, is no empty list.
func listed[T any](ctx context.Context, s *session, path string, q url.Values, limit int) ([]T, error) {
	all, err := client.List[T](ctx, s.Client, path, q, limit)
	if err != nil || len(all) > 0 {
		return all, err
	}
	var about []string
	if model, version := q.Get("model"), q.Get("version"); version != "" && model != "" {
		about = append(about, versionPath(model, version))
	} else if model != "" {
		about = append(about, modelPath(model))
	}
	if dataset := q.Get("dataset"); dataset != "" {
		about = append(about, datasetPath(dataset))
	}
	for _, path := range about {
		if err := s.Get(ctx, path, new(json.RawMessage)); err != nil {
			return nil, err
		}
	}
	return all, nil
}
