package objective

import (
	"context"
	"time"

	"github.com/tallystick/tallystick/internal/comparison"
)

// pairs counts inputs that two versions answered: any other version, or the one that the document names, and the one that it
// is to agree with.
type pairs struct {
	office *Office
	doc    *Document
}

func (p *pairs) newest(ctx context.Context, until uint64) (uint64, error) {
	return (&records{office: p.office, doc: p.doc}).newest(ctx, until)
}

// touched returns more than when records came in: an answer can change the pairs until twice as long after it as the second answer
// may come.
func (p *pairs) touched(ctx context.Context, from time.Time, earlier, later mark) ([]Stretch, error) {
	reach := 2 * p.doc.Parameters.Agreement.Within
	all, err := (&records{office: p.office, doc: p.doc}).touched(ctx, from.Add(-reach), earlier, later)
	for i := range all {
		all[i].To = all[i].To.Add(reach)
	}
	return all, err
}

func (p *pairs) count(ctx context.Context, s Stretch, until uint64, add func(at time.Time, good bool)) error {
	champions, err := p.office.reigns(ctx, p.doc)
	if err != nil {
		return err
	}
	d := p.doc
	party := func(version string, at time.Time) comparison.Party {
		incumbent := version == d.Parameters.Against
		if d.Parameters.Against == champion {
			incumbent = champions.had(version, at)
		}
		switch {
		case incumbent:
			return comparison.Incumbent
		case d.Version == "" || d.Version == version:
			return comparison.Candidate
		}
		return comparison.Neither
	}
	q := d.selection(s)
	q.Registered = until
	return d.Parameters.Agreement.Count(ctx, p.office.config.Asker, q, party, add)
}
