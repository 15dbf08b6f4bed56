package obligation

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/state"
)

// maxModels bounds the models that gaps are counted over.
const maxModels = 20_000

// page is how many models are read, and judged, at a time.
const page = 200

// estate calls fn with the models in use page by page, each with its latest version and all that is on record
// of them: in as many statements for one as for a page. There are more if maxModels were not all.
func (o *Office) estate(ctx context.Context, newest seal, fn func(some []*subject) error) (more bool, err error) {
	for after, n := "", 0; ; {
		models, err := o.config.Catalog.Models(ctx, catalog.ModelFilter{State: catalog.Active, After: after, Limit: page})
		if err != nil || len(models) == 0 {
			return false, err
		}
		w := wantedBetween(after, models[len(models)-1].Name)
		some, err := o.subjects(ctx, w, newest, models)
		if err != nil {
			return false, err
		}
		if err := fn(some); err != nil {
			return false, err
		}
		if n += len(models); n >= maxModels || len(models) < page {
			return n >= maxModels, nil
		}
		after = models[len(models)-1].Name
	}
}

// subjects returns the models, which are those that are wanted, with all that is on record of them.
func (o *Office) subjects(ctx context.Context, w wanted, newest seal, models []catalog.Model) ([]*subject, error) {
	all, by := make([]*subject, len(models)), make(map[string]*subject, len(models))
	for i, m := range models {
		s := newSubject()
		s.model = m
		all[i], by[m.Name] = s, s
	}
	err := o.config.DB.Read(ctx, func(tx *state.Tx) error {
		if err := latest(tx, w, by); err != nil {
			return err
		}
		for _, s := range all {
			s.said(newest)
		}
		return read(tx, w, by, readings())
	})
	if err != nil {
		return nil, err
	}
	for _, s := range all {
		if err := o.compares(ctx, s); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// latest reads as much of the versions as said looks at.
func latest(tx *state.Tx, w wanted, by map[string]*subject) error {
	type made struct {
		catalog.Version
		libraries bool
	}
	found, err := state.Collect(tx, func(row state.Scanner) (v made, err error) {
		var digest, root sql.NullString
		var created int64
		err = row.Scan(&v.Model, &v.Version.Version, &digest, &root, &v.CodeCommit, &v.Image, &v.Run, &v.Changelog, &v.Justification, &v.libraries, &created, &v.First)
		v.Digest, v.Root, v.Created = tallystick.Digest(digest.String), tallystick.Digest(root.String), moment(created)
		return v, err
	}, w.with+`SELECT t.model, t.version, t.digest, t.root, t.code_commit, t.image_digest, t.run, t.changelog, t.justification,
		t.metadata LIKE '%"libraries":{%', t.created_ms, t.created FROM wanted JOIN versions t ON t.model = m AND t.version = v`, w.args...)
	if err != nil {
		return fmt.Errorf("read latest versions: %w", err)
	}
	for _, v := range found {
		if s := by[v.Model]; s != nil {
			if s.version = v.Version; v.libraries {
				s.version.Metadata.Libraries = map[string]string{"known": ""}
			}
		}
	}
	return nil
}

// wantedBetween are the models in use behind the name after, up to last.
func wantedBetween(after, last string) wanted {
	return wanted{"WITH wanted (m, v) AS (SELECT name, latest_version FROM models WHERE state = 'active' AND name > ? AND name <= ?) ", []any{after, last}}
}
