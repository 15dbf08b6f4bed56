package table

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tallystick/tallystick"
)

// header reads the header of a file. That of the first names the columns; the others must have the
// same names, in any order. It returns the column of each field.
func (l *csvLoader) header(in *input, records *csvReader) ([]int, error) {
	fields, err := records.next()
	if errors.Is(err, io.EOF) {
		return nil, tallystick.Errorf(tallystick.Invalid, "%s holds nothing but empty lines", in.path).
			WithHint("give a file with a header and at least one row")
	}
	if err != nil {
		return nil, l.explain(place{path: in.path}, nil, err)
	}
	if len(fields) > l.opt.MaxColumns {
		return nil, tallystick.Errorf(tallystick.Invalid, "%s has %d columns, more than %d", in.path, len(fields), l.opt.MaxColumns).
			WithHint("leave some out, or check the delimiter (%q was used)", records.delimiter)
	}
	for j, field := range fields {
		if !utf8.Valid(field) {
			return nil, l.explain(place{path: in.path}, nil, &syntaxError{records.line, j, "the name is not UTF-8 text", "save the file as UTF-8"})
		}
	}
	if noHeader(fields) {
		return nil, tallystick.Errorf(tallystick.Invalid, "%s: the first line holds only numbers", in.path).
			WithHint("put a line with the names of the columns above it")
	}
	names, warnings := columnNames(in.path, fields)
	if l.names == nil {
		l.firstPath = in.path
		if err := l.opt.checkNames(in.path, names); err != nil {
			return nil, err
		}
		l.begin(names)
		if records.delimiter != ',' && l.opt.Delimiter == 0 {
			warnings = append(warnings, fmt.Sprintf("%s is read with %q between fields, judging by its header", in.path, records.delimiter))
		}
	}
	if !l.second {
		l.warnings = append(l.warnings, warnings...)
	}
	return matchNames(in.path, names, l.firstPath, l.names)
}

// begin sets up a builder for each column. Wide tables get shorter blocks, so that the pending one
// stays a small part of the budget.
func (l *csvLoader) begin(names []string) {
	l.names, l.room = names, l.opt.dictionaryRoom()
	for _, name := range names {
		b := newBuilder(name, l.opt.forced(name), newDictionary(&l.room), &l.bulk)
		b.exact = l.opt.Exact
		l.builders = append(l.builders, b)
	}
	l.store.columns = make([][]segment, len(names))
	l.blockRows = int(min(MaxBlockRows, max(512, l.opt.MemoryBudget/int64(64*len(names)))))
	l.blockBulk = int(min(1<<30, max(1<<20, l.opt.MemoryBudget/8)))
}

// noHeader reports whether the first record looks like data: numbers only, and not just 0 1 2 ...,
// with which people number the columns of a matrix.
func noHeader(fields [][]byte) bool {
	counting := true
	for j, field := range fields {
		if _, _, ok := parseNumber(trimBlanks(field)); !ok || isNaN(trimBlanks(field)) {
			return false
		}
		counting = counting && string(field) == strconv.Itoa(j)
	}
	return !counting
}

// columnNames trims names and makes them unique: the second "a" becomes "a.1", a missing name
// "unnamed.2" if its column is the second.
func columnNames(path string, fields [][]byte) (names, warnings []string) {
	taken := make(map[string]bool, len(fields))
	for _, field := range fields {
		taken[string(trimBlanks(field))] = true
	}
	used := make(map[string]bool, len(fields))
	tries := make(map[string]int) // by first name: a header may repeat one name thousands of times
	unique := func(first string) string {
		for {
			tries[first]++
			if name := fmt.Sprintf("%s.%d", first, tries[first]); !taken[name] {
				return name
			}
		}
	}
	for j, field := range fields {
		name := string(trimBlanks(field))
		switch {
		case name == "":
			if name = fmt.Sprintf("unnamed.%d", j+1); taken[name] {
				name = unique(name)
			}
			warnings = append(warnings, fmt.Sprintf("%s: column %d has no name and is called %q", path, j+1, name))
		case used[name]:
			first := name
			name = unique(first)
			warnings = append(warnings, fmt.Sprintf("%s: column %d is also named %q and is called %q", path, j+1, first, name))
		}
		taken[name], used[name] = true, true
		names = append(names, name)
	}
	return names, warnings
}

// matchNames returns the index in want of each of names, or an error if they are not the same ones.
func matchNames(path string, names []string, firstPath string, want []string) ([]int, error) {
	order := make([]int, len(names))
	if slices.Equal(names, want) {
		for j := range order {
			order[j] = j
		}
		return order, nil
	}
	differ := func(what string, name string) error {
		return tallystick.Errorf(tallystick.Invalid, "%s %s %q, unlike %s", path, what, strings.ToValidUTF8(name, "?"), firstPath).
			WithHint("files of one table have the same columns: read them apart or make them alike")
	}
	index := make(map[string]int, len(want))
	for i, name := range want {
		index[name] = i
	}
	for j, name := range names {
		i, ok := index[name]
		if !ok {
			return nil, differ("has a column", name)
		}
		order[j] = i
		delete(index, name)
	}
	for _, name := range want {
		if _, missing := index[name]; missing {
			return nil, differ("has no column", name)
		}
	}
	return order, nil
}
