package rollup

// Interrupt lets f happen between counting a batch and writing it.
func (s *Store) Interrupt(f func()) { s.counted = f }

// Marshal is marshal.
func (t *Tally) Marshal() ([]byte, error) { return t.marshal() }
