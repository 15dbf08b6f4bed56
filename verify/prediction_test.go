package verify

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/merkle/testonly"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/prediction"
)

// segmentOf is a segment of n records of a model, with the tree of transparency-dev over their encodings, and the event
// that registered it.
type segmentOf struct {
	name    string
	records []prediction.Record
	tree    *testonly.Tree
	index   uint64 // of the event
}

func (f *fixture) segment(name, model string, n int) segmentOf {
	f.t.Helper()
	s := segmentOf{name: name, tree: testonly.New(rfc6962.DefaultHasher), index: uint64(len(f.leaves))}
	for i := range n {
		features := map[string]prediction.Value{"<b>": prediction.String("a & b \u2028")}
		for k := range 24 {
			features[fmt.Sprintf("f%02d", k)] = prediction.Number(float64(i*k) / 7)
		}
		r := prediction.Record{Model: model, Version: "1", Score: prediction.Number(float64(i) / 8), Features: prediction.NewFeatures(features)}
		r.Complete(time.Date(2026, 3, 3, 12, 0, i, 0, time.UTC))
		encoding, err := r.Append(nil)
		f.check(err)
		s.records = append(s.records, r)
		s.tree.AppendData(encoding)
	}
	e := Event{
		ID: "event-" + name, Source: "tallystick:test", Type: SegmentSealed, Time: eventTime, Sequence: uint64(len(f.leaves)) + 1,
		Data: map[string]any{"segment": name, "model": model, "records": n, "root_digest": "sha256:" + hex.EncodeToString(s.tree.Hash()), "actor": map[string]any{"id": "ada"}},
	}
	leaf, _ := mustEncode(f.t, e, public("/segment", "/model", "/records", "/root_digest"))
	f.leaves = append(f.leaves, leaf)
	f.tree.AppendData(leaf)
	return s
}

// prove returns the proof of record i under a checkpoint that log and witness have signed.
func (f *fixture) prove(s segmentOf, i int) PredictionProof {
	f.t.Helper()
	hashes, err := s.tree.InclusionProof(uint64(i), s.tree.Size())
	f.check(err)
	size := f.tree.Size()
	event := f.proof(s.index, size, f.checkpoint(size, f.log, f.witness))
	event.Extra = f.leaves[s.index]
	leaf, err := s.records[i].Leaf()
	f.check(err)
	return PredictionProof{
		Record: s.records[i].AppendJSON(nil), Leaf: tallystick.Digest("sha256:" + hex.EncodeToString(leaf[:])), Segment: s.name,
		Root: tallystick.Digest("sha256:" + hex.EncodeToString(s.tree.Hash())), Index: uint64(i), Size: s.tree.Size(), Hashes: arraysOf(hashes), Event: event,
	}
}

func (f *fixture) marshal(p PredictionProof) []byte {
	f.t.Helper()
	file, err := p.Marshal()
	f.check(err)
	return file
}

func TestPrediction(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.append()
	s := f.segment("one", "credit", 5)
	f.append()
	for i := range s.records {
		r := Prediction(f.marshal(f.prove(s, i)), f.trust, ProofOptions{Witnesses: 1})
		if r.Verdict != Verified || r.Subject != s.records[i].ID.String() {
			t.Errorf("record %d: %+v", i, r)
		}
		if !strings.Contains(strings.Join(r.NotProved, "\n"), "every prediction was recorded") {
			t.Errorf("it does not say what it does not prove: %q", r.NotProved)
		}
	}
	if r := Prediction(f.marshal(f.prove(s, 0)), stranger(t), ProofOptions{}); r.Verdict != UnknownSigner {
		t.Errorf("signed by a stranger: %+v", r)
	}
	if r := Prediction(f.marshal(f.prove(s, 0)), f.trust, ProofOptions{Witnesses: 2}); r.Verdict != Refused {
		t.Errorf("two witnesses asked for, one there: %+v", r)
	}
}

// TestPredictionLies: whatever is put in the place of something else is refused, with a line that says what.
func TestPredictionLies(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	none, _ := f.append()
	one, two, churn := f.segment("one", "credit", 5), f.segment("two", "credit", 5), f.segment("three", "churn", 5)
	leafOf := func(r prediction.Record) tallystick.Digest {
		leaf, err := r.Leaf()
		f.check(err)
		return tallystick.Digest("sha256:" + hex.EncodeToString(leaf[:]))
	}
	for name, lie := range map[string]struct {
		change func(p *PredictionProof)
		want   string
	}{
		"swapped record": {func(p *PredictionProof) { p.Record = one.records[2].AppendJSON(nil) }, "was changed, or is another"},
		"with its leaf":  {func(p *PredictionProof) { p.Record, p.Leaf = one.records[2].AppendJSON(nil), leafOf(one.records[2]) }, "is not number 1 of the 5"},
		"another value":  {func(p *PredictionProof) { p.Record = []byte(strings.Replace(string(p.Record), "0.125", "0.625", 1)) }, "was changed, or is another"},
		"another model": {func(p *PredictionProof) {
			p.Record = []byte(strings.Replace(string(p.Record), `"credit"`, `"churn"`, 1))
		}, "was changed, or is another"},
		"of another model": {func(p *PredictionProof) {
			r := one.records[1]
			r.Model = "churn"
			p.Record, p.Leaf = r.AppendJSON(nil), leafOf(r)
		}, "holds predictions of the model \"credit\", the record is of \"churn\""},
		"other model's segment": {func(p *PredictionProof) {
			q := f.prove(churn, 1)
			p.Segment, p.Root, p.Hashes, p.Event = q.Segment, q.Root, q.Hashes, q.Event
		}, "of the model \"churn\", the record is of \"credit\""},
		"other segment": {func(p *PredictionProof) {
			q := f.prove(two, 1)
			p.Segment, p.Root, p.Hashes, p.Event = q.Segment, q.Root, q.Hashes, q.Event
		}, "is not number 1 of the 5"},
		"other segment's event": {func(p *PredictionProof) { p.Event = f.prove(two, 1).Event }, "registers the segment \"two\", the proof is of \"one\""},
		"other segment's name":  {func(p *PredictionProof) { p.Segment = "two" }, "registers the segment \"one\", the proof is of \"two\""},
		"other segment's root":  {func(p *PredictionProof) { p.Root = f.prove(two, 1).Root }, "the proof leads to"},
		"another place":         {func(p *PredictionProof) { p.Index = 2 }, "is not number 2 of the 5"},
		"another size":          {func(p *PredictionProof) { p.Size = 6 }, "has 5 records, the proof says 6"},
		"an event of another kind": {func(p *PredictionProof) {
			size := f.tree.Size()
			p.Event = f.proof(none, size, f.checkpoint(size, f.log))
			p.Event.Extra = f.leaves[none]
		}, "registers no segment"},
		"another leaf":       {func(p *PredictionProof) { p.Event.Extra = f.leaves[two.index] }, "is not entry"},
		"no leaf":            {func(p *PredictionProof) { p.Event.Extra = nil }, "does not carry its leaf"},
		"a hash less":        {func(p *PredictionProof) { p.Hashes = p.Hashes[1:] }, "is not number 1 of the 5"},
		"a hash more":        {func(p *PredictionProof) { p.Hashes = append(p.Hashes, [sha256.Size]byte{}) }, "is not number 1 of the 5"},
		"too many hashes":    {func(p *PredictionProof) { p.Hashes = make([][sha256.Size]byte, 65) }, "more than 64"},
		"record in a sprawl": {func(p *PredictionProof) { p.Record = []byte(strings.Replace(string(p.Record), "0.125", "0.1250", 1)) }, "one accepted form"},
	} {
		p := f.prove(one, 1)
		lie.change(&p)
		r := Prediction(f.marshal(p), f.trust, ProofOptions{})
		failure, failed := r.FirstFailure()
		if r.Verdict != Refused || !failed || !strings.Contains(failure.Detail, lie.want) || strings.Contains(failure.Detail, "\n") {
			t.Errorf("%s: %s, %q, want %q", name, r.Verdict, failure.Detail, lie.want)
		}
	}
}

// TestPredictionFlips flips every bit of a proof, and cuts it off at every byte.
func TestPredictionFlips(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.append()
	s := f.segment("one", "credit", 3)
	file := f.marshal(f.prove(s, 1))
	for i := range file {
		for bit := range 8 {
			file[i] ^= 1 << bit
			// Witnesses are asked for, because a cosignature that is not one counts for nothing and harms nothing.
			if r := Prediction(file, f.trust, ProofOptions{Witnesses: 1}); r.Verdict == Verified {
				t.Errorf("bit %d of byte %d (%q) flipped: %s", bit, i, file[i], file[max(0, i-30):min(len(file), i+30)])
			}
			file[i] ^= 1 << bit
		}
		if r := Prediction(file[:i], f.trust, ProofOptions{}); r.Verdict != Refused {
			t.Errorf("cut off at %d: %s", i, r.Verdict)
		}
	}
	if r := Prediction(append(file, '\n'), f.trust, ProofOptions{}); r.Verdict != Refused {
		t.Errorf("with another line: %s", r.Verdict)
	}
}

func FuzzParsePredictionProof(f *testing.F) {
	x := newFixture(f)
	f.Add(x.marshal(x.prove(x.segment("one", "credit", 3), 1)))
	f.Add([]byte(`{"schema":"` + PredictionSchema + `"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := ParsePredictionProof(data)
		if err != nil {
			return
		}
		if again, err := p.Marshal(); err != nil || string(again) != string(data) {
			t.Errorf("%q came back as %q, %v", data, again, err)
		}
		Prediction(data, Trust{}, ProofOptions{})
	})
}

// BenchmarkPrediction verifies the proof of a record of 25 features, of a segment of 4,096, under a checkpoint that a
// witness has cosigned.
func BenchmarkPrediction(b *testing.B) {
	f := newFixture(b)
	for range 1000 {
		f.append()
	}
	file := f.marshal(f.prove(f.segment("s", "credit", 4096), 1))
	for b.Loop() {
		if r := Prediction(file, f.trust, ProofOptions{Witnesses: 1}); r.Verdict != Verified {
			b.Fatal(r)
		}
	}
	b.ReportMetric(float64(len(file)), "B/proof")
}
