package contract

import (
	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/stat"
)

// Result is the outcome of checking one table against one contract.
type Result struct {
	Contract tallystick.Digest  `json:"contract_digest"`
	Name     string             `json:"name"`
	Checks   []Check            `json:"checks"` // one for every expectation, passes too
	Verdict  tallystick.Verdict `json:"verdict"`
}

// Check is one expectation and what was found.
type Check struct {
	ID       string             `json:"id"` // stable: COLUMN.expectation, e.g. age.range
	Column   string             `json:"column,omitempty"`
	Title    string             `json:"title"`
	Expected string             `json:"expected"`
	Found    string             `json:"found"`
	Count    int64              `json:"count"`             // offending rows
	Share    stat.Number        `json:"share"`             // of the rows looked at; null where rows do not offend one by one
	Example  string             `json:"example,omitempty"` // first offending row and value
	Verdict  tallystick.Verdict `json:"verdict"`
	Words    string             `json:"words"`
}
