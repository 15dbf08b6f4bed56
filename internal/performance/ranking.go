package performance

// Query is one ranked list: the gain (relevance) of each item, best rank first.
type Query struct {
	Gains []float64
	Items []uint32 // by rank; nil where items are not known
}

// OfQueries measures ranked lists at the cut-off k. catalogue is the number of different items
// that could be shown, 0 if it is not known.
func OfQueries(queries []Query, k, catalogue int) *Performance {
	return &Performance{Task: Ranking, N: int64(len(queries)), K: k}
}
