package verify

import (
	"errors"
	"fmt"

	"github.com/tallystick/tallystick"
)

func (v *bundleVerifier) checkEvents() error {
	v.recorded = map[tallystick.Digest]uint64{}
	var next uint64 // lowest index that the next event can have
	for _, files := range v.manifest.Events {
		index, err := v.checkEvent(files)
		if err != nil {
			return err
		}
		if index < next {
			return &namedError{"event", files.Leaf, fmt.Errorf("has index %d, not above that of the event before it", index)}
		}
		next = index + 1
	}
	return nil
}

func (v *bundleVerifier) checkEvent(files EventFiles) (index uint64, err error) {
	leaf, _ := v.archive.File(files.Leaf)
	event, err := DecodeEvent(leaf)
	if err == nil && event.Sequence != files.Sequence {
		err = fmt.Errorf("has the sequence %d", event.Sequence)
	}
	if err != nil {
		return 0, &namedError{"event", files.Leaf, err}
	}
	data, _ := v.archive.File(files.Proof)
	proof, err := ParseProof(data)
	if checkpoint, _ := v.archive.File(CheckpointFile); err == nil && string(proof.Checkpoint) != string(checkpoint) {
		err = errors.New("is not about the bundle's checkpoint")
	}
	if err == nil {
		err = proof.Verify(leaf, v.checkpoint)
	}
	if err != nil {
		return 0, &namedError{"inclusion", files.Proof, err}
	}
	disclosed := 0
	if files.Disclosures != "" {
		if disclosed, err = v.checkDisclosures(event, files.Disclosures); err != nil {
			return 0, &namedError{"disclosures", files.Disclosures, err}
		}
	}
	for d := range clearDigests(event.Data) {
		if first, ok := v.recorded[d]; !ok || proof.Index < first {
			v.recorded[d] = proof.Index
		}
	}
	v.result.ok("event", files.Leaf, "%s, entry %d of the ledger, %d of %d sealed fields shown", event.Type, proof.Index, disclosed, len(event.Commitments()))
	return proof.Index, nil
}

func (v *bundleVerifier) checkDisclosures(event SealedEvent, name string) (int, error) {
	data, _ := v.archive.File(name)
	var ds []Disclosure
	if err := decodeCanonical(name, data, &ds); err != nil {
		return 0, err
	}
	if _, err := event.Open(ds); err != nil {
		return 0, err
	}
	return len(ds), nil
}

// clearDigests returns the digests that stand in the clear anywhere in an event's data.
func clearDigests(value any) map[tallystick.Digest]bool {
	found := map[tallystick.Digest]bool{}
	var walk func(any)
	walk = func(value any) {
		switch value := value.(type) {
		case string:
			if d := tallystick.Digest(value); d.Validate() == nil {
				found[d] = true
			}
		case []any:
			for _, element := range value {
				walk(element)
			}
		case map[string]any:
			if _, sealed := commitmentOf(value); sealed {
				return
			}
			for _, member := range value {
				walk(member)
			}
		}
	}
	walk(value)
	return found
}
