package tallystick

import "strings"

// The bounds of Nearest: names beyond them are not looked at.
const (
	nearestNames  = 4096
	nearestLength = 256
)

// Nearest returns the name with the smallest edit distance to want, letter case aside, or the empty
// string if more than a third of the letters, and one, would have to change. It is what a NotFound
// error suggests.
func Nearest(want string, names []string) string {
	want = strings.ToLower(want)
	if len(want) > nearestLength {
		return ""
	}
	best, bestDistance := "", len(want)/3+2
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
