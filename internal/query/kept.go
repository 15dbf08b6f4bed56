package query

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/state"
)

// KeptFile is a file that has predictions.
type KeptFile struct {
	File        tallystick.Digest `json:"file_digest"`
	Path        string            `json:"path" doc:"where it lies in the workspace"`
	Predictions int64             `json:"predictions" doc:"erased ones included"`
	Segments    int64             `json:"segments"`
	First       prediction.Time   `json:"first_time" doc:"of the earliest prediction"`
	Last        prediction.Time   `json:"last_time"`
}

// maxKept bounds the files of one answer.
const maxKept = 100_000

// Kept returns the files that can have predictions of a model of a time, in the order in which they were registered. Zero times bound
// nothing. A file may be joined with others, or written anew without an erased prediction, at any time.
func (a *Asker) Kept(ctx context.Context, model string, from, to time.Time) (files []KeptFile, err error) {
	first, last := int64(math.MinInt64), int64(math.MaxInt64)
	if !from.IsZero() {
		first = from.UnixMicro()
	}
	if !to.IsZero() {
		last = to.UnixMicro() - 1
	}
	err = a.db.Read(ctx, func(tx *state.Tx) error {
		files, err = state.Collect(tx, func(row state.Scanner) (k KeptFile, err error) {
			err = row.Scan(&k.File, &k.Predictions, &k.Segments, &k.First, &k.Last)
			if err == nil {
				err = k.File.Validate()
			}
			if err == nil {
				k.Path = fmt.Sprintf("predictions/sha256/%s/%s", k.File.Hex()[:2], k.File.Hex())
			}
			return k, err
		}, `SELECT file_digest, CAST(sum(records) AS BIGINT), count(*), min(first_us), max(last_us) FROM prediction_segments
			WHERE model = ? AND last_us >= ? AND first_us <= ? AND removed = 0 GROUP BY file_digest ORDER BY min(event) `+state.Limit, model, first, last, maxKept)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("files of %s: %w", model, err)
	}
	return files, nil
}
