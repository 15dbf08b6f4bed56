package monitor

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/query"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
	"github.com/tallystick/tallystick/internal/window"
)

// Where a reference comes from.
const (
	OfPredictions = "predictions"
	OfFile        = "file"
)

// Reference is a reference that was pinned.
type Reference struct {
	Model       string            `json:"model" doc:"name of the model"`
	Version     string            `json:"version,omitempty" doc:"version that it is for; absent: every one that has none of its own"`
	Digest      tallystick.Digest `json:"reference_digest" doc:"of the document: how each feature is counted, and the counts"`
	Source      string            `json:"source" enum:"predictions,file" doc:"what it was made of"`
	Predictions int64             `json:"rows" doc:"that it was made of"`
	Environment string            `json:"environment,omitempty" doc:"of those predictions"`
	From        time.Time         `json:"from,omitzero" doc:"of those predictions"`
	To          time.Time         `json:"to,omitzero" doc:"exclusive"`
	Data        tallystick.Digest `json:"data_digest,omitempty" doc:"of the file, as whoever read it says"`
	Pinned      time.Time         `json:"pinned"`
	Event       uint64            `json:"event" doc:"sequence of the event that pinned it"`
}

// Pin says what becomes a reference: predictions of a time, or a document that was made of a file.
type Pin struct {
	Model, Version string
	Environment    string
	From, To       time.Time
	Categories     []string // features that are categories although they are numbers
	Document       []byte   // of a reference; nil: of predictions
	Data           tallystick.Digest
}

// PreparePin makes and keeps the reference, and returns the change that pins it and the features that could be no part of
// it.
func (o *Office) PreparePin(ctx context.Context, p Pin) (change *Pinned, left []string, err error) {
	change = &Pinned{Model: p.Model, Version: p.Version, Source: OfFile, Data: p.Data}
	var r *window.Reference
	if p.Document != nil {
		r, err = window.ParseReference(p.Document)
	} else {
		if p.From.IsZero() || p.To.IsZero() {
			return nil, nil, tallystick.Errorf(tallystick.Invalid, "from when until when predictions become the reference is not said")
		}
		d := Document{Environment: p.Environment}
		change.Source, change.Environment, change.From, change.To = OfPredictions, p.Environment, stamp(p.From), stamp(p.To)
		r, left, err = o.gather(ctx, query.Selection{Model: p.Model, From: p.From, To: p.To, Where: d.where(p.Version)}, p.Categories)
	}
	if err != nil {
		return nil, nil, err
	}
	document, err := r.Marshal()
	if err != nil {
		return nil, nil, err
	}
	change.Predictions = r.Rows
	change.Reference, err = o.config.Evidence.Put(ctx, document)
	return change, left, err
}

// ProposePin returns the change, nil if the newest reference of the model and version is this one already.
func (o *Office) ProposePin(tx *state.Tx, p *Pinned) (trail.Change, error) {
	if _, err := o.config.Catalog.ModelIn(tx, p.Model); err != nil {
		return nil, err
	}
	is, err := newestReference(tx, p.Model, p.Version, 0)
	if err == nil && is.Version == p.Version && is.Digest == p.Reference {
		return nil, nil
	}
	if err != nil && tallystick.CodeOf(err) != tallystick.NotFound {
		return nil, err
	}
	return p, nil
}

const referenceColumns = "event, model, version, digest, source, predictions, environment, from_us, to_us, data_digest, pinned_ms"

func scanReference(row state.Scanner) (r Reference, err error) {
	var from, to, pinned int64
	err = row.Scan(&r.Event, &r.Model, &r.Version, &r.Digest, &r.Source, &r.Predictions, &r.Environment, &from, &to, &r.Data, &pinned)
	r.From, r.To, r.Pinned = instant(from), instant(to), time.UnixMilli(pinned).UTC()
	return r, err
}

func instant(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

// newestReference returns that of the version or, if it has none, that of the model, pinned by events up to until;
// 0 is no bound.
func newestReference(tx *state.Tx, model, version string, until uint64) (Reference, error) {
	r, err := scanReference(tx.QueryRow("SELECT "+referenceColumns+" FROM model_references WHERE model = ? AND (version = ? OR version = '') AND event <= ? ORDER BY version DESC, event DESC LIMIT 1",
		model, version, bound(until)))
	if errors.Is(err, sql.ErrNoRows) {
		return r, tallystick.Errorf(tallystick.NotFound, "no reference is pinned for %s", model).WithHint("`tallystick reference pin %s` pins one", model)
	}
	if err != nil {
		return r, fmt.Errorf("reference of %s: %w", model, err)
	}
	return r, nil
}

func bound(until uint64) int64 {
	if until == 0 {
		return 1<<63 - 1
	}
	return int64(until)
}

// maxListed bounds the references of one answer.
const maxListed = 1000

// References returns those of a model, or of all, the newest first.
func (o *Office) References(ctx context.Context, model string) (all []Reference, err error) {
	err = o.config.DB.Read(ctx, func(tx *state.Tx) error {
		all, err = state.Collect(tx, scanReference, "SELECT "+referenceColumns+" FROM model_references WHERE model = ? OR ? = '' ORDER BY event DESC "+state.Limit, model, model, maxListed)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list the references of %s: %w", model, err)
	}
	return all, nil
}

// Reference returns the document of a reference that was pinned for some model.
func (o *Office) Reference(ctx context.Context, digest tallystick.Digest) (*window.Reference, Reference, error) {
	var is Reference
	err := o.config.DB.Read(ctx, func(tx *state.Tx) (err error) {
		is, err = scanReference(tx.QueryRow("SELECT "+referenceColumns+" FROM model_references WHERE digest = ? ORDER BY event DESC LIMIT 1", string(digest)))
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, is, tallystick.Errorf(tallystick.NotFound, "no reference %s was pinned", digest).WithHint("`tallystick reference list` has those that were")
	}
	if err != nil {
		return nil, is, fmt.Errorf("reference %s: %w", digest, err)
	}
	r, err := o.reference(ctx, digest)
	return r, is, err
}

func (o *Office) reference(ctx context.Context, digest tallystick.Digest) (*window.Reference, error) {
	return o.references.get(digest, func() ([]byte, error) {
		document, err := o.config.Evidence.Get(ctx, digest)
		if err != nil {
			return nil, fmt.Errorf("reference %s: %w", digest, err)
		}
		return document, nil
	}, window.ParseReference)
}
