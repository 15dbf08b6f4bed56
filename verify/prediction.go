package verify

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/prediction"
)

// PredictionSchema identifies the format of the proof of one prediction.
const PredictionSchema = "https://github.com/tallystick/tallystick/schema/prediction-proof/v1"

// SegmentSealed is the type of the event that registers a segment of predictions.
const SegmentSealed = "io.github.tallystick.prediction.segment.sealed.v1"

// maxPredictionProof bounds the proof of one prediction: a record of 64 KiB as JSON, and a tlog-proof.
const maxPredictionProof = 1 << 20

// PredictionProof is the proof of one prediction: the record, its place in the tree of a segment, and the event that
// registered the root of that tree, with its proof under a signed checkpoint.
type PredictionProof struct {
	Record  json.RawMessage   // in its canonical JSON form, from which the encoding follows
	Leaf    tallystick.Digest // SHA-256 over a zero byte and the encoding
	Segment string            // under which the root was registered
	Root    tallystick.Digest // of the RFC 6962 tree over the leaves of the segment
	Index   uint64            // of the record in it
	Size    uint64            // records of the segment
	Hashes  [][sha256.Size]byte
	Event   InclusionProof // with the leaf of the event as its extra data
}

// predictionFile is the proof as it is written.
type predictionFile struct {
	Schema  string            `json:"schema"`
	Record  json.RawMessage   `json:"record"`
	Leaf    tallystick.Digest `json:"leaf_digest"`
	Segment string            `json:"segment"`
	Root    tallystick.Digest `json:"root_digest"`
	Index   uint64            `json:"index"`
	Size    uint64            `json:"size"`
	Hashes  []string          `json:"hashes"`
	Event   string            `json:"event_proof"`
}

// Marshal returns the file of p: JSON on one line.
func (p PredictionProof) Marshal() ([]byte, error) {
	f := predictionFile{
		Schema: PredictionSchema, Record: p.Record, Leaf: p.Leaf, Segment: p.Segment, Root: p.Root, Index: p.Index, Size: p.Size,
		Hashes: make([]string, len(p.Hashes)), Event: string(p.Event.Marshal()),
	}
	for i, hash := range p.Hashes {
		f.Hashes[i] = hex.EncodeToString(hash[:])
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(f); err != nil {
		return nil, fmt.Errorf("encode the proof of a prediction: %w", err)
	}
	return out.Bytes(), nil
}

// ParsePredictionProof reads the proof of one prediction. It accepts what Marshal writes and nothing else. Nothing in it
// has been verified.
func ParsePredictionProof(data []byte) (p PredictionProof, err error) {
	if len(data) > maxPredictionProof {
		return p, tallystick.Errorf(tallystick.Invalid, "proof of a prediction is longer than %d bytes", maxPredictionProof)
	}
	var f predictionFile
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&f); err != nil {
		return p, tallystick.Errorf(tallystick.Invalid, "proof of a prediction: %w", err)
	}
	if f.Schema != PredictionSchema {
		return p, tallystick.Errorf(tallystick.Invalid, "proof of a prediction has the schema %.80q, want %s", f.Schema, PredictionSchema)
	}
	if f.Leaf.Validate() != nil || f.Root.Validate() != nil || len(f.Hashes) > 64 {
		return p, tallystick.Errorf(tallystick.Invalid, "proof of a prediction has no leaf, no root, or more than 64 hashes")
	}
	p = PredictionProof{Record: f.Record, Leaf: f.Leaf, Segment: f.Segment, Root: f.Root, Index: f.Index, Size: f.Size, Hashes: make([][sha256.Size]byte, len(f.Hashes))}
	for i, text := range f.Hashes {
		if len(text) != 2*sha256.Size {
			return p, tallystick.Errorf(tallystick.Invalid, "proof of a prediction: hash %d is not one", i)
		}
		if _, err := hex.Decode(p.Hashes[i][:], []byte(text)); err != nil {
			return p, tallystick.Errorf(tallystick.Invalid, "proof of a prediction: hash %d: %w", i, err)
		}
	}
	if p.Event, err = ParseProof([]byte(f.Event)); err != nil {
		return p, fmt.Errorf("event of the segment: %w", err)
	}
	again, err := p.Marshal()
	if err != nil || !bytes.Equal(again, data) {
		return p, tallystick.Errorf(tallystick.Invalid, "proof of a prediction is not written in its one accepted form")
	}
	return p, nil
}

// Prediction verifies the proof of one prediction, offline: that the record stood in a segment of its model whose root a
// trusted log key has signed. Of o it looks at Witnesses.
func Prediction(file []byte, trust Trust, o ProofOptions) Result {
	const subject = "prediction"
	var r Result
	refuse := func(check string, c Checkpoint, err error) Result {
		r.fail(check, subject, err)
		return r.conclude(notProvedOfPrediction(c))
	}
	p, err := ParsePredictionProof(file)
	if err != nil {
		return refuse("format", Checkpoint{}, err)
	}
	record, leaf, err := p.read()
	if err != nil {
		return refuse("record", Checkpoint{}, err)
	}
	r.Subject = record.ID.String()
	r.ok("record", r.Subject, "of %s %s at %s, by itself", record.Model, record.Version, record.Time)
	event, c, ok := r.entry(p.Event, p.Event.Extra, trust, o.Witnesses)
	if !ok {
		return r.conclude(notProvedOfPrediction(c))
	}
	root, err := p.registered(event, record)
	if err != nil {
		return refuse("segment", c, err)
	}
	r.ok("segment", p.Segment, "registered for %s with %d records by event %d", record.Model, p.Size, event.Sequence)
	inner := prediction.Inclusion{Index: p.Index, Size: p.Size, Hashes: p.Hashes}
	if err := inner.Verify(leaf, root); err != nil {
		return refuse("place", c, err)
	}
	r.ok("place", record.ID.String(), "is record %d of %d in the segment", p.Index, p.Size)
	return r.conclude(notProvedOfPrediction(c))
}

// read returns the record and its leaf, which must be the one that p states.
func (p PredictionProof) read() (record prediction.Record, leaf prediction.Leaf, err error) {
	if record, err = prediction.ParseJSON(p.Record); err != nil {
		return record, leaf, err
	}
	if !bytes.Equal(record.AppendJSON(nil), p.Record) {
		return record, leaf, tallystick.Errorf(tallystick.Invalid, "the record is not written in its one accepted form")
	}
	if leaf, err = record.Leaf(); err != nil {
		return record, leaf, err
	}
	if is := tallystick.Digest("sha256:" + hex.EncodeToString(leaf[:])); is != p.Leaf {
		return record, leaf, tallystick.Errorf(tallystick.Invalid, "the record has the leaf %s, the proof is of %s: it was changed, or is another", is, p.Leaf)
	}
	return record, leaf, nil
}

// registered returns the root that the event registered, having held against it what p states and the record.
func (p PredictionProof) registered(event SealedEvent, record prediction.Record) (root [sha256.Size]byte, err error) {
	if event.Type != SegmentSealed {
		return root, tallystick.Errorf(tallystick.Invalid, "event %d registers no segment: it is %s", event.Sequence, event.Type)
	}
	text := func(name string) string { s, _ := event.Data[name].(string); return s }
	count, _ := event.Data["records"].(float64)
	switch {
	case text("segment") != p.Segment:
		return root, tallystick.Errorf(tallystick.Invalid, "event %d registers the segment %.140q, the proof is of %.140q", event.Sequence, text("segment"), p.Segment)
	case text("model") != record.Model:
		return root, tallystick.Errorf(tallystick.Invalid, "the segment holds predictions of the model %.140q, the record is of %.140q", text("model"), record.Model)
	case text("root_digest") != string(p.Root):
		return root, tallystick.Errorf(tallystick.Invalid, "the segment has the root %.80s, the proof leads to %s", text("root_digest"), p.Root)
	case count != float64(p.Size):
		return root, tallystick.Errorf(tallystick.Invalid, "the segment has %v records, the proof says %d", count, p.Size)
	}
	if n, err := hex.Decode(root[:], []byte(p.Root.Hex())); err != nil || n != len(root) {
		return root, errors.New("the root is no SHA-256")
	}
	return root, nil
}

// notProvedOfPrediction returns the limits of what the proof of one prediction can show.
func notProvedOfPrediction(c Checkpoint) []string {
	return append([]string{
		"that the model said this: it proves what was recorded, and that nothing of it was altered since",
		"that every prediction was recorded, or that there is no other record of the same case",
	}, notProved(c)[2:]...)
}
