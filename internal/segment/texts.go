package segment

const (
	placeBits = 20             // of a place within a block
	blockSize = 1 << placeBits // no record, and nothing that is made of one, has more
)

// blocks keep bytes where they are.
type blocks struct {
	all  [][]byte
	open int // the last block that has bytes
}

// reset empties b. Memory that was not needed is given back.
func (b *blocks) reset() {
	b.all = b.all[:min(len(b.all), b.open+1)]
	for i := range b.all {
		b.all[i] = b.all[i][:0]
	}
	b.open = 0
}

// keep copies data and returns the copy and its place.
func (b *blocks) keep(data []byte) (kept []byte, place uint64) {
	if len(b.all) == 0 {
		b.all = append(b.all, make([]byte, 0, blockSize))
	}
	if len(b.all[b.open])+len(data) > blockSize {
		if b.open++; b.open == len(b.all) {
			b.all = append(b.all, make([]byte, 0, blockSize))
		}
	}
	block := &b.all[b.open]
	from := len(*block)
	*block = append(*block, data...)
	return (*block)[from:len(*block):len(*block)], uint64(b.open)<<placeBits | uint64(from)
}

// A text of a row group is a number, so that columns hold no pointers: row, place in its encoding and length
// of what a record has, 1<<63 with place and length of what was made.
const madeText = 1 << 63

func textIn(row int, at, n uint32) uint64 { return uint64(row)<<32 | uint64(at)<<16 | uint64(n) }

// text returns a text.
func (g *group) text(text uint64) []byte {
	if text < madeText {
		at, n := text>>16&0xffff, text&0xffff
		return g.rows[text>>32].encoding[at : at+n]
	}
	place, n := text&^madeText>>32, text&(1<<32-1)
	at := place & (blockSize - 1)
	return g.made.all[place>>placeBits][at : at+n]
}

// keep keeps what is to be a text.
func (g *group) keep(b []byte) uint64 {
	_, place := g.made.keep(b)
	return madeText | place<<32 | uint64(len(b))
}
