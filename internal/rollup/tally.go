package rollup

import (
	"encoding/binary"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/window"
)

// Tally is what was counted of some predictions. Tallies of the same rules merge exactly, in any order.
type Tally struct {
	Profile     *window.Profile // nil without a reference
	Predictions int64
	Counts      []int64 // of the rules' conditions, in their order
}

// Merge takes in another tally of the same rules.
func (t *Tally) Merge(o *Tally) error {
	if t.Profile != nil {
		if err := t.Profile.Merge(o.Profile); err != nil {
			return err
		}
	}
	t.Predictions += o.Predictions
	for i, n := range o.Counts {
		t.Counts[i] += n
	}
	return nil
}

// form is the first byte of a tally; another form has another.
const form = 1

// marshal returns the tally as it is kept: equal tallies, equal bytes.
func (t *Tally) marshal() ([]byte, error) {
	data := binary.AppendUvarint([]byte{form}, uint64(t.Predictions))
	for _, n := range t.Counts {
		data = binary.AppendUvarint(data, uint64(n))
	}
	if t.Profile == nil {
		return data, nil
	}
	profile, err := t.Profile.Marshal()
	return append(data, profile...), err
}

// parseTally reads what marshal has written of a reference, nil if there is none, and so many counts.
func parseTally(data []byte, reference *window.Reference, counts int) (*Tally, error) {
	t := &Tally{Counts: make([]int64, counts)}
	if len(data) == 0 || data[0] != form {
		return nil, tallystick.Errorf(tallystick.Invalid, "tally is not of form %d", form)
	}
	data = data[1:]
	for i := -1; i < counts; i++ {
		n, size := binary.Uvarint(data)
		if size <= 0 || n > 1<<40 {
			return nil, tallystick.Errorf(tallystick.Invalid, "tally is cut short or out of range")
		}
		if data = data[size:]; i < 0 {
			t.Predictions = int64(n)
		} else {
			t.Counts[i] = int64(n)
		}
	}
	if reference == nil {
		if len(data) > 0 {
			return nil, tallystick.Errorf(tallystick.Invalid, "tally has %d bytes behind its end", len(data))
		}
		return t, nil
	}
	var err error
	t.Profile, err = reference.ParseProfile(data)
	return t, err
}
