package journal

import (
	"encoding/json"
	"fmt"
	"time"
)

// Beginning is what the first frame of a shard says.
type Beginning struct {
	Shard Shard `json:"shard"`
	// Behind is the last frame before the shard that could be read in order, if there was one.
	Behind Receipt `json:"behind"`
	// Gap is what is missing between the two, if anything.
	Gap *Gap `json:"gap,omitempty"`
}

// Gap is a range of a shard that was acknowledged, in whole or in part, and is damaged or lost.
type Gap struct {
	Shard Shard `json:"shard"`
	// From and To are the first and the last sequence of the range. To is 0 if nobody knows how far the
	// journal reached, because its mark is lost too.
	From uint64 `json:"from"`
	To   uint64 `json:"to"`
	What string `json:"what"`
	// Unsure says that perhaps nobody was told of the range: it was the last that was written, and the
	// machine may have lost its power before it was acknowledged.
	Unsure bool `json:"unsure,omitempty"`
	// Quarantine says where what is left of the damaged journal was put.
	Quarantine string `json:"quarantine,omitempty"`
	// Salvaged is the number of batches of the range that could still be read. They follow the
	// beginning, marked as such.
	Salvaged int `json:"salvaged"`
	// Lost are the sequences of the range that could not.
	Lost []Range `json:"lost,omitempty"`
}

// Range is the sequences from From to To, both included.
type Range struct {
	From uint64 `json:"from"`
	To   uint64 `json:"to"`
}

func (g *Gap) String() string {
	return fmt.Sprintf("shard %s, sequences %d to %d: %s", g.Shard, g.From, g.To, g.What)
}

// frame returns the beginning as the frame of the sequence, and its hash.
func (b *Beginning) frame(sequence uint64, at time.Time) ([]byte, Hash, error) {
	payload, err := json.Marshal(b)
	if err != nil {
		return nil, Hash{}, err
	}
	f := newFrame(kindShard, BatchID{}, 0, payload)
	return f, place(f, b.Shard, sequence, at, b.Behind.Head), nil
}

func (f *frame) beginning() (*Beginning, error) {
	var b Beginning
	if err := json.Unmarshal(f.payload, &b); err != nil {
		return nil, fmt.Errorf("%w: the first frame of shard %s: %w", errDamaged, f.shard, err)
	}
	return &b, nil
}
