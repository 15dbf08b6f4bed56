package api

import (
	"context"
	"net/http"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/lineage"
	"github.com/tallystick/tallystick/internal/profile"
	"github.com/tallystick/tallystick/internal/registry"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

func datasetResource(name string) trail.Resource { return trail.Resource{Type: "dataset", ID: name} }

// OnDataset names a data set in a path.
type OnDataset struct {
	Dataset string `path:"dataset" maxLength:"128"`
}

type registerDatasetInput struct {
	Request
	Body catalog.DatasetChange
}

type updateDatasetInput struct {
	Request
	OnDataset
	Body struct {
		catalog.DatasetTerms
		IfRevision uint64 `json:"if_revision,omitempty" doc:"revision that the change is based on"`
	}
}

type registerSnapshotInput struct {
	Request
	OnDataset
	Body struct {
		Name      string                 `json:"name" minLength:"1" maxLength:"128"`
		Digest    tallystick.Digest      `json:"digest" pattern:"^sha256:[0-9a-f]{64}$"`
		Rows      int64                  `json:"rows" minimum:"0"`
		Bytes     int64                  `json:"bytes,omitempty" minimum:"0"`
		Taken     time.Time              `json:"taken,omitzero" doc:"when the data were taken from their source; now, if absent"`
		Schema    []catalog.SchemaColumn `json:"schema,omitempty" maxItems:"10000"`
		Profile   *profile.Profile       `json:"profile,omitempty"`
		Sources   []catalog.Source       `json:"sources,omitempty" maxItems:"1000"`
		Anomalies []catalog.Anomaly      `json:"anomalies,omitempty" maxItems:"1000"`
	}
}

type linkSnapshotInput struct {
	Request
	OnVersion
	Body struct {
		Role     catalog.DataRole  `json:"role" enum:"training,validation,test,reference"`
		Dataset  string            `json:"dataset" maxLength:"128"`
		Snapshot string            `json:"snapshot" maxLength:"128"`
		Digest   tallystick.Digest `json:"digest,omitempty" doc:"of the data as the version used them; the snapshot's, if absent"`
	}
}

func (s *server) datasets() {
	act(s, operation("register-dataset", http.MethodPost, "/datasets", "Register a data set", "data", http.StatusConflict),
		func(_ context.Context, in registerDatasetInput) (registry.Command, func(tx *state.Tx) (catalog.Dataset, error)) {
			return s.onDataset(in.Body.Name, func(tx *state.Tx) (trail.Change, error) { return s.Catalog.RegisterDataset(tx, in.Body) })
		})
	act(s, operation("update-dataset", http.MethodPut, "/datasets/{dataset}", "Replace the terms of a data set", "data", http.StatusNotFound, http.StatusConflict),
		func(_ context.Context, in updateDatasetInput) (registry.Command, func(tx *state.Tx) (catalog.Dataset, error)) {
			return s.onDataset(in.Dataset, func(tx *state.Tx) (trail.Change, error) {
				return s.Catalog.UpdateDataset(tx, catalog.DatasetChange{Name: in.Dataset, DatasetTerms: in.Body.DatasetTerms, IfRevision: in.Body.IfRevision})
			})
		})
	ask(s, operation("list-datasets", http.MethodGet, "/datasets", "List data sets", "data"),
		func(ctx context.Context, in *Paging) (page[catalog.Dataset], error) {
			if err := s.may(ctx, access.CatalogRead, whole, ""); err != nil {
				return page[catalog.Dataset]{}, err
			}
			found, err := s.Catalog.Datasets(ctx, catalog.DatasetFilter{After: in.After, Limit: in.Limit + 1})
			return pageOf(found, in.Limit, func(d catalog.Dataset) string { return d.Name }), err
		})
	ask(s, operation("get-dataset", http.MethodGet, "/datasets/{dataset}", "Get a data set", "data", http.StatusNotFound),
		func(ctx context.Context, in *OnDataset) (catalog.Dataset, error) {
			if err := s.may(ctx, access.CatalogRead, datasetResource(in.Dataset), ""); err != nil {
				return catalog.Dataset{}, err
			}
			return s.Catalog.Dataset(ctx, in.Dataset)
		})
}

func (s *server) onDataset(name string, propose func(tx *state.Tx) (trail.Change, error)) (registry.Command, func(tx *state.Tx) (catalog.Dataset, error)) {
	return registry.Command{Action: access.DatasetRegister, Resource: datasetResource(name), Propose: single(propose)},
		func(tx *state.Tx) (catalog.Dataset, error) { return s.Catalog.DatasetIn(tx, name) }
}

func (s *server) snapshots() {
	act(s, operation("register-snapshot", http.MethodPost, "/datasets/{dataset}/snapshots", "Register a snapshot", "data", http.StatusNotFound, http.StatusConflict),
		func(_ context.Context, in registerSnapshotInput) (registry.Command, func(tx *state.Tx) (catalog.Snapshot, error)) {
			data := lineage.Ref{Kind: lineage.Snapshot, ID: in.Dataset + "@" + in.Body.Name}
			nodes, edges := ofSources(data, in.Body.Digest, in.Body.Sources)
			return registry.Command{
					Action: access.DatasetRegister, Resource: trail.Resource{Type: "snapshot", ID: data.ID},
					Propose: s.told(single(func(tx *state.Tx) (trail.Change, error) {
						return s.Catalog.RegisterSnapshot(tx, catalog.SnapshotRegistration{
							Dataset: in.Dataset, Name: in.Body.Name, Digest: in.Body.Digest, Rows: in.Body.Rows, Bytes: in.Body.Bytes, Taken: in.Body.Taken,
							Schema: in.Body.Schema, Profile: in.Body.Profile, Sources: in.Body.Sources, Anomalies: in.Body.Anomalies,
						})
					}), nodes, edges),
				}, func(tx *state.Tx) (catalog.Snapshot, error) {
					return s.Catalog.SnapshotIn(tx, in.Dataset, in.Body.Name)
				}
		})
	act(s, operation("link-snapshot", http.MethodPost, "/models/{model}/versions/{version}/data", "Say on which data a version rests", "data", http.StatusNotFound, http.StatusConflict),
		func(_ context.Context, in linkSnapshotInput) (registry.Command, func(tx *state.Tx) (catalog.DataLink, error)) {
			link := catalog.DataLink{Model: in.Model, Version: in.Version, Role: in.Body.Role, Dataset: in.Body.Dataset, Snapshot: in.Body.Snapshot, Digest: in.Body.Digest}
			c := in.command(access.LineageRecord, func(tx *state.Tx) (trail.Change, error) { return s.Catalog.LinkSnapshot(tx, link) })
			data, version := lineage.Ref{Kind: lineage.Snapshot, ID: link.Dataset + "@" + link.Snapshot}, lineage.VersionRef(in.Model, in.Version)
			c.Propose = s.told(c.Propose, []lineage.Node{{Ref: data}, {Ref: version, Model: in.Model}}, []lineage.Edge{{From: data, To: version, Relation: lineage.Derived, Reason: string(link.Role)}})
			return c, func(*state.Tx) (catalog.DataLink, error) { return link, nil }
		})
	ask(s, operation("list-snapshots", http.MethodGet, "/snapshots", "List snapshots of a data set or of a digest, newest first", "data", http.StatusNotFound),
		func(ctx context.Context, in *struct {
			Newest
			Dataset string            `query:"dataset" maxLength:"128"`
			Digest  tallystick.Digest `query:"digest" maxLength:"71"`
		},
		) (page[catalog.Snapshot], error) {
			if err := s.may(ctx, access.CatalogRead, whole, ""); err != nil {
				return page[catalog.Snapshot]{}, err
			}
			found, err := s.Catalog.Snapshots(ctx, catalog.SnapshotFilter{Dataset: in.Dataset, Digest: in.Digest, After: in.from(), Limit: in.Limit + 1})
			err = s.nothing(ctx, len(found), err, catalog.Names{Dataset: in.Dataset})
			return pageOf(found, in.Limit, func(x catalog.Snapshot) string { return utoa(x.Event) }), err
		})
	ask(s, operation("get-snapshot", http.MethodGet, "/datasets/{dataset}/snapshots/{snapshot}", "Get a snapshot", "data", http.StatusNotFound),
		func(ctx context.Context, in *struct {
			OnDataset
			Snapshot string `path:"snapshot" maxLength:"128"`
		},
		) (catalog.Snapshot, error) {
			if err := s.may(ctx, access.CatalogRead, datasetResource(in.Dataset), ""); err != nil {
				return catalog.Snapshot{}, err
			}
			return s.Catalog.Snapshot(ctx, in.Dataset, in.Snapshot)
		})
	ask(s, operation("list-version-data", http.MethodGet, "/models/{model}/versions/{version}/data", "Say on which data a version rests", "data", http.StatusNotFound),
		func(ctx context.Context, in *OnVersion) (page[catalog.DataLink], error) {
			if err := s.may(ctx, access.CatalogRead, versionResource(in.Model, in.Version), in.Model); err != nil {
				return page[catalog.DataLink]{}, err
			}
			found, err := s.Catalog.Links(ctx, catalog.LinkFilter{Model: in.Model, Version: in.Version, Limit: 1000})
			return pageOf(found, len(found), nil), err
		})
}

// ofSources returns the node of a snapshot, and the edges to it from where its data came from.
func ofSources(data lineage.Ref, digest tallystick.Digest, sources []catalog.Source) ([]lineage.Node, []lineage.Edge) {
	nodes := []lineage.Node{{Ref: data, Digest: digest}}
	var edges []lineage.Edge
	for _, source := range sources {
		ref := lineage.Ref{Kind: lineage.Source, ID: source.Name}
		if ref.Validate() != nil {
			continue // the catalog says what is wrong with it
		}
		nodes = append(nodes, lineage.Node{Ref: ref})
		edges = append(edges, lineage.Edge{From: ref, To: data, Relation: lineage.Derived})
	}
	return nodes, edges
}
