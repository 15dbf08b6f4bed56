// Package quality profiles the columns of a table and says what is wrong with them: missing
// values, NaN and infinities, constants, duplicates, and values that the reference never had.
package quality

import (
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

	Verdict tallystick.Verdict `json:"verdict"`
}

// Column is the profile of one column. Figures that do not apply to the kind are null.
type Column struct {
	Name     string `json:"name"`
	Role     string `json:"role"` // label, prediction, score, group, time, id, feature
	Kind     string `json:"kind"` // number, category, time, text
	Physical string `json:"physical"`
	N        int64  `json:"n"` // rows, missing ones included

	Missing      int64         `json:"missing"`
	MissingShare stat.Number   `json:"missing_share"`
	MissingCI    stat.Interval `json:"missing_share_ci"`
	NaN          int64         `json:"nan"`
	Inf          int64         `json:"inf"`

	Distinct      int64       `json:"distinct"`
	DistinctExact bool        `json:"distinct_exact"`
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
	From   string      `json:"from,omitempty"` // times, RFC 3339
	To     string      `json:"to,omitempty"`

	// Against the reference; null without one.
	MissingShareRef stat.Number `json:"missing_share_reference"`
	UnseenShare     stat.Number `json:"unseen_share"`
	OutOfRangeShare stat.Number `json:"out_of_range_share"` // below the reference's minimum or above its maximum

	Issues  []Issue            `json:"issues,omitempty"`
	Verdict tallystick.Verdict `json:"verdict"`
}

// Issue is one thing that is wrong with a column.
type Issue struct {
	Check   string             `json:"check"` // stable id, e.g. missing-rate, unseen-values, constant
	Verdict tallystick.Verdict `json:"verdict"`
	Words   string             `json:"words"`
}
