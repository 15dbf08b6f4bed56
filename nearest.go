package tallystick

import (
	"cmp"
	"slices"
	"strings"
)

// The bounds of Nearest and Nearby: names beyond them are not looked at.
const (
	nearestNames  = 20_000
	nearestLength = 256
)

// Nearest returns the name with the smallest edit distance to want, letter case aside, or the empty
// string if more than a third of the letters, and more than one, would have to change. It is what a NotFound
// error suggests.
func Nearest(want string, names []string) string {
	want = strings.ToLower(want)
	if len(want) > nearestLength {
		return ""
	}
	best, bestDistance := "", maxEdits(want)+1
	for _, name := range names[:min(len(names), nearestNames)] {
		if len(name) > nearestLength {
			continue
		}
		if d := editDistance(want, strings.ToLower(name), bestDistance); d < bestDistance {
			best, bestDistance = name, d
		}
	}
	return best
}

// Nearby returns the names that are as near to want as Nearest asks for, and those that begin with it,
// the nearest first and most at the most.
func Nearby(want string, names []string, most int) []string {
	type candidate struct {
		name     string
		distance int
	}
	want = strings.ToLower(want)
	limit := maxEdits(want) + 1
	if len(want) > nearestLength {
		return nil
	}
	var found []candidate
	for _, name := range names[:min(len(names), nearestNames)] {
		if len(name) > nearestLength {
			continue
		}
		lower := strings.ToLower(name)
		d := editDistance(want, lower, limit)
		if d == limit && want != "" && strings.HasPrefix(lower, want) {
			d = limit - 1
		}
		if d < limit {
			found = append(found, candidate{name, d})
		}
	}
	slices.SortFunc(found, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.distance, b.distance), cmp.Compare(a.name, b.name))
	})
	var near []string
	for _, c := range found[:min(most, len(found))] {
		near = append(near, c.name)
	}
	return near
}

// maxEdits is how many letters of a word may be mistyped: a third of them, and one at least. Letters that
// have changed places count twice.
func maxEdits(word string) int { return max(1, (len(word)+1)/3) }

// editDistance counts the insertions, deletions and substitutions of bytes that turn a into b. It
// returns limit once the answer cannot be smaller.
func editDistance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		least := row[0]
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
			least = min(least, row[j+1])
		}
		if least >= limit {
			return limit
		}
	}
	return row[len(b)]
}
