package segment

import (
	"context"
	"iter"

	"github.com/tallystick/tallystick"
)

// Shelf is a row of files of one model, of which those are open that somebody reads: there can be any number.
type Shelf struct {
	size int
	open func(ctx context.Context, number int) (*Piece, error)
}

// Piece is an open file of a shelf. Only the rows from First to End, exclusive, belong to its place on the shelf: a file that
// others were joined with has more.
type Piece struct {
	*File
	Number     int // on the shelf
	First, End int64
	release    func()
}

// NewShelf returns a shelf of so many files. A file that open does not find any more, because its time was over, is a NotFound
// error, and is left out of All.
func NewShelf(size int, open func(ctx context.Context, number int) (*Piece, error)) *Shelf {
	return &Shelf{size, open}
}

// NewPiece returns a whole file. Release is called when the piece is closed.
func NewPiece(f *File, number int, release func()) *Piece {
	return &Piece{File: f, Number: number, End: f.rows, release: release}
}

// Narrow leaves the rows of neighbouring parts, the first and the last of which have these names. It reports whether the file
// has them.
func (p *Piece) Narrow(first, last string) bool {
	p.First, p.End = -1, -1
	row := int64(0)
	for _, part := range p.meta.Parts {
		if part.Segment == first {
			p.First = row
		}
		if row += part.Count; part.Segment == last {
			p.End = row
		}
	}
	return p.First >= 0 && p.End > p.First
}

// Close gives the file back. It must be called once.
func (p *Piece) Close() { p.release() }

// Len returns the number of files.
func (s *Shelf) Len() int { return s.size }

// Open opens the file with this number, which the caller closes.
func (s *Shelf) Open(ctx context.Context, number int) (*Piece, error) { return s.open(ctx, number) }

// All opens the files in their order, and closes each when the next is asked for.
func (s *Shelf) All(ctx context.Context) iter.Seq2[*Piece, error] {
	return func(yield func(*Piece, error) bool) {
		for number := range s.size {
			piece, err := s.open(ctx, number)
			if tallystick.CodeOf(err) == tallystick.NotFound {
				continue
			}
			if err != nil {
				yield(nil, err)
				return
			}
			more := yield(piece, nil)
			piece.Close()
			if !more {
				return
			}
		}
	}
}
