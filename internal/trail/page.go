package trail

import (
	"context"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/tallystick/tallystick/internal/state"
)

// A page is read in at most so many shares, of at least so many events. The events of one model or person lie anywhere in
// the file, and each that the system does not hold costs a read from the disk, for which the one session would wait.
const (
	maxShares = 4
	minShare  = 32
)

// page reads events in the order of their sequences, which tx has chosen. Sessions that nobody uses take shares of it;
// what they see is later, and differs by disclosures that were erased meanwhile.
func (r *Reader) page(ctx context.Context, tx *state.Tx, skim func(leaf []byte) bool, sequences []int64) ([]Event, error) {
	shares := slices.Collect(slices.Chunk(sequences, max(minShare, (len(sequences)+maxShares-1)/maxShares)))
	if len(shares) == 1 {
		return readListed(tx, skim, shares[0])
	}
	found := make([][]Event, len(shares))
	next := make(chan int, len(shares))
	for i := range shares {
		next <- i
	}
	close(next)
	work := func(tx *state.Tx) (err error) {
		for i := range next {
			if found[i], err = readListed(tx, skim, shares[i]); err != nil {
				return err
			}
		}
		return nil
	}
	group, ctx := errgroup.WithContext(ctx)
	for range len(shares) - 1 {
		group.Go(func() error {
			_, err := r.db.TryRead(ctx, work)
			return err
		})
	}
	own := work(tx)
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return slices.Concat(found...), own
}

// readListed reads events by their sequences, which rise or fall, in that order.
func readListed(tx *state.Tx, skim func(leaf []byte) bool, sequences []int64) ([]Event, error) {
	args, order := make([]any, len(sequences)), ""
	for i, s := range sequences {
		args[i] = s
	}
	if len(args) > 1 && sequences[0] > sequences[1] {
		order = " DESC"
	}
	return read(tx, skim, "v.sequence IN (?"+strings.Repeat(", ?", len(args)-1)+") ORDER BY v.sequence"+order, args...)
}

func scanSequence(row state.Scanner) (s int64, err error) {
	err = row.Scan(&s)
	return s, err
}
