package obligation

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/state"
)

// maxModels bounds the models that gaps are counted over.
const maxModels = 20_000

// estate reads the models in use, each with its latest version, and all that is on record of them: in as
// many statements for one as for all.
func (o *Office) estate(ctx context.Context) (all []*subject, more bool, now time.Time, err error) {
	by := map[string]*subject{}
	for after := ""; ; {
		const page = 1000
		models, err := o.config.Catalog.Models(ctx, catalog.ModelFilter{State: catalog.Active, After: after, Limit: page})
		if err != nil {
			return nil, false, now, err
		}
		for _, m := range models {
			s := newSubject()
			s.model = m
			all, by[m.Name], after = append(all, s), s, m.Name
		}
		if more = len(all) >= maxModels; len(models) < page || more {
			break
		}
	}
	err = o.config.DB.Read(ctx, func(tx *state.Tx) error {
		now = tx.Now()
		w := wantedAll()
		if err := latest(tx, w, by); err != nil {
			return err
		}
		newest, err := o.newestSeal(tx)
		if err != nil {
			return err
		}
		for _, s := range all {
			s.said(newest)
		}
		return read(tx, w, by, readings())
	})
	if err != nil {
		return nil, false, now, err
	}
	for _, s := range all {
		if err := o.compares(ctx, s); err != nil {
			return nil, false, now, err
		}
	}
	return all, more, now, nil
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

func wantedAll() wanted {
	return wanted{with: "WITH wanted (m, v) AS (SELECT name, latest_version FROM models WHERE state = 'active') "}
}
