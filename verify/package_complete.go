package verify

import (
	"errors"
	"fmt"
)

// follows refuses a gap in the stretch that is said to be whole.
func (v *packageVerifier) follows(event SealedEvent, last uint64) error {
	whole := v.index.Complete
	switch {
	case whole == nil:
		return nil
	case event.Sequence > whole.First && event.Sequence <= whole.Last && event.Sequence != last+1:
		return fmt.Errorf("event %d is followed by event %d in what is said to be complete", last, event.Sequence)
	case event.Sequence == whole.First:
		v.ends[0] = event
	}
	if event.Sequence == whole.Last {
		v.ends[1] = event
	}
	return nil
}

// checkComplete checks that the stretch that is whole has all of the period in it.
func (v *packageVerifier) checkComplete() error {
	const check = "completeness"
	whole := v.index.Complete
	if whole == nil {
		v.result.skip(check, "events", "not proved: that nothing about %s was left out can be seen only in the whole ledger; ask for an export with --complete, or count there: %d", v.index.Name(), v.index.Events.About)
		return nil
	}
	first, last := v.ends[0], v.ends[1]
	var err error
	switch {
	case first.Sequence == 0 || last.Sequence == 0:
		err = errors.New("an end of the stretch that is said to be complete is missing")
	case first.Sequence != 1 && (v.from.IsZero() || !first.Time.Before(v.from)):
		err = fmt.Errorf("its first event, %d, is not before the period", first.Sequence)
	case last.Time.Before(v.until) && last.Sequence != v.index.Export:
		err = fmt.Errorf("its last event, %d, is not after the period", last.Sequence)
	}
	if err != nil {
		return &namedError{check, "events", err}
	}
	v.result.ok(check, "events", "every event from %d to %d is here: of %s nothing was left out between them", whole.First, whole.Last, v.index.Name())
	return nil
}

// notProved returns the limits of what a package can show.
func (v *packageVerifier) notProved() []string {
	lines := []string{
		"that what was submitted is true: the ledger proves that it was not altered after it was recorded",
		"that everything that happened was recorded: what nobody put on the trail is not here",
		"when anything happened: times are the recorder's claim, the ledger proves only the order",
	}
	if v.index.Complete == nil {
		lines = append(lines, "that nothing recorded about "+orName(v.index.Name(), "the model")+" was left out of the package: that can be seen only in the whole ledger, or in an export with --complete")
	}
	lines = append(lines, "that the words in README.md, index.html and history.txt are right: the exporter vouches for them, and the events are what is proved")
	all := notProved(v.checkpoint)
	return append(lines, all[len(all)-1]) // about witnesses
}

func orName(name, otherwise string) string {
	if name == "" {
		return otherwise
	}
	return name
}
