// Package profile describes a table column by column, in a few kilobytes that can leave the machine
// on which the data lie: how much is missing, how many values there are, how they are spread. Two
// profiles can be compared long after the data are gone.
//
// A profile is deterministic: the same data and options give the same bytes. Of columns labelled
// personal, sensitive or secret it holds counts alone, and no value of any row. Of other columns it
// holds quantiles, and those values of a category that at least Options.MinCount rows share.
package profile

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/tallystick/tallystick"
)

// Schema is the version of the encoding, its "schema" member.
const Schema = "tallystick.profile/v1"

// The bounds of a profile.
const (
	MaxColumns = 4096
	MaxBytes   = 4 << 20 // of its encoding
	MaxTop     = 64      // values of one column

	maxText = 256     // bytes of a name or a value
	maxRows = 1 << 53 // what a JSON number holds exactly
	steps   = 100     // quantiles are percentiles: 0, 1, ..., 100
)

// Kind is what the values of a column are, in the words of package table.
type Kind string

// The four kinds.
const (
	Number   Kind = "number"
	Category Kind = "category"
	Time     Kind = "time" // values are milliseconds since 1970 UTC
	Text     Kind = "text"
)

// Profile describes a table.
type Profile struct {
	Schema  string            `json:"schema" doc:"Version of the encoding."`
	Digest  tallystick.Digest `json:"digest" doc:"Digest of the data."`
	Rows    int64             `json:"rows" doc:"Rows of the data."`
	Columns []Column          `json:"columns" doc:"The columns in the order of the data."`
}

// Column describes one column.
type Column struct {
	Name     string `json:"name" doc:"Name of the column."`
	Kind     Kind   `json:"kind" enum:"number,category,time,text" doc:"What the values are."`
	Type     string `json:"type,omitempty" doc:"The type that the file states or shows."`
	Withheld bool   `json:"withheld,omitempty" doc:"True: the column is labelled, and only counts are given."`
	Fault    string `json:"fault,omitempty" doc:"Why the column could not be read; nothing else is known of it then."`

	Missing   int64 `json:"missing" doc:"Rows without a value."`
	NonFinite int64 `json:"non_finite,omitempty" doc:"Rows whose number is NaN or infinite."`
	// Distinct counts the different values: exactly up to 4,096 and for categories, else within 5 %.
	Distinct int64 `json:"distinct" doc:"Different values; an estimate above 4,096."`

	Numbers *Numbers `json:"numbers,omitempty" doc:"How numbers or times are spread."`
	Top     []Value  `json:"top,omitempty" doc:"The most frequent values, most frequent first."`
}

// Numbers says how the finite values of a column are spread.
type Numbers struct {
	Mean float64 `json:"mean" doc:"Mean of the finite values."`
	SD   float64 `json:"sd" doc:"Population standard deviation."`
	// Percentiles are the quantiles 0, 0.01, ..., 1 (type 7): 101 of them.
	Percentiles []float64 `json:"percentiles" doc:"The quantiles 0, 0.01, ..., 1; the first is the minimum, the last the maximum."`
	// Sampled is the number of values behind the percentiles between the first and the last, if not all.
	Sampled int64 `json:"sampled,omitempty" doc:"Values behind the percentiles, if they are a sample."`
}

// Min returns the smallest value.
func (n Numbers) Min() float64 { return n.Percentiles[0] }

// Max returns the largest value.
func (n Numbers) Max() float64 { return n.Percentiles[steps] }

// Median returns the quantile 0.5.
func (n Numbers) Median() float64 { return n.Percentiles[steps/2] }

// Value is a value of a category, or of a number column with few different ones, and how many rows
// hold it.
type Value struct {
	Value string `json:"value" doc:"The value as text."`
	Count int64  `json:"count" doc:"Rows that hold it."`
}

// Column returns the column of that name, or false.
func (p Profile) Column(name string) (Column, bool) {
	for _, c := range p.Columns {
		if c.Name == name {
			return c, true
		}
	}
	return Column{}, false
}

// Present returns the rows of the column that hold a value, NaN and infinite ones included.
func (c Column) Present(rows int64) int64 { return rows - c.Missing }

// Marshal returns the encoding of p, of which the digest names it, or an Invalid error for a profile
// that contradicts itself.
func (p Profile) Marshal() ([]byte, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	raw, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("marshal profile: %w", err)
	}
	if len(raw) > MaxBytes {
		return nil, tallystick.Errorf(tallystick.Invalid, "the profile takes %d bytes, the limit is %d", len(raw), MaxBytes).
			WithHint("profile fewer columns")
	}
	return raw, nil
}

// Parse reads what Marshal wrote. The data may come from outside.
func Parse(data []byte) (Profile, error) {
	if len(data) > MaxBytes {
		return Profile{}, tallystick.Errorf(tallystick.Invalid, "the profile takes %d bytes, the limit is %d", len(data), MaxBytes)
	}
	var p Profile
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		return Profile{}, tallystick.Errorf(tallystick.Invalid, "profile: %w", err)
	}
	if d.More() {
		return Profile{}, tallystick.Errorf(tallystick.Invalid, "profile: something follows it")
	}
	return p, p.Validate()
}
