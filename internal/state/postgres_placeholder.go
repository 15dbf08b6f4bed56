package state

import (
	"strconv"
	"strings"
)

// numbered returns the statement with its placeholders "?" in PostgreSQL's form, "$1" and so on. It
// leaves alone what stands in quotes or in comments.
func numbered(query string) string {
	var b strings.Builder
	n := 0
	for query != "" {
		end := strings.IndexAny(query, "?'\"-/")
		if end < 0 {
			break
		}
		b.WriteString(query[:end])
		query = query[end:]
		if query[0] == '?' {
			n++
			b.WriteString("$" + strconv.Itoa(n))
			query = query[1:]
			continue
		}
		end = opaque(query)
		b.WriteString(query[:end])
		query = query[end:]
	}
	b.WriteString(query)
	return b.String()
}

// opaque returns the length of what query begins with: a text or a name in quotes, a comment, or else
// one byte. What is not ended goes on to the end.
func opaque(query string) int {
	opening, closing := 1, query[:1] // a quote; one inside is doubled, and so looks like two texts in a row
	switch {
	case strings.HasPrefix(query, "--"):
		opening, closing = 2, "\n"
	case strings.HasPrefix(query, "/*"):
		opening, closing = 2, "*/"
	case query[0] != '\'' && query[0] != '"':
		return 1
	}
	end := strings.Index(query[opening:], closing)
	if end < 0 {
		return len(query)
	}
	return opening + end + len(closing)
}
