package catalog

import (
	"cmp"
	"slices"
	"strings"

	"github.com/tallystick/tallystick/internal/state"
)

const (
	maxNearest = 3      // names in a hint
	maxNames   = 20_000 // looked at for them
)

// hintNearest returns the names most like name of those that query selects, in words for a hint, or
// otherwise if none is like it.
func hintNearest(tx *state.Tx, otherwise, name, query string, args ...any) (string, error) {
	rows, err := tx.Query(query+" LIMIT ?", append(args, maxNames)...)
	if err != nil {
		return "", err
	}
	var names []string
	for rows.Next() {
		var n string
		if err := rows.Scan(&n); err != nil {
			return "", err
		}
		names = append(names, n)
	}
	if err := rows.Err(); err != nil {
		return "", err
	}
	if near := nearest(name, names); len(near) > 0 {
		return "there is " + strings.Join(near, ", "), nil
	}
	return otherwise, nil
}

// nearest returns up to maxNearest names that differ from name in a third of its letters at most, or
// that begin with it, the most alike first.
func nearest(name string, names []string) []string {
	type candidate struct {
		name string
		far  int
	}
	var found []candidate
	folded := strings.ToLower(name)
	for _, n := range names {
		other := strings.ToLower(n)
		limit := max(1, len(folded)/3)
		far := limit + 1
		if d := len(other) - len(folded); -limit <= d && d <= limit {
			far = distance(folded, other)
		}
		if far > limit && folded != "" && strings.HasPrefix(other, folded) {
			far = limit
		}
		if far <= limit {
			found = append(found, candidate{n, far})
		}
	}
	slices.SortFunc(found, func(a, b candidate) int { return cmp.Or(cmp.Compare(a.far, b.far), cmp.Compare(a.name, b.name)) })
	var near []string
	for _, c := range found[:min(maxNearest, len(found))] {
		near = append(near, c.name)
	}
	return near
}

// distance is the Levenshtein distance of a and b in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
