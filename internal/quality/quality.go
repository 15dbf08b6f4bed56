// Package quality profiles the columns of a table and says what is wrong with them: missing
// values, NaN and infinities, constants, duplicates, and values that the reference never had.
package quality

import (
	"fmt"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/stat"
)

// Quality is the profile of a whole table.
type Quality struct {
	Rows    int64    `json:"rows"`
	Columns []Column `json:"columns"`
	// DuplicateRows counts the rows that equal an earlier row in every column but the id.
	DuplicateRows  int64  `json:"duplicate_rows"`
	DuplicateScope string `json:"duplicate_scope"` // "all rows", or how many of the first were looked at
	DuplicateIDs   *int64 `json:"duplicate_ids,omitempty"`

	Issues  []Issue            `json:"issues,omitempty"` // of the table; each column has its own
	Verdict tallystick.Verdict `json:"verdict"`
}

// New puts the profile of a table together. Rows and ids find duplicates; either may be nil.
func New(n int64, columns []Column, rows, ids *RowHasher) *Quality {
	q := &Quality{Rows: n, Columns: columns, Verdict: tallystick.Pass, DuplicateScope: "not looked at"}
	if rows != nil {
		q.DuplicateRows, q.DuplicateScope = rows.Duplicates(), rows.Scope()
		if q.DuplicateRows > 0 {
			share := stat.Proportion{K: q.DuplicateRows, N: min(n, MaxHashedRows)}.Rate()
			q.add("duplicate-rows", tallystick.Warn, fmt.Sprintf("%s of %s repeat an earlier row in every column but the id (%s)",
				count(q.DuplicateRows), q.DuplicateScope, percent(share)))
		}
	}
	if ids != nil {
		found := ids.Duplicates()
		q.DuplicateIDs = &found
		if found > 0 {
			q.add("duplicate-ids", tallystick.Fail, fmt.Sprintf("%s of %s have the id of an earlier row", count(found), ids.Scope()))
		}
	}
	if n == 0 {
		q.add("rows", tallystick.Insufficient, "there are no rows")
	}
	for _, c := range columns {
		q.Verdict = q.Verdict.Worse(c.Verdict)
	}
	return q
}

func (q *Quality) add(check string, verdict tallystick.Verdict, words string) {
	q.Issues = append(q.Issues, Issue{Check: check, Verdict: verdict, Words: words})
	q.Verdict = q.Verdict.Worse(verdict)
}

// Column is the profile of one column. Figures that do not apply to the kind are null.
type Column struct {
	Name     string `json:"name"`
	Role     string `json:"role"` // label, prediction, score, group, time, id, query, item, feature, other
	Kind     string `json:"kind"` // number, category, time, text
	Physical string `json:"physical"`
	N        int64  `json:"n"` // rows, missing ones included

	Missing      int64         `json:"missing"`
	MissingShare stat.Number   `json:"missing_share"`
	MissingCI    stat.Interval `json:"missing_share_ci"`
	NaN          int64         `json:"nan"`
	Inf          int64         `json:"inf"`

	Distinct      int64       `json:"distinct"`
	DistinctExact bool        `json:"distinct_exact"` // if not, a HyperLogLog estimate with a standard error of 0.8 %
	Constant      bool        `json:"constant"`
	TopValue      string      `json:"top_value,omitempty"` // categories
	TopShare      stat.Number `json:"top_share"`

	Min    stat.Number `json:"min"`
	P05    stat.Number `json:"p05"`
	Median stat.Number `json:"median"`
	P95    stat.Number `json:"p95"`
	Max    stat.Number `json:"max"`
	Mean   stat.Number `json:"mean"`
	SD     stat.Number `json:"sd"`
	// PercentileError bounds the relative error of the three percentiles; 0 where they are exact.
	PercentileError float64 `json:"percentile_error"`
	From            string  `json:"from,omitempty"` // times, RFC 3339
	To              string  `json:"to,omitempty"`

	// Against the reference; null without one.
	MissingShareRef stat.Number `json:"missing_share_reference"`
	UnseenShare     stat.Number `json:"unseen_share"`
	OutOfRangeShare stat.Number `json:"out_of_range_share"` // below the reference's minimum or above its maximum

	Issues  []Issue            `json:"issues,omitempty"`
	Verdict tallystick.Verdict `json:"verdict"`
}

// Issue is one thing that is wrong with a column or a table.
type Issue struct {
	Check   string             `json:"check"` // stable id, e.g. missing-rate, unseen-values, constant
	Verdict tallystick.Verdict `json:"verdict"`
	Words   string             `json:"words"`
}
